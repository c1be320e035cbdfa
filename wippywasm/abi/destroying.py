"""The end of resources: destructors, run now or once the guest that has them is free.

In: handles that own. Out: destructors that have run once each. A handle owns its resource until the destructor begins,
so whoever was interrupted by Ctrl-C before may ask for it again, and others may have done so meanwhile. The same holds
for a `HostObject`.

Spec: `CanonicalABI.md`, "`canon resource.drop`".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from wippywasm.abi.entry import BARRED, CLOSED, is_below
from wippywasm.abi.state import ComponentInstance, HostObject, ResourceHandle, RuntimeResource, poison
from wippywasm.errors import ConflictError, PoisonedError, Trap, UnavailableError
from wippywasm.threads import here


def destroy(handle: ResourceHandle, caller: ComponentInstance) -> None:
    """Run the destructor of a resource that an instance drops, whose handle has left the table.

    Where another thread or task is in the guest that has it, the destructor runs when that is free.
    """
    rt, impl = handle.rt, handle.rt.impl
    if impl is None:
        end_object(rt, handle.rep)
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
        _defer(handle, impl)  # its handle is gone, and the caller soon may be
        if isinstance(error, ConflictError):
            hurry(impl)  # the caller can't help that others are in there
            return
        if not is_below(_destroy_for_host.__code__, sys._getframe().f_back, entering):
            raise
    if impl.deferred:
        run_deferred(impl)


def _defer(handle: ResourceHandle, impl: ComponentInstance) -> None:
    """Let the guest destroy it later, and nobody else."""
    later, defer = ResourceHandle(handle.rt, handle.rep, own=True), impl.deferred.append
    # Nothing may come between these: see `entry`.
    handle.own = False
    defer(later)


def end_object(rt: RuntimeResource, held: HostObject) -> None:
    """End an object of the host, unless that has begun."""
    if rt.dtor is not None:
        rt.dtor(held)


def _destroy_within(
    handle: ResourceHandle, caller: ComponentInstance | None, entering: Sequence[ComponentInstance]
) -> None:
    """Run the destructor in instances that have been entered, and leave them."""
    rt, rep, is_done = handle.rt, handle.rep, False
    assert rt.impl is not None
    try:
        try:
            # Nothing may come between these two: see `entry`.
            was, handle.own = handle.own, False
            if was and rt.dtor is not None:
                rt.dtor(rep if rep < 0x8000_0000 else rep - 0x1_0000_0000)
            rt.impl.leave_to(caller)
            is_done = True
        except BaseException as error:
            poison(entering, error)
            raise
    finally:  # Ctrl-C may come in any function, and as an error is caught, and leaves the guest barred all the same
        if not is_done:
            for instance in entering:
                instance.may_enter = BARRED


def _destroy_for_host(handle: ResourceHandle, entering: Sequence[ComponentInstance]) -> None:
    """The same when the host has the destructor run, which may be while others are called that it drops things of.

    It could have waited until they are free, so what it drops waits, instead of trapping: see `destroy`.
    """
    _destroy_within(handle, None, entering)


def destroy_when_free(handle: ResourceHandle) -> None:
    """Destroy now, or once the guest that implements the resource may be entered by this thread.

    Where this is interrupted, and `handle` still owns, it may be called again.
    """
    impl = handle.rt.impl
    if impl is None:
        end_object(handle.rt, handle.rep)
    elif impl.is_here:
        if not _is_destroyed(handle, impl):
            impl.deferred.append(handle)
        run_deferred(impl)  # who was in the guest may have left it meanwhile, or the destructor may have dropped others
    elif impl.poison is None and impl.send is not None:
        impl.send(destroy_when_free, handle)
    elif impl.poison is None:
        impl.deferred.append(handle)


def _is_destroyed(handle: ResourceHandle, impl: ComponentInstance) -> bool:
    """Destroy now, unless somebody is in the guest; what ended with its guest is destroyed, too."""
    entering = impl.entering_set(None)
    if not all(i.may_enter for i in entering):
        return impl.poison is not None
    entered: list[ComponentInstance] = []
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
        raise
    return True


def destroy_quietly(handle: ResourceHandle) -> None:
    """Destroy what the garbage collector found: nobody is there to handle an error, which bars the guest anyway.

    Meanwhile calls from other threads wait.
    """
    collecting = [] if handle.rt.impl is None else handle.rt.impl.deferred.collecting
    try:
        collecting.append(here.number)
        destroy_when_free(handle)
    except Exception:  # noqa: BLE001
        return
    finally:
        collecting.remove(here.number)


def hurry(impl: ComponentInstance) -> None:
    """Run destructors of its guest that had to wait, in the thread that may."""
    if impl.is_here:
        run_deferred(impl)
    elif impl.send is not None:
        impl.send(run_deferred, impl)


def run_deferred(inst: ComponentInstance) -> None:
    """Run destructors of its guest that had to wait, in the order of the drops, unless they still have to."""
    waiting = inst.deferred
    while waiting and inst.is_here:
        try:
            handle = waiting[0]
            assert handle.rt.impl is not None
            if not handle.own:
                with suppress(ValueError):  # another thread has just done so
                    waiting.remove(handle)
            elif _is_destroyed(handle, handle.rt.impl):
                handle.own = False
            elif not handle.rt.impl.may_enter_from(None):
                return  # who is in there finds it; but one who has just left may not have
        except Exception:  # noqa: BLE001  as `destroy_quietly`, and that another thread has just done the last
            return


def drop_lifted(lifted: Iterable[tuple[RuntimeResource, Any]], tell: Callable[[Exception], None]) -> None:
    """Drop what was lifted for somebody who is gone, in the order of the lifting; `tell` is told what goes wrong."""
    for rt, value in lifted:
        try:
            if rt.objects is not None:
                end_object(rt, HostObject(value))
            else:
                value._drop(rt.impl)
        except Exception as error:  # noqa: BLE001  (the others are to go as well)
            tell(error)


def drop_moving(handle: ResourceHandle) -> None:
    """Drop what has left one instance, unless it has arrived in another."""
    later = ResourceHandle(handle.rt, handle.rep, own=True)
    # Nothing may come between the two: see `entry`.
    was, handle.own = handle.own, False
    if was:
        destroy_when_free(later)


def drop_arriving(inst: ComponentInstance) -> None:
    """Drop what another instance has returned to this one, and what this did not come to take, as Ctrl-C came."""
    for handle, _ in inst.arriving:
        with suppress(Exception):
            drop_moving(handle)


def drop_foreign(holder: ComponentInstance, guest: Collection[ComponentInstance]) -> list[Callable[[], None]]:
    """What drops each resource of other guests that one instance of a closed guest owns, in its table's order.

    A destructor runs at once, or when its guest may next be entered, as at every drop by the host.
    """
    owned = [h for h in _owned(holder) if h.rt.objects is None and h.rt.impl not in guest]
    return [partial(destroy_when_free, h) for h in owned]


def drop_owned(holder: ComponentInstance) -> None:
    """Drop all that an instance owns which is of no guest."""
    for handle in [*_owned(holder)]:
        objects = handle.rt.objects
        if objects is None:
            destroy_when_free(handle)
        elif handle.rep in objects:
            end_object(handle.rt, objects.remove(handle.rep))


def _owned(holder: ComponentInstance) -> Iterator[ResourceHandle]:
    return (h for h in holder.handles if isinstance(h, ResourceHandle) and h.own)


def defer_foreign(holder: ComponentInstance) -> None:
    """The same for a guest that was collected: no destructor runs now, since a collection may happen anywhere."""
    for h in holder.handles.array:
        impl = h.rt.impl if isinstance(h, ResourceHandle) and h.own else None
        if impl is None or impl.deferred is holder.deferred or impl.poison is not None:
            continue
        if impl.send is not None:
            impl.send(destroy_when_free, h)
        else:
            impl.deferred.append(h)
