"""Resources as the host holds them, and the canonical built-ins that guests import for their own.

In: handles of guests, Python objects. Out: the other. A guest's resource is a `Resource` on the host side; an object
of the host is itself on the host side, and an index into its type's `objects` inside handles.

Spec: `CanonicalABI.md`, "`canon resource.new`", "`canon resource.drop`", "`canon resource.rep`".
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from types import MethodType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from wippywasm.abi import traps
from wippywasm.abi.entry import BARRED, CLOSED, is_below, refuse_thread
from wippywasm.abi.state import (
    ComponentInstance,
    Moving,
    ResourceHandle,
    RuntimeResource,
    Table,
    Task,
    poison,
)
from wippywasm.errors import CanceledError, ConflictError, NoAttributeError, PoisonedError, Trap, UnavailableError
from wippywasm.threads import here
from wippywasm.values import Err, Ok, Some, Variant

if TYPE_CHECKING:
    from typing_extensions import Self

_M32 = 0xFFFF_FFFF


class GuestResource:
    """A guest's resource, held by the host.

    Owned ones live until `close()`, the end of a `with` block, or garbage collection; passing one as `own` gives it
    away. Borrowed ones, which a guest lends to a host function, are valid until that function returns.
    Classes that `wippywasm bindgen` writes are based on this one.
    """

    __slots__ = ("__weakref__", "_lends", "_owned", "_rep", "_type")

    def __init__(self, type: RuntimeResource, rep: int, owned: bool) -> None:
        self._type = type
        self._rep: int | None = rep
        self._owned = owned
        self._lends = 0

    @property
    def closed(self) -> bool:
        """Whether it can't be used any more: closed, given away, or lent no longer."""
        return self._rep is None

    def close(self) -> None:
        """Drop it: runs the guest's destructor, once the guest has returned if it is running.

        Raises Trap, ThreadError; does nothing the second time.
        """
        if self._rep is None:
            return
        impl = self._type.impl
        if self._owned and impl is not None and impl.send is None and not impl.is_here:
            refuse_thread(impl)
        rep = self._take()
        if rep is not None and self._owned:
            _destroy_when_free(self._type, rep)

    def _take(self) -> int | None:
        """Its representation, for the one who asks first, unless a call borrows it. Nothing may come between the test
        and what it guards: see `entry`."""
        if not self._lends:
            rep, self._rep = self._rep, None
            return rep
        raise UnavailableError("cannot close a resource while a call borrows it")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a resource is one thing: it can't be copied or pickled")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_rep", None) is not None and self._owned and not self._lends:
            rep, self._rep = self._rep, None
            assert rep is not None
            _destroy_quietly(self._type, rep)

    def __repr__(self) -> str:
        state = "closed" if self._rep is None else "owned" if self._owned else "borrowed"
        return f"<{type(self).__name__} {self._type.name} {state}>"

    def _call(self, name: str, *args: Any) -> Any:
        """Call the method of that Python name."""
        return self._type.methods[name](self, *args)

    def _call_async(self, name: str, *args: Any) -> Awaitable[Any]:
        """The same by a task."""
        return self._type.async_methods[name](self, *args)


class Resource(GuestResource):
    """A guest's resource whose methods are attributes, in snake_case: `close_` for `close`, which all have."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        method = self._type.methods.get(name[:-1] if name in _AVOIDED else name)
        if method is None:
            raise NoAttributeError(f"resource {self._type.name} has no method {name!r}")
        return MethodType(method, self)

    def __dir__(self) -> list[str]:
        methods = {_AVOIDING.get(name, name) for name in self._type.methods}
        return sorted({*super().__dir__(), *methods})


_AVOIDING = {"close": "close_", "closed": "closed_"}
_AVOIDED = frozenset(_AVOIDING.values())
"""Attributes for methods of a guest that have the names of what each `GuestResource` has."""


def destroy(handle: ResourceHandle, caller: ComponentInstance) -> None:
    """Run the destructor of a resource that an instance drops, whose handle has left the table; it is owned until then.

    Where another thread or task is in the guest that has it, the destructor runs when that is free.
    """
    rt, impl = handle.rt, handle.rt.impl
    if impl is None:
        handle.own = False
        if rt.dtor is not None:
            rt.dtor(handle.rep.value)
        return
    is_foreign = impl.deferred is not caller.deferred
    if impl.poison is CLOSED or (is_foreign and impl.poison is not None):
        return  # it went with its guest
    entering = impl.entering_set(caller)
    entered: list[ComponentInstance] = []
    try:
        impl.enter_from(caller, entered)
        _destroy_within(handle, caller, entering)
    except BaseException as error:
        if not handle.own:
            raise  # of the destructor, which ends the guest
        for instance in entered:
            instance.leave()
        if not is_foreign or not isinstance(error, (ConflictError, Trap)):
            raise
        handle.own = False
        if isinstance(error, ConflictError):
            _destroy_when_free(rt, handle.rep)  # the caller can't help that others are in there
            return
        impl.deferred.append((rt, handle.rep))  # its handle is gone, and the caller soon may be
        if not is_below(_destroy_for_host.__code__, sys._getframe().f_back, entering):
            raise
    if impl.deferred:
        run_deferred(impl)


def _end_object(rt: RuntimeResource, value: Any) -> None:
    if rt.dtor is not None:
        rt.dtor(value)


def _destroy_within(
    handle: ResourceHandle, caller: ComponentInstance | None, entering: Sequence[ComponentInstance]
) -> None:
    """Run the destructor in instances that have been entered, and leave them."""
    rt, rep = handle.rt, handle.rep
    assert rt.impl is not None
    try:
        handle.own = False
        if rt.dtor is not None:
            rt.dtor(rep if rep < 0x8000_0000 else rep - 0x1_0000_0000)
        rt.impl.leave_to(caller)
    except BaseException as error:
        try:
            poison(entering, error)
        finally:  # Ctrl-C may come in any function, and leaves the guest barred all the same
            for instance in entering:
                instance.may_enter = BARRED
        raise


def _destroy_for_host(handle: ResourceHandle, entering: Sequence[ComponentInstance]) -> None:
    """The same when the host has the destructor run, which may be while others are called that it drops things of.

    It could have waited until they are free, so what it drops waits, instead of trapping: see `destroy`.
    """
    _destroy_within(handle, None, entering)


def _destroy_when_free(rt: RuntimeResource, rep: int) -> None:
    """Destroy now, or once the guest that implements the resource may be entered by this thread."""
    impl = rt.impl
    if impl is None:
        _end_object(rt, release_object(rt, rep))
    elif impl.is_here:
        if not _is_destroyed(rt, impl, rep):
            impl.deferred.append((rt, rep))
        run_deferred(impl)  # who was in the guest may have left it meanwhile, or the destructor may have dropped others
    elif impl.poison is None and impl.send is not None:
        impl.send(_destroy_when_free, rt, rep)
    elif impl.poison is None:
        impl.deferred.append((rt, rep))


def _is_destroyed(rt: RuntimeResource, impl: ComponentInstance, rep: int) -> bool:
    """Destroy now, unless somebody is in the guest; what ended with its guest is destroyed, too."""
    entering = impl.entering_set(None)
    if not all(i.may_enter for i in entering):
        return impl.poison is not None
    handle, entered = ResourceHandle(rt, rep, own=True), list[ComponentInstance]()
    try:
        impl.enter_from(None, entered)
        _destroy_for_host(handle, entering)
    except BaseException as error:
        if not handle.own:
            raise  # of the destructor, which ends the guest
        for instance in entered:
            instance.leave()
        if isinstance(error, (ConflictError, PoisonedError, UnavailableError, Trap)):  # another thread was quicker
            return impl.poison is not None
        impl.deferred.append((rt, rep))
        raise
    return True


def drop_lifted(lifted: Iterable[tuple[RuntimeResource, Any]], tell: Callable[[Exception], None]) -> None:
    """Drop what was lifted for somebody who is gone, in the order of the lifting; `tell` is told what goes wrong."""
    for rt, value in lifted:
        try:
            if rt.objects is not None:
                _end_object(rt, value)
            elif (rep := value._take()) is not None:
                _destroy_when_free(rt, rep)
        except Exception as error:  # noqa: BLE001  (the others are to go as well)
            tell(error)


def drop_foreign(holder: ComponentInstance, guest: Collection[ComponentInstance]) -> list[Callable[[], None]]:
    """What drops each resource that one instance of a closed guest owns, but for the guest's own, in its table's order.

    A destructor runs at once, or when its guest may next be entered, as at every drop by the host.
    """
    owned = [h for h in holder.handles if isinstance(h, ResourceHandle) and h.own and h.rt.impl not in guest]
    holder.handles = Table()
    return [partial(_destroy_when_free, h.rt, h.rep) for h in owned if h.rt.objects is None or h.rep in h.rt.objects]


def defer_foreign(holder: ComponentInstance) -> None:
    """The same for a guest that was collected: no destructor runs now, since a collection may happen anywhere."""
    for h in holder.handles.array:
        impl = h.rt.impl if isinstance(h, ResourceHandle) and h.own else None
        if impl is None or impl.deferred is holder.deferred or impl.poison is not None:
            continue
        if impl.send is not None:
            impl.send(_destroy_when_free, h.rt, h.rep)
        else:
            impl.deferred.append((h.rt, h.rep))


def _destroy_quietly(rt: RuntimeResource, rep: int) -> None:
    """Destroy what the garbage collector found: nobody is there to handle an error, which bars the guest anyway.

    Meanwhile calls from other threads wait.
    """
    collecting = [] if rt.impl is None else rt.impl.deferred.collecting
    collecting.append(here.number)
    try:
        _destroy_when_free(rt, rep)
    except Exception:  # noqa: BLE001
        return
    finally:
        collecting.remove(here.number)


def run_deferred(inst: ComponentInstance) -> None:
    """Run destructors of its guest that had to wait, in the order of the drops, unless they still have to."""
    while inst.deferred and inst.is_here:
        try:
            rt, rep = inst.deferred.popleft()
            assert rt.impl is not None
            if not _is_destroyed(rt, rt.impl, rep):
                inst.deferred.appendleft((rt, rep))
                if not rt.impl.may_enter_from(None):
                    return  # who is in there finds it; but one who has just left may not have
        except Exception:  # noqa: BLE001  as `_destroy_quietly`, and that another thread has just done the last
            return


def release_object(rt: RuntimeResource, rep: int) -> Any:
    """Take an object of the host out of its type's table."""
    assert rt.objects is not None
    return rt.objects.remove(rep).value


class HostObject:
    """An object of the host in the table of its resource type."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def signed(i: int) -> int:
    """An unsigned i32 as the engine's port has it."""
    return i if i < 0x8000_0000 else i - 0x1_0000_0000


def check_handle(handle: Any, index: int, rt: RuntimeResource) -> ResourceHandle:
    """Trap where a table entry is not a handle of that resource type."""
    if not isinstance(handle, ResourceHandle) or handle.rt is not rt:
        found = _describe(handle, rt)
        raise Trap(
            f"handle index {index} used with the wrong type, expected {_kind(rt)} but found {found}",
            code="wrong handle type",
        )
    return handle


def _kind(rt: RuntimeResource) -> str:
    return "host-defined resource" if rt.impl is None else "guest-defined resource"


def _describe(handle: Any, wanted: RuntimeResource) -> str:
    if not isinstance(handle, ResourceHandle):
        return type(handle).__name__.lower()
    return f"a different {_kind(handle.rt)}" if _kind(handle.rt) == _kind(wanted) else _kind(handle.rt)


def get_handle(inst: ComponentInstance, index: int, rt: RuntimeResource) -> ResourceHandle:
    """The handle at an unsigned index; traps unless it is one of that type."""
    return check_handle(inst.handles.get(index), index, rt)


def get_own(inst: ComponentInstance, index: int, rt: RuntimeResource) -> ResourceHandle:
    """The owned handle that is to leave the table, as `lift_own`; traps unless it is one and is not lent."""
    handle = check_handle(inst.handles.get(index), index, rt)
    _check_not_lent(handle)
    if not handle.own:
        raise Trap(f"cannot take ownership of borrowed handle index {index}", code="not owned")
    return handle


def _check_not_lent(handle: ResourceHandle) -> None:
    if handle.num_lends:
        raise Trap("cannot remove owned resource while borrowed", code="resource lent")


def keep_own(inst: ComponentInstance, rt: RuntimeResource, rep: int) -> None:
    """Let an instance that is ending own what was on its way to or from it: it is dropped with what else it owns."""
    inst.handles.keep(ResourceHandle(rt, rep, own=True))


def send(inst: ComponentInstance, index: int, rt: RuntimeResource, moving: Moving) -> ResourceHandle:
    """The owned handle that leaves there for another instance, which may be of another guest.

    An object of the host goes with it: whoever closes the one guest takes nothing from the other. It is on its way
    before it leaves, as Ctrl-C may come in between.
    """
    handle = get_own(inst, index, rt)
    moving.append((handle, rt))
    _depart(inst, index, handle)
    return handle


def _depart(inst: ComponentInstance, index: int, handle: ResourceHandle) -> None:
    """Take a handle out of the table, and of its type's an object of the host that it owns."""
    objects, rep = handle.rt.objects, handle.rep
    if objects is not None and handle.own:
        it = objects.get(rep)
        # Nothing may come between these two: see `entry`.
        handle.rep, objects.array[rep] = it, None
        objects.free.append(rep)
    inst.handles.remove(index)


def keep_moving(inst: ComponentInstance, moving: Moving) -> None:
    """`keep_own` for each of these that have left one instance and not arrived in another, with its type there."""
    for handle, rt in moving:
        if _claim(handle):
            rep = handle.rep
            if rt.objects is not None and isinstance(rep, HostObject):
                rep = rt.objects.keep(rep)
            keep_own(inst, rt, rep)


def handles_in(given: Any) -> Iterator[ResourceHandle]:
    """The handles in a value that one component gives to another."""
    match given:
        case ResourceHandle():
            yield given
        case list() | tuple():
            for item in given:
                yield from handles_in(item)
        case dict():
            yield from handles_in(list(given.values()))
        case Ok() | Err() | Some():
            yield from handles_in(given.value)
        case Variant():
            yield from handles_in(given.payload)


def drop_arriving(inst: ComponentInstance) -> None:
    """Drop what another instance has returned to this one, and what this did not come to take, as Ctrl-C came."""
    for handle, _ in inst.arriving:
        with suppress(Exception):
            drop_moving(handle)


def drop_moving(handle: ResourceHandle) -> None:
    """Drop what has left one instance, unless it has arrived in another."""
    if _claim(handle):
        if handle.rt.objects is not None:
            _end_object(handle.rt, handle.rep.value)
        else:
            _destroy_when_free(handle.rt, handle.rep)


def receive(inst: ComponentInstance, handle: ResourceHandle, rt: RuntimeResource) -> int:
    """The index of what arrives there, which has left another instance.

    Raises CanceledError where that one has it again: it waits no longer for this one, in another thread.
    """
    was, made = False, None
    try:
        # Nothing may come between these two: see `entry`.
        was, handle.own = handle.own, False
        if not was:
            raise CanceledError("the guest that gave a resource has ended meanwhile")
        made = ResourceHandle(rt, handle.rep if rt.objects is None else rt.objects.add(handle.rep), own=True)
        return inst.handles.add(made)
    except BaseException:
        there, it = (inst.handles, made) if rt.objects is None else (rt.objects, handle.rep)
        if was and (it is None or all(one is not it for one in there)):  # Ctrl-C may come when it has arrived
            handle.own = True
        raise


def _claim(handle: ResourceHandle) -> bool:
    """Whether what is on its way is for the one who asks, and for nobody else: another thread may ask, too."""
    # Nothing may come between the two: see `entry`.
    was, handle.own = handle.own, False
    return was


def lent_to(task: Task, handle: ResourceHandle, rt: RuntimeResource) -> int:
    """The representation for that task of what another instance lends to it."""
    if handle.rt is rt:
        return handle.rep  # type: ignore[no-any-return]
    objects, lent = rt.objects, handle.rt.objects
    assert objects is not None, "a resource of a guest has one type for all"
    assert lent is not None
    rep = objects.add(lent.get(handle.rep))
    task.on_return.append(lambda: release_object(rt, rep))
    return rep


def resource_new(resource: RuntimeResource, instance: ComponentInstance) -> Callable[[int], int]:
    """`canon resource.new`: representation in, handle index out."""

    name = f"resource.new {resource.name}".rstrip()

    def resource_new(rep: int) -> int:
        if not instance.may_leave:
            traps.cannot_leave(name)
        try:
            return instance.handles.add(ResourceHandle(resource, rep & _M32, own=True))
        except Trap as error:
            traps.tell(error, name, "in")
            raise

    return resource_new


def resource_drop(resource: RuntimeResource, instance: ComponentInstance) -> Callable[[int], None]:
    """`canon resource.drop`: handle index in; runs the destructor of an owned one."""

    name = f"resource.drop {resource.name}".rstrip()

    def resource_drop(index: int) -> None:
        if not instance.may_leave:
            traps.cannot_leave(name)
        index &= _M32
        try:
            handle = get_handle(instance, index, resource)
            _check_not_lent(handle)
        except Trap as error:
            traps.tell(error, name, "in")
            raise
        try:
            _depart(instance, index, handle)
            if handle.own:
                destroy(handle, instance)
            elif handle.borrow_scope is not None:
                handle.borrow_scope.num_borrows -= 1
        except BaseException:
            keep_moving(instance, [(handle, resource)])  # Ctrl-C may come before its destructor begins
            raise

    return resource_drop


def resource_rep(resource: RuntimeResource, instance: ComponentInstance) -> Callable[[int], int]:
    """`canon resource.rep`: handle index in, representation out."""

    name = f"resource.rep {resource.name}".rstrip()

    def resource_rep(index: int) -> int:
        try:
            return signed(get_handle(instance, index & _M32, resource).rep)
        except Trap as error:
            traps.tell(error, name, "in")
            raise

    return resource_rep
