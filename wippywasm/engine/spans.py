"""The time that calls into the guests of one store have: a call's own, whatever other calls begin and end meanwhile.

In: calls that begin and end. Out: when the one that runs here is to end, which its context tells (see `calling`),
whatever thread it goes to. A call within another has the time of both, and leaves the other's as it was. One of another
thread, which is going to be refused, is no business of the one that runs. A host function that calls guests has the
time of the one that called it, and no more.

Spec: SPEC section 6 (`max_execution_ms`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from threading import get_ident
from typing import TYPE_CHECKING, Any

from wippywasm.calling import Call, around, current, current_task
from wippywasm.engine.recursion import host_states
from wippywasm.errors import CanceledError, TimedOutError, UnsupportedFeatureError

if TYPE_CHECKING:
    from wippywasm.engine.port import TimedStore

HELD_SECONDS = 5.0
"""How long a guest may hold an event loop that a host function calls for a task, where no time is set for either."""


class Span(Call):
    """One call of a store."""

    __slots__ = ("ends_at", "thread")

    def __init__(self, outer: Call | None, timeout: BaseException | None, seconds: float) -> None:
        self.outer = outer  # each as the base class does, which would take longer
        self.timeout = timeout
        self.error = None
        self.is_over = self._is_counted = False
        self.thread = get_ident()
        self.deadline = self.ends_at = None if timeout is None else time.monotonic() + seconds
        """The earliest moment, as it seems at the beginning."""
        if outer is not None:
            end = self.until()
            self.ends_at = None if end is None else end[0]


def new_span(timeout: BaseException | None = None, seconds: float = 0) -> Span:
    """A call with so much time, or with none of its own where `timeout` is None, which has not begun."""
    return Span(around(), timeout, seconds)


class Held(Call):
    """A plain call by a host function that holds the event loop of `waiting`, a task: ends when that is cancelled."""

    __slots__ = ("_waiting",)

    def __init__(self, outer: Call | None, waiting: Any) -> None:
        is_bounded = outer is not None and outer.until() is not None
        super().__init__(outer, None if is_bounded else held_too_long(), HELD_SECONDS)
        self._waiting = waiting

    def look(self) -> None:
        super().look()
        if getattr(self._waiting, "_must_cancel", False):  # which the loop would do next
            self.end(CanceledError("the task that called the guest was ended"))

    def __enter__(self) -> Call:
        error = self.ended()
        if error is not None:
            raise error
        return super().__enter__()


class Spans:
    """The calls of one store that are under way. `earliest` is when the first of them is out of time, if any is;
    `are_bounded` says whether any is that may be, or ends with another call.
    """

    __slots__ = ("_has_outer", "_lock", "are_bounded", "calls", "earliest")

    def __init__(self) -> None:
        self.calls: tuple[Span, ...] = ()
        self._lock = threading.RLock()  # a collection may run destructors, which are calls, wherever this allocates
        self.earliest: float | None = None
        self._has_outer = False
        self.are_bounded = False

    def __bool__(self) -> bool:
        return bool(self.calls)

    def begin(self, span: Span) -> None:
        """A call begins. Where Ctrl-C comes, `end` has to be called."""
        with self._lock:
            self._keep((*self.calls, span))
        span.enter()

    def end(self, span: Span) -> None:
        """The other end of `begin`; may be called again."""
        span.leave()
        with self._lock:
            self._keep(tuple([s for s in self.calls if not s.is_over]))

    def _keep(self, spans: tuple[Span, ...]) -> None:
        self.calls = spans
        self.earliest = None
        self._has_outer = self.are_bounded = False
        for span in spans:
            self._has_outer |= span.outer is not None
            end = span.ends_at
            if end is not None and (self.earliest is None or end < self.earliest):
                self.earliest = end
        self.are_bounded = self._has_outer or self.earliest is not None

    def _around(self) -> Span | None:
        call = current.get()
        while call is not None:
            for span in self.calls:
                if span is call:
                    return span
            call = call.outer
        return None

    def current(self) -> Span | None:
        """The innermost call that this runs in; where its context does not tell, the last of this thread.

        What runs may be none of them: one without a time, beside which a call of another thread is being refused.
        """
        spans = self.calls
        if len(spans) == 1 and spans[0].thread == get_ident():
            return spans[0]
        return self._around() or next((s for s in reversed(spans) if s.thread == get_ident()), None)

    def time_left(self) -> tuple[float, BaseException] | None:
        """Seconds until the current call's timeout, and the timeout, where there is one."""
        span = self.current()
        end = None if span is None else span.until()
        return None if end is None else (end[0] - time.monotonic(), end[1])

    def overdue(self) -> BaseException | None:
        """What the current call is to end with, where its time is up, or that of a call around it."""
        if not self._has_outer and (self.earliest is None or time.monotonic() < self.earliest):
            return None
        span = self.current()
        return None if span is None else span.ended()


def bounded(store: TimedStore, function: Callable[..., Any], *args: Any) -> Any:
    """Call the function, which runs the store's guest, for what may be a host function: it ends with that one's guest.

    Where an event loop stands still meanwhile, and nothing else bounds the guest, it has `HELD_SECONDS`. Raises
    UnsupportedFeatureError where that is over some time, and the store's guest can't be ended then.
    """
    outer = around()
    if outer is not None and outer.store is store:
        return function(*args)
    is_held = _is_held(outer)
    if outer is None and not is_held:
        return function(*args)
    if not store.can_end:
        if outer is not None and outer.until() is not None:
            raise unbounded(store.engine.name)
        return function(*args)
    with Held(outer, current_task()) if is_held else nullcontext():
        return in_span(store, new_span(), function, *args)


def in_span(store: TimedStore, span: Span, function: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
    """Call the function while the clock runs."""
    try:
        store.start_clock(span)
        return function(*args, **named)
    finally:
        try:  # right here, and again where Ctrl-C comes: a function of its own is what that would strike
            store.stop_clock(span)
        except BaseException:
            store.stop_clock(span)
            raise


def _is_held(outer: Call | None) -> bool:
    """Whether an event loop stands still for a guest that is called here, by a host function."""
    if outer is not None and outer.holds:
        return True
    return current_task() is not None and (outer is not None or any(getattr(s, "on_fiber", 0) for s in host_states()))


def held_too_long() -> TimedOutError:
    """The error for a guest that has held an event loop for as long as it may."""
    return TimedOutError(
        f"the guest held the event loop for more than {HELD_SECONDS:g} s: a host function of a task's guest called it",
        hint="call it by call_async in an async host function, or instantiate it with Limits(max_execution_ms=…)",
        details={"budget": "held", "seconds": HELD_SECONDS},
    )


def unbounded(engine: str) -> UnsupportedFeatureError:
    """The error for a call from a guest that has so much time to one that can't be ended."""
    return UnsupportedFeatureError(
        "bounding a guest that was made without limits by the max_execution_ms of the one that calls it",
        engine,
        hint="instantiate the called guest with limits, too, such as Limits(max_execution_ms=10_000)",
    )
