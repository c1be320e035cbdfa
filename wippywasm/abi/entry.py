"""Why a call may not enter an instance: the errors, each found out only when it is raised.

In: instances that may not be entered. Out: an exception, always. An instance does not keep who is in it, which would
cost every call; the stacks of the threads tell.

Calls test `may_enter` and set it without anything in between at which the interpreter changes threads (it does at calls
and at jumps that are taken), so two threads never enter an instance both.

Spec: `CanonicalABI.md`, "Component Instance State"; SPEC section 14 (threads).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from wippywasm.errors import ConflictError, PoisonedError, ThreadError, Trap, UnavailableError

if TYPE_CHECKING:
    from wippywasm.abi.state import ComponentInstance

CLOSED = "its guest is closed"
"""The `poison` of an instance whose guest was closed: not a failure, and so another error."""

ENTERING = "entering"
"""What every function that enters instances calls them, so that they are found on a stack."""

_SHARE = "a guest is used by one thread at a time: share it with a lock, or instantiate the component in each thread"


def refuse_thread(instance: ComponentInstance) -> NoReturn:
    """Raise the error for a call from a thread that may not use the instance."""
    raise ThreadError(
        f"component instance {instance.name or 'of another thread'} belongs to thread {instance.owner}",
        hint="use it on the thread that instantiated it, or instantiate the component on this one",
    )


def refuse_entry(instances: Iterable[ComponentInstance], caller: ComponentInstance | None) -> NoReturn:
    """Raise the error for a call into instances of which one may not be entered.

    UnavailableError where the guest is closed, PoisonedError after a trap, ThreadError while another thread is in it,
    Trap where it is called by what it calls itself, and else ConflictError: a call of another task waits in it.
    """
    barred = [i for i in instances if not i.may_enter]
    for instance in barred:
        if instance.poison is CLOSED:
            raise UnavailableError("the guest is closed", hint="instantiate the component again")
        if instance.poison is not None and caller is None:
            raise PoisonedError(
                f"cannot enter component instance: an earlier call ended it: {instance.poison}",
                hint="instantiate the component anew",
            )
    if not any(i.poison for i in barred):
        _refuse_second_call(barred)
    refuse_reentry()


def refuse_reentry() -> NoReturn:
    """Raise the error for a call into a guest by what the guest itself calls."""
    raise Trap("cannot enter component instance", code="cannot enter")


def refuse_waiting() -> NoReturn:
    """Raise the error for a call into a guest in which a call of another task waits."""
    raise ConflictError(
        "cannot enter component instance: a call into the guest is waiting",
        hint="await that call first, or use another instance",
    )


def _refuse_second_call(barred: list[ComponentInstance]) -> None:
    """Raise the error for a call from outside while another is under way, unless that one has made it."""
    within = _threads_within(barred)
    if threading.get_ident() in within:
        return
    if within:
        raise ThreadError(f"cannot enter component instance: thread {within[0]} is in the guest", hint=_SHARE)
    if any(not i.may_enter for i in barred):
        refuse_waiting()
    raise ThreadError("cannot enter component instance: another thread was in the guest", hint=_SHARE)


def _threads_within(instances: list[ComponentInstance]) -> list[int]:
    """The threads that run a call into one of those, apart from the call of this one that is being refused."""
    own = threading.get_ident()
    stacks = sys._current_frames()
    try:
        return [ident for ident, top in stacks.items() if _entries(top, instances) > (ident == own)]
    finally:
        stacks.clear()  # it has this very frame, whose variables would live until they are collected


def _entries(frame: FrameType | None, instances: list[ComponentInstance]) -> int:
    """How many functions on a stack enter one of those instances."""
    count = 0
    while frame is not None:
        code = frame.f_code
        if ENTERING in code.co_freevars or ENTERING in code.co_varnames:
            count += any(i in instances for i in frame.f_locals.get(ENTERING, ()))
        frame = frame.f_back
    return count
