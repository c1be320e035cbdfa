"""Handles in the tables of instances, and those on their way from one table to another.

In: indices, handles. Out: the other, with ownership moved: what is in no table is in `Moving` of a call, and wherever
Ctrl-C comes, one of the two has it for those who end the call.

Spec: `CanonicalABI.md`, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wippywasm.abi.state import ComponentInstance, HostObject, Moving, ResourceHandle, RuntimeResource, Task
from wippywasm.errors import CanceledError, Trap
from wippywasm.values import Err, Ok, Some, Variant


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
    check_not_lent(handle)
    if not handle.own:
        raise Trap(f"cannot take ownership of borrowed handle index {index}", code="not owned")
    return handle


def check_not_lent(handle: ResourceHandle) -> None:
    """Trap where a call borrows what is to leave the table."""
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
    depart(inst, index, handle)
    return handle


def depart(inst: ComponentInstance, index: int, handle: ResourceHandle) -> None:
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
        kept = ResourceHandle(rt, handle.rep, own=True)
        objects = rt.objects if isinstance(handle.rep, HostObject) else None
        keep, what = (inst.handles.array.append, kept) if objects is None else (objects.array.append, handle.rep)
        # Nothing may come between these: see `entry`.
        was, handle.own = handle.own, False
        if was:
            keep(what)
            if objects is not None:
                kept.rep = len(objects.array) - 1
                inst.handles.keep(kept)


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


def lent_to(task: Task, handle: ResourceHandle, rt: RuntimeResource) -> int:
    """The representation for that task of what another instance lends to it."""
    if handle.rt is rt:
        return handle.rep  # type: ignore[no-any-return]
    assert handle.rt.objects is not None, "a resource of a guest has one type for all"
    return lend_object(task, handle.rt.objects.get(handle.rep).value, rt)


def lend_object(task: Task, value: Any, rt: RuntimeResource) -> int:
    """The representation of an object of the host that is lent to the instance of that task."""
    assert rt.objects is not None
    rep = rt.objects.add(HostObject(value, own=False))
    task.lent.append((rt.objects, rep))
    return rep
