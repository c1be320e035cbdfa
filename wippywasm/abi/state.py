"""What a component instance owns at run time: its handle table, and whether it may be entered or left.

In: handles, calls that enter and leave. Out: the same objects under the names of the specification, so that its
asynchronous half (waitables, subtasks with events) is an addition here.

Spec: `CanonicalABI.md`, "Component Instance State", "Table State", "Resource State", "Task State", "Subtask State".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

from wippywasm.abi.entry import BARRED, CLOSED, is_left_by_collector, refuse_entry, refuse_thread
from wippywasm.abi.traps import too_much
from wippywasm.errors import CanceledError, ThreadError, Trap
from wippywasm.layout import MAX_HOST_BYTES
from wippywasm.threads import here

BYTES_BETWEEN_PAUSES = 1 << 20

Moving: TypeAlias = "list[tuple[ResourceHandle, RuntimeResource]]"
"""Owned handles on their way from an instance or to it, with the types that they have there."""


class Table:
    """Handles by index; index 0 is never given out, freed indices are reused last in, first out."""

    __slots__ = ("array", "free")

    MAX_LENGTH: ClassVar[int] = 2**28 - 1

    def __init__(self) -> None:
        self.array: list[Any] = [None]
        self.free: list[int] = []

    def __iter__(self) -> Iterator[Any]:
        return (e for e in self.array if e is not None)

    def get(self, index: int) -> Any:
        """The element; `index` is unsigned. Traps where there is none."""
        element = self.array[index] if index < len(self.array) else None
        if element is None:
            raise Trap(f"unknown handle index {index}", code="unknown handle")
        return element

    def add(self, element: Any) -> int:
        """A free index, which holds `element` from now on; traps where the table is full."""
        if self.free:
            index = self.free.pop()
            self.array[index] = element
            return index
        index = len(self.array)
        if index > self.MAX_LENGTH:
            raise Trap("resource table has no free keys", code="handle table full")
        self.array.append(element)
        return index

    def keep(self, element: Any) -> int:
        """An index for what nobody asks for by it, so that none is too many."""
        self.array.append(element)
        return len(self.array) - 1

    def remove(self, index: int) -> Any:
        """The element, and its index becomes free; traps where there is none."""
        element = self.get(index)
        self.array[index] = None
        self.free.append(index)
        return element


class Deferred(deque["ResourceHandle"]):
    """Resources of a guest that are to be destroyed once nobody is in there, unless they are no longer owned by then.

    The one that was dropped first is the first. `collecting` has the number (`threads`) of each thread in which the
    garbage collector has one of the guest's destroyed right now.
    """

    __slots__ = ("collecting",)

    def __init__(self) -> None:
        super().__init__()
        self.collecting: list[int] = []


class ComponentInstance:
    """The run-time state of one component instance.

    `may_enter` is one of three false values where it may not be entered: False while a call is in it, `entry.AWAITED`
    while a call by a task is, `entry.BARRED` once it is poisoned and left.
    `owner` is the number (`threads`) of the only thread that may use it, None where its store may move between threads.
    `deferred` has the resources of its whole guest that are to be destroyed later.
    `send` has a function called in that thread later, where it takes such orders.
    `clock` raises what the call into it is to end with, where its time is up.
    `arriving` has the handles that another instance has returned to it, until they are in `handles`.
    `poison` says why it can't be entered any more, once a call into it has trapped.
    """

    __slots__ = (
        "arriving",
        "clock",
        "deferred",
        "handles",
        "may_enter",
        "may_leave",
        "name",
        "owner",
        "parent",
        "poison",
        "send",
    )

    def __init__(
        self,
        parent: ComponentInstance | None = None,
        *,
        owner: int | None = None,
        name: str = "",
        clock: Callable[[], None] | None = None,
    ) -> None:
        self.parent = parent
        self.handles = Table()
        self.may_enter: bool | Literal[0] | None = True
        self.may_leave = True
        self.owner: int | None = owner if parent is None else parent.owner
        self.name = name
        self.poison: str | None = None
        self.deferred: Deferred = Deferred() if parent is None else parent.deferred
        self.send: Callable[..., None] | None = None
        self.clock = clock
        self.arriving: Moving | tuple[()] = ()

    @property
    def is_here(self) -> bool:
        """Whether this thread may use it."""
        return self.owner is None or self.owner == here.number

    def self_and_ancestors(self) -> list[ComponentInstance]:
        """Itself first, the root last."""
        chain = [self]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        return chain

    def entering_set(self, caller: ComponentInstance | None) -> tuple[ComponentInstance, ...]:
        """The instances that a call from `caller` (None: the host) enters."""
        chain = self.self_and_ancestors()
        if caller is None:
            return tuple(chain)
        outside = {id(i) for i in caller.self_and_ancestors()}
        return tuple(i for i in chain if id(i) not in outside)

    def may_enter_from(self, caller: ComponentInstance | None) -> bool:
        """Whether a call from `caller` (None: the host) is allowed now."""
        return all(i.may_enter for i in self.entering_set(caller))

    def enter_from(self, caller: ComponentInstance | None, into: list[ComponentInstance]) -> None:
        """Enter, or raise what `refuse_entry` says; `into` has what was entered."""
        if not self.is_here:
            refuse_thread(self)
        enter_all(self.entering_set(caller)[::-1], caller, False, into)

    def close(self) -> None:
        """Bar it for good because its guest is closed."""
        self.may_enter = BARRED
        self.poison = CLOSED

    def leave_to(self, caller: ComponentInstance | None) -> None:
        """The other end of `enter_from`."""
        for i in self.entering_set(caller):
            i.leave()

    def leave(self) -> None:
        """Let others enter, unless it was poisoned meanwhile."""
        self.may_enter = self.poison is None or BARRED


def enter_all(
    inwards: Sequence[ComponentInstance],
    caller: ComponentInstance | None,
    entered: Literal[False] | None,
    into: list[ComponentInstance],
) -> None:
    """Enter each of several instances, the outermost first, or none and raise what `refuse_entry` says.

    `entered` is what their `may_enter` is meanwhile: `entry.AWAITED` where a task calls. `into` has those that were
    entered: Ctrl-C may come at any call, and whoever called is to leave them then.
    """
    for i in inwards:
        # Nothing may come between the test and what it guards: see `entry`.
        if i.may_enter:
            i.may_enter = entered
            into.append(i)
        else:
            while into:
                into.pop().leave()
            refuse_entry(inwards, caller)


def enter_when_free(
    inwards: Sequence[ComponentInstance],
    caller: ComponentInstance | None,
    entered: Literal[False] | None,
    into: list[ComponentInstance],
) -> None:
    """The same for a call, which waits where the garbage collector is in there."""
    while True:
        try:
            return enter_all(inwards, caller, entered, into)
        except ThreadError:
            if not is_left_by_collector(inwards):
                raise


def poison(entering: Iterable[ComponentInstance], error: BaseException) -> None:
    """Bar instances for good, after `error` has unwound their frames: their state can't be trusted."""
    for instance in entering:
        condemn(instance, error)
        instance.may_enter = BARRED


def condemn(instance: ComponentInstance, error: BaseException) -> None:
    """Let no other call enter, since one that is in it, if any, is to end with `error`."""
    if instance.poison is None:
        is_canceled = isinstance(error, CanceledError) or not isinstance(error, Exception)
        cause = _cause(instance, error) if is_canceled else error
        instance.poison = f"{type(cause).__name__}: {cause}".split("\n", 1)[0][:200].removesuffix(": ")
    if instance.may_enter:
        instance.may_enter = BARRED


def _cause(instance: ComponentInstance, error: BaseException) -> BaseException:
    """What the call was to end with: the cancellation of its task may be only how."""
    try:
        if instance.clock is not None:
            instance.clock()
    except Exception as due:  # noqa: BLE001  (whatever it is to end with)
        return due
    return error


class HostObjects(Table):
    """The objects of one type that the host has given to one guest: fewer than handles, since each costs the host."""

    __slots__ = ()

    MAX_LENGTH: ClassVar[int] = 2**16

    def __contains__(self, index: int) -> bool:
        """Whether there is an object of that index; there is none any more once the guest it was given to is closed."""
        return index < len(self.array) and self.array[index] is not None


class HostObject:
    """An object of the host in the table of its resource type.

    `own` tells whether it is the guest's to end: not while it is only lent to that, nor once its destructor has begun.
    """

    __slots__ = ("own", "value")

    def __init__(self, value: Any, own: bool = True) -> None:
        self.value = value
        self.own = own


class RuntimeResource:
    """A resource type at run time; equal only to itself. The specification's `ResourceType`.

    `impl` is the instance that implements it, or None for the host. `dtor` gets the representation of a dropped
    resource: a signed i32 for a guest's, the `HostObject` for the host's, of which it clears `own` as it begins.
    `methods` are what a `Resource` of this type offers as attributes, each taking the resource first; `async_methods`
    are the same for tasks. `cls` is the class of the objects that stand for such resources on the host side, where it
    is not the usual one.
    `host_class` is the class that the host's own objects are of, `linked` what a resource of the host comes from: there
    is one of these for each guest, whose objects it has.
    """

    __slots__ = ("async_methods", "cls", "dtor", "host_class", "impl", "linked", "methods", "name", "objects")

    def __init__(
        self,
        impl: ComponentInstance | None,
        dtor: Callable[[Any], Any] | None = None,
        name: str = "",
        host_class: type = object,
    ) -> None:
        self.impl = impl
        self.host_class = host_class
        self.dtor = dtor
        self.name = name
        self.methods: dict[str, Callable[..., Any]] = {}
        self.async_methods: dict[str, Callable[..., Awaitable[Any]]] = {}
        self.cls: Callable[..., Any] | None = None
        self.objects = HostObjects() if impl is None else None
        self.linked: Any = None


class ResourceHandle:
    """An entry of a handle table: an owned resource, or one that is borrowed until the task `borrow_scope` returns.

    `rep` is the representation; of the host's, the index of the object, or that itself while it is in no guest's table.
    """

    __slots__ = ("borrow_scope", "num_lends", "own", "rep", "rt")

    def __init__(self, rt: RuntimeResource, rep: Any, own: bool, borrow_scope: Task | None = None) -> None:
        self.rt = rt
        self.rep = rep
        self.own = own
        self.borrow_scope = borrow_scope
        self.num_lends = 0


class Allowance:
    """How much of the host's memory the values that one call lifts may still take, and whether it has time for more."""

    __slots__ = ("inst", "left", "next_pause")

    def __init__(self, inst: ComponentInstance) -> None:
        self.inst = inst
        self.left = MAX_HOST_BYTES
        self.next_pause = MAX_HOST_BYTES - BYTES_BETWEEN_PAUSES

    def spend(self, size: int, what: str) -> None:
        """Count that many bytes for a value of the type `what`; traps where there are not so many left."""
        self.left -= size
        if self.left < self.next_pause:
            if self.left < 0:
                too_much(what)
            self.next_pause = max(0, self.left - BYTES_BETWEEN_PAUSES)
            self.pause()

    def pause(self) -> None:
        """End the call here, where its time is up: raises what it is to end with."""
        if self.inst.clock is not None:
            self.inst.clock()


class Task:
    """A call into an instance, as far as its borrowed handles need it.

    `lent` has what is lent to the callee: an index into a table of objects, or a resource of a guest that Python holds.
    """

    __slots__ = ("inst", "lent", "num_borrows")

    def __init__(self, inst: ComponentInstance) -> None:
        self.inst = inst
        self.num_borrows = 0
        self.lent: list[tuple[Any, int | None]] = []

    def return_(self) -> None:
        """The callee is done: traps where it kept a borrowed handle, else gives back what was lent to it."""
        if self.num_borrows > 0:
            raise Trap("borrow handles still remain at the end of the call", code="borrow remains")
        self.release()

    def release(self) -> None:
        """Give back what was lent to the callee, each once: Ctrl-C may come in between, and this be called again."""
        lent = self.lent
        while lent:
            lender, index = lent[-1]
            # Nothing may come between what gives it back and what forgets it: see `entry`.
            if index is not None:
                free = lender.free.append
                lender.array[index] = None
                del lent[-1]
                free(index)
            else:
                lender._lends -= 1
                del lent[-1]


class Subtask:
    """A call out of an instance: the handles it lends for as long."""

    __slots__ = ("lenders", "on_resolve")

    def __init__(self) -> None:
        self.lenders: list[ResourceHandle] = []
        self.on_resolve: list[Callable[[], None]] = []

    def add_lender(self, handle: ResourceHandle) -> None:
        handle.num_lends += 1
        self.lenders.append(handle)

    def deliver_resolve(self) -> None:
        """The call is over: handles may be dropped again, and what the host borrowed is no longer valid."""
        for handle in self.lenders:
            handle.num_lends -= 1
        self.lenders.clear()
        for end in self.on_resolve:
            end()
        self.on_resolve.clear()
