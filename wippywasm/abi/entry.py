"""Why a call may not enter an instance: the errors, each found out only when it is raised.

In: instances that may not be entered. Out: an exception, always. An instance does not keep who is in it, which would
cost every call: the stack of the thread that is refused tells whether it was in there already. The stacks of other
threads are not looked at, which CPython 3.11 does not survive while they run.

Calls test `may_enter` and set it without anything in between at which the interpreter changes threads (it does at calls
and at jumps that are taken), so two threads never enter an instance both.

Spec: `CanonicalABI.md`, "Component Instance State"; SPEC section 14 (threads).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Literal, NoReturn

from wippywasm.abi.keywords import aside
from wippywasm.errors import ConflictError, PoisonedError, ThreadError, Trap, UnavailableError
from wippywasm.threads import here, in_event_loop

if TYPE_CHECKING:
    from wippywasm.abi.state import ComponentInstance

CLOSED = "its guest is closed"
"""The `poison` of an instance whose guest was closed: not a failure, and so another error."""

ENTERING = "entering"
"""What every function of ours that enters instances calls them, so that they are found on a stack; `aside` of that
where a parameter has the name."""

_OURS = ("<wippywasm ", str(Path(__file__).parents[1]))

AWAITED: Literal[None] = None
"""The `may_enter` of an instance, as false as False, while a call by a task is in it, which may be suspended."""

BARRED: Literal[0] = 0
"""The same where no call is in it, or will be: it is poisoned."""

COLLECTOR_S = 2.0
"""How long a call waits at most, in seconds, for destructors that the garbage collector runs in another thread."""

COLLECTOR_S_OF_LOOPS = 0.05
"""The same in a thread whose event loop waits as well."""

_SHARE = "a guest is used by one at a time: share it with a lock, or instantiate the component for each"


def refuse_thread(instance: ComponentInstance) -> NoReturn:
    """Raise the error for a call from a thread that may not use the instance."""
    raise ThreadError(
        f"{f'component instance {instance.name}' if instance.name else 'this guest'} belongs to another thread",
        hint="use it on the thread that instantiated it, or instantiate the component on this one",
    )


def refuse_entry(
    instances: Iterable[ComponentInstance], caller: ComponentInstance | None, function: str = ""
) -> NoReturn:
    """Raise the error for a call into instances of which one may not be entered, of the function of that name.

    UnavailableError where the guest is closed, PoisonedError after a trap, Trap where it is called by what it calls
    itself, ConflictError while a call by a task is in it, and else ThreadError: another thread is, or was until now,
    which may be the guest's of another task.
    """
    now = [(i, i.may_enter, i.poison) for i in instances]  # each looked at once: other threads go on meanwhile
    barred = [(i, may_enter) for i, may_enter, _ in now if not may_enter]
    causes = [poison or "KeyboardInterrupt" for _, may_enter, poison in now if _has_ended(may_enter, poison)]
    if CLOSED in causes:
        raise UnavailableError("the guest is closed", hint="instantiate the component again")
    if causes:
        _refuse_ended(causes[0], caller, function)
    if _entries([i for i, _ in barred]) > 1:
        refuse_reentry()
    if any(may_enter is AWAITED for _, may_enter in barred):
        refuse_waiting()
    raise ThreadError("cannot enter component instance: another thread or task is in the guest", hint=_SHARE)


def _has_ended(may_enter: object, poison: str | None) -> bool:
    """Whether no call may enter any more; what ended it may not have come to say so."""
    return may_enter is BARRED or (poison is not None and not may_enter)


def is_left_by_collector(instances: Sequence[ComponentInstance]) -> bool:
    """Whether they may be entered once destructors have ended that the garbage collector runs in another thread now.

    The collector comes whenever it wants, and so past every lock that guards the guest. Those who hold it wait, but not
    for ever: a destructor may wait for them in turn, by a function of the host.
    """
    collecting = instances[-1].deferred.collecting
    until = time.monotonic() + (COLLECTOR_S_OF_LOOPS if in_event_loop() else COLLECTOR_S)
    while any(number != here.number for number in [*collecting]) and time.monotonic() < until:
        time.sleep(0.0001)
        if all(i.may_enter for i in instances):
            return True
    return all(i.may_enter for i in instances)


def check_look(instances: list[ComponentInstance]) -> None:
    """Refuse a look into the store of a guest of which an instance may not be entered, unless by what the guest itself
    has called, or beside a call by a task. Raises what `refuse_entry` does."""
    if all(i.poison is None and (i.may_enter is not False or _entries([i]) > 1) for i in instances):
        return
    refuse_entry(instances, None)


def _refuse_ended(cause: str, caller: ComponentInstance | None, function: str) -> NoReturn:
    message = f"cannot enter component instance: an earlier call ended it: {cause}"
    if caller is None:
        raise PoisonedError(message, hint="instantiate the component anew")
    raise Trap(message + f" (the guest that has {function!r})" * (function != ""), code="cannot enter")


def refuse_reentry() -> NoReturn:
    """Raise the error for a call into a guest by what the guest itself calls."""
    raise Trap("cannot enter component instance: what it has called calls it", code="cannot enter")


def refuse_waiting() -> NoReturn:
    """Raise the error for a call into a guest in which a call of another task waits."""
    raise ConflictError(
        "cannot enter component instance: a call into the guest is waiting",
        hint="await that call first, or use another instance",
    )


def _entries(instances: list[ComponentInstance]) -> int:
    """How many functions on this stack enter one of those, with the one that is being refused."""
    entries = 0
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        entries += _enters(frame, instances)
        frame = frame.f_back
    return entries


def _enters(frame: FrameType, instances: Collection[ComponentInstance]) -> bool:
    code = frame.f_code
    if not code.co_filename.startswith(_OURS):
        return False
    names = (*code.co_freevars, *code.co_varnames)
    name = aside(ENTERING) if aside(ENTERING) in names else ENTERING
    return name in names and any(i in instances for i in frame.f_locals.get(name, ()))


def is_below(code: CodeType, frame: FrameType | None, instances: Collection[ComponentInstance]) -> bool:
    """Whether a function of that code called what is in `frame`, and has been called itself since any of the instances
    was last entered."""
    while frame is not None and not _enters(frame, instances):
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False
