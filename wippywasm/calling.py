"""Calls of guests that are under way, and what is called within them: that ends when they do.

In: calls that begin and end, with their time. Out: for what runs in the context of one, the error to end with. Contexts
(of `contextvars`) go where the work for a call goes: along the stack, through `await`, and into `asyncio.to_thread`.

A task that a host function makes has the context, too, and may work for others long after: it is not refused anything.

Spec: SPEC section 6 (`max_execution_ms`), section 8.
"""

from __future__ import annotations

import sys
import threading
import time
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wippywasm.errors import CanceledError

if TYPE_CHECKING:
    import asyncio

under_way: list[None] = []
"""As many as calls are under way that others may run within, in any thread: nobody has to ask where it is empty."""

LATE_SECONDS = 5.0
"""How long after the end of a call the threads that were to work for it can't call guests."""


class Call:
    """A call that ends at the moment `deadline` (of `time.monotonic`), if any, with `timeout`, or with the `outer` one.

    `error` is what it has ended with before it was done, or is to end with now. `is_over` says that it is done.

    There are four kinds: `TaskCall`, which a task awaits; `WaitedFor`, for which its thread waits for another; and in
    `engine.spans` the plain ones, `Span`, which a store's guest runs for, and `Held`, which holds an event loop.
    """

    __slots__ = ("_before", "_is_counted", "_over_since", "deadline", "error", "is_over", "outer", "timeout")
    holds: bool = False
    """Whether an event loop waits for it, in whatever thread it is."""
    task: asyncio.Task[Any] | None = None
    """Whose call it is, where that awaits."""
    store: Any = None
    """What has its guest, where what ends that need not look here."""
    is_met: bool = False
    """Whether it is in time whenever its task goes on: its guest has returned in another thread."""
    is_canceled_again: bool = False
    """Whether its task was cancelled once more while its guest was being ended."""

    _before: Call | None
    """What ran here when this began."""

    def __init__(self, outer: Call | None, timeout: BaseException | None = None, seconds: float = 0) -> None:
        self.outer = outer
        self.deadline = None if timeout is None else time.monotonic() + seconds
        self.timeout = timeout
        self.error: BaseException | None = None
        self.is_over = self._is_counted = False

    def __enter__(self) -> Call:
        try:
            self.enter()
        except BaseException:  # Ctrl-C
            self.leave()
            raise
        return self

    def enter(self) -> None:
        """What runs here is within it from now on. Where Ctrl-C comes, whoever called this has to call `leave`."""
        self._before = current.get()
        count = under_way.append
        # Nothing may come between these two: see `abi.entry`.
        self._is_counted = True
        count(None)
        current.set(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ends_with(error)
        self.leave()

    def close(self) -> None:
        """It is done: what was begun within it, and goes on, has its own time."""
        self.is_over = True
        if self.error is not None:
            self._over_since = time.monotonic()
            _ask_until(self._over_since + LATE_SECONDS)

    def leave(self) -> None:
        """The same, and what runs here is not within it any more. Does nothing the second time."""
        self.close()
        pop = under_way.pop
        # Nothing may come between the test and what it guards: see `abi.entry`.
        if self._is_counted:
            self._is_counted = False
            pop()
        if self._is_around(current.get()):  # the garbage collector closes coroutines in whatever context
            current.set(self._before)
        self._before = None  # contexts may remember this one for long, and whatever follows it in them

    def _is_around(self, call: Call | None) -> bool:
        """Whether that is this, or was begun within it here and never left."""
        while call is not None and call is not self:
            call = call._before
        return call is self

    def ends_with(self, error: BaseException | None) -> None:
        """What comes out of it; where its task was ended, so is what runs within it."""
        if error is not None and not isinstance(error, Exception):
            self.end(CanceledError(f"the task that called the guest was ended: {str(error) or type(error).__name__}"))

    def end(self, error: BaseException) -> None:
        """End it, and what runs within it, with `error`, or with what ended the outer one, and so this one's task."""
        if self.error is None:
            self.error = (None if self.outer is None else self.outer.ended()) or error

    @property
    def is_left(self) -> bool:
        """Whether what runs here is not within it, which is over: this is no thread that may have been about to begin
        when it was ended."""
        is_late = self.error is not None and time.monotonic() - self._over_since < LATE_SECONDS
        return not is_late or current_task() is not None

    def ended(self) -> BaseException | None:
        """What it is to end with, if it is."""
        call: Call | None = self
        while call is not None:
            if call.error is None and not call.is_over:
                call.look()
            if call.error is not None:
                return call.error
            call = call.outer
        return None

    def look(self) -> None:
        """End it where it is out of time."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            self.error = self.timeout

    def until(self) -> tuple[float, BaseException] | None:
        """The moment at which it will be out of time, and its error then, where there is one."""
        found = None
        call: Call | None = self
        while call is not None:
            if call.deadline is not None and call.timeout is not None and not call.is_over:
                found = (call.deadline, call.timeout) if found is None or call.deadline < found[0] else found
            call = call.outer
        return found


class TaskCall(Call):
    """A call that the running task awaits, which says so to those within it."""

    __slots__ = ("is_canceled_again", "is_met", "store", "task")

    def __init__(self, timeout: BaseException | None = None, seconds: float = 0, store: Any = None) -> None:
        self.outer = here()  # each as the base class does, which would take longer
        self.timeout = timeout
        self.deadline = None if timeout is None else time.monotonic() + seconds
        self.error = None
        self.task = current_task()
        self.store = store
        self.is_over = self.is_met = self.is_canceled_again = self._is_counted = False

    def meet(self) -> None:
        """Its guest has returned, now."""
        self.is_met = self.deadline is None or time.monotonic() < self.deadline

    def look(self) -> None:
        if self.deadline is not None and not self.is_met:
            super().look()

    def leave(self) -> None:
        super().leave()
        self.task = self.store = None  # it may be remembered for long, in contexts


class WaitedFor(Call):
    """A call in another thread, for which this one waits, and its event loop, if it has one."""

    __slots__ = ("holds",)

    def __init__(self, outer: Call) -> None:
        super().__init__(outer)
        self.holds = current_task() is not None


current: ContextVar[Call | None] = ContextVar("call", default=None)
"""The call for which this runs; it may be over."""


_asking = threading.RLock()  # a collection may call guests
_asked_until: list[float] = []
"""A moment until which `under_way` counts one more, if there is one."""


def _ask_until(moment: float) -> None:
    with _asking:
        if not _asked_until:
            under_way.append(None)
        _asked_until[:] = [moment]


def _ask_no_more() -> None:
    with _asking:
        if _asked_until and time.monotonic() >= _asked_until[0]:
            _asked_until.clear()
            under_way.pop()


def around() -> Call | None:
    """The call that what runs here is within, whichever task of it this is."""
    if _asked_until:
        _ask_no_more()
    call = current.get()
    while call is not None and call.is_over and call.is_left:
        call = call.outer
    return call


def here() -> Call | None:
    """The same, unless this is another task, which may work for others as well."""
    call = by_task = around()
    while by_task is not None and by_task.task is None:
        by_task = by_task.outer
    if by_task is None:
        return call
    task = current_task()
    return call if task is None or task is by_task.task else None


def is_by_task(timeout: BaseException) -> bool:
    """Whether a task awaits a call that has this timeout, and sees to it, of those that what runs here is within."""
    call = around()
    while call is not None and (call.task is None or call.timeout is not timeout):
        call = call.outer
    return call is not None


def refuse_late() -> None:
    """Raise what the call has ended with that what runs here is within, if it has."""
    call = around()
    error = None if call is None else call.ended()
    if error is not None and here() is not None:
        raise error


def current_task() -> asyncio.Task[Any] | None:
    """The task that runs in this thread, if any."""
    loaded = sys.modules.get("asyncio")  # whose import takes longer than to run a guest
    loop = None if loaded is None else loaded._get_running_loop()
    if loaded is None or loop is None:
        return None
    task: asyncio.Task[Any] | None = loaded.current_task(loop)
    return task
