"""Calls from one guest into another, of another store: what bounds the caller bounds what it calls.

In: a core function that leads into another guest, the frames of both. Out: the same, which runs with the caller's time,
or with the callee's own budget where that is less; and who ends the caller's call finds who runs. Destructors lead
into the guest that has the resource, too.

Spec: SPEC section 6 (`max_execution_ms`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from wippywasm.calling import current, here, under_way
from wippywasm.dataclass import dataclass
from wippywasm.engine.port import TimedStore
from wippywasm.engine.spans import new_span, unbounded
from wippywasm.instance.budget import OF_A_DESTRUCTOR, in_calls, out_of_time
from wippywasm.threads import in_event_loop

if TYPE_CHECKING:
    from wippywasm.instance.frame import Frame
    from wippywasm.plan.items import CoreRef


DESTRUCTOR_MS = 1000
"""For a destructor that the host runs where tasks call guests: nobody awaits it, and an event loop may stand still."""


def within_time_of(caller: Frame, callee: Frame, core: Callable[..., Any]) -> Callable[..., Any]:
    """The core function, while which the callee's guest can be ended as the caller's can."""
    outer, inner = caller.timed_store, callee.timed_store
    if outer is None or inner is None or callee is caller:
        return core
    if callee.is_apart:
        return _known(caller, outer, callee, core)

    def call(*args: Any) -> Any:
        is_unbounded = callee.budget_ms is None and not outer.is_timed and not _has_thread(caller)
        if is_unbounded or not callee.components[0].may_enter:  # it is refused, and has no time where others run
            return core(*args)
        if not inner.can_end and outer.time_left() is not None:
            raise unbounded(callee.store.engine.name)
        seconds, timeout = _less(outer, callee.budget_ms)
        span, before = new_span(timeout, seconds), caller.callee
        try:
            inner.start_clock(span)
            caller.callee = callee
            outer.check_clock()  # who has ended it before could not know the callee
            return core(*args)
        finally:
            try:  # as `in_span` does
                caller.callee = before
                inner.stop_clock(span)
            except BaseException:
                inner.stop_clock(span)
                raise

    return call


def _known(caller: Frame, outer: TimedStore, callee: Frame, core: Callable[..., Any]) -> Callable[..., Any]:
    """The function, while which who ends the caller finds the callee.

    That runs for others before, in its own thread: it is there that it has the caller's time.
    """

    def call(*args: Any) -> Any:
        before, caller.callee = caller.callee, callee
        try:
            outer.check_clock()  # who has ended it before could not know the callee
            return core(*args)
        finally:
            caller.callee = before

    return call


def _has_thread(frame: Frame) -> bool:
    """Whether its guest is in a thread beside that of a task, whose end has to reach what the guest calls, too."""
    return frame.thread is not None or frame.components[0].send is not None  # `is_apart`, without another call


def _less(outer: TimedStore, budget_ms: int | None) -> tuple[float, BaseException | None]:
    """Seconds and timeout for a call: what the caller has left, or the callee's own budget."""
    left = outer.time_left()
    if budget_ms is not None and (left is None or budget_ms / 1000 < left[0]):
        return budget_ms / 1000, out_of_time(budget_ms)
    return (0, None) if left is None else left


def _is_late() -> bool:
    """Whether the call has ended that this is within: what is left over has to go nevertheless."""
    outer = here()
    return outer is not None and outer.ended() is not None


def _alone(function: Callable[[int], object], rep: int) -> None:
    """Call it as if it were within no other call; to be run in a context of its own."""
    current.set(None)
    function(rep)


@dataclass(frozen=True)
class Destructor:
    """The destructor of a resource that a frame's guest has, an instance's core function."""

    frame: Frame
    core: CoreRef
    instance: int

    def __call__(self, rep: int) -> None:
        """Within the budget of the call that drops a resource; the host's own dropping is a call, too."""
        call, frame = self.frame.nested(self.core, self.instance).call, self.frame
        store = frame.timed_store
        if store is None or store.is_timed or frame.parking.on_fiber:
            call(rep)
        elif under_way and _is_late():
            copy_context().run(_alone, in_calls(call, store, DESTRUCTOR_MS, OF_A_DESTRUCTOR), rep)
        elif frame.budget_ms is not None or not (in_event_loop() or frame.is_apart):
            frame.limited(call)(rep)
        else:
            in_calls(call, store, DESTRUCTOR_MS, OF_A_DESTRUCTOR)(rep)
