"""The time that calls into the guests of one store have: a call's own, whatever other calls begin and end meanwhile.

In: calls that begin and end, each in the thread that runs the guest for it. Out: when the one that runs here is to end.
A call within another has the time of both, and leaves the other's as it was. One of another thread, which is going to
be refused, is no business of the one that runs. A host function that calls guests has the time of the one that called
it, and no more.

Spec: SPEC section 6 (`max_execution_ms`).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any

from wippywasm.errors import UnsupportedFeatureError

if TYPE_CHECKING:
    from wippywasm.engine.port import TimedStore

calling_out: dict[int, Spans] = {}
"""Threads in which a host function runs for a guest that has so much time: its store's calls."""

CALLED_OUT = ("if outer is None: del calling_out[me]", "else: calling_out[me] = outer")
"""Lines of a host function's entry, which has noted that in `calling_out`: the other end of it."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=calling_out.clear)


class Span:
    """One call: until when (of `time.monotonic`), and what it ends with then; None where it may only be interrupted."""

    __slots__ = ("deadline", "ident", "timeout")

    def __init__(self, deadline: float | None, timeout: BaseException | None) -> None:
        self.deadline = deadline
        self.timeout = timeout
        self.ident = get_ident()


class Spans:
    """The calls of one store that are under way. `earliest` is when the first of them is out of time, if any is.

    Where the store `is_bound` to a thread, calls of others wait for that one to make them, and are outer ones, too.
    """

    __slots__ = ("_is_bound", "_lock", "calls", "earliest")

    def __init__(self, is_bound: bool = False) -> None:
        self._is_bound = is_bound
        self.calls: tuple[Span, ...] = ()
        self._lock = threading.RLock()  # a collection may run destructors, which are calls, wherever this allocates
        self.earliest: float | None = None

    def __bool__(self) -> bool:
        return bool(self.calls)

    def begin(self, timeout: BaseException | None, seconds: float) -> Span:
        """A call with so much time, or with none of its own where `timeout` is None."""
        span = Span(None if timeout is None else time.monotonic() + seconds, timeout)
        outer = self.current() if self._is_bound else self._here()
        if outer is None and span.ident in calling_out:
            outer = calling_out[span.ident].current()
        until = None if outer is None else outer.deadline
        if outer is not None and until is not None and (span.deadline is None or until < span.deadline):
            span.deadline, span.timeout = until, outer.timeout
        with self._lock:
            self._keep((*self.calls, span))
        return span

    def end(self, span: Span) -> None:
        """The other end of `begin`."""
        with self._lock:
            self._keep(tuple([s for s in self.calls if s is not span]))

    def _keep(self, spans: tuple[Span, ...]) -> None:
        self.calls = spans
        self.earliest = min([s.deadline for s in spans if s.deadline is not None], default=None)

    def _here(self) -> Span | None:
        me = get_ident()
        return next((s for s in reversed(self.calls) if s.ident == me), None)

    def current(self) -> Span | None:
        """The innermost call of this thread; where another thread works for the call, as a reading's does, the last."""
        spans = self.calls
        return self._here() or (spans[-1] if spans else None)

    def time_left(self) -> tuple[float, BaseException] | None:
        """Seconds until the current call's timeout, and the timeout, where there is one."""
        span = self.current()
        if span is None or span.deadline is None or span.timeout is None:
            return None
        return span.deadline - time.monotonic(), span.timeout

    def overdue(self) -> BaseException | None:
        """What the current call is to end with, where its time is up."""
        earliest = self.earliest
        if earliest is None or time.monotonic() < earliest:
            return None
        left = self.time_left()
        return left[1] if left is not None and left[0] <= 0 else None


def bounded(store: TimedStore, function: Callable[..., Any], *args: Any) -> Any:
    """Call the function, which runs the store's guest, for a host function: in the time of the guest that called that.

    Raises UnsupportedFeatureError where that is over some time, and the store's guest can't be ended then.
    """
    if not store.can_end and calling_out[get_ident()].time_left() is not None:
        raise unbounded(store.engine.name)
    span = store.start_clock()
    try:
        return function(*args)
    finally:
        store.stop_clock(span)


def unbounded(engine: str) -> UnsupportedFeatureError:
    """The error for a call from a guest that has so much time to one that can't be ended."""
    return UnsupportedFeatureError(
        "bounding a guest that was made without limits by the max_execution_ms of the one that calls it",
        engine,
        hint="instantiate the called guest with limits, too, such as Limits(max_execution_ms=10_000)",
    )


@contextmanager
def for_thread(ident: int) -> Iterator[None]:
    """Where this thread works for another one, which waits: what bounds that one bounds this."""
    spans = calling_out.get(ident)
    if spans is None:
        yield
        return
    me = get_ident()
    before = calling_out.get(me)
    calling_out[me] = spans
    try:
        yield
    finally:
        if before is None:
            del calling_out[me]
        else:
            calling_out[me] = before
