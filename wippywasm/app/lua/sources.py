"""What goes on outside while a Lua program waits: calls it started, and timers.

In: coroutines, delays. Out: events, each for a fiber of the program (its number) or for a source (its number, negated),
in the order in which they came. Nothing here outlives the call of the program that started it. Spec: SPEC section 11.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.errors import RateLimitedError

MAX_SOURCES = 10_000

Answer: TypeAlias = Callable[[], tuple[Any, ...]]
"""Makes what an event has to say, when the program is about to run."""


class Events:
    """What the program has not been told yet."""

    def __init__(self) -> None:
        self._queue: deque[tuple[int, Answer]] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def push(self, target: int, answer: Answer) -> None:
        self._queue.append((target, answer))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def take(self) -> tuple[tuple[int, Answer], ...]:
        """All there are; they are gone then."""
        taken = tuple(self._queue)
        self._queue.clear()
        return taken

    async def wait(self) -> None:
        """Until there is an event."""
        if not self._queue:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def clear(self) -> None:
        self._queue.clear()


@dataclass
class Timer:
    """A timer of the event loop; `period` (seconds) is that of a ticker, whose next tick waits for the last one."""

    handle: asyncio.TimerHandle
    due: float
    period: float | None


class Sources:
    """The calls and timers of one call of a program, by number; a number is never used twice."""

    def __init__(self) -> None:
        self.events = Events()
        self._tasks: dict[int, asyncio.Task[Any]] = {}
        self._timers: dict[int, Timer] = {}
        self._fibers: set[asyncio.Task[Any]] = set()
        self._count = 0

    def run(self, fiber: int, work: Coroutine[Any, Any, Any], answer: Callable[[asyncio.Task[Any]], Answer]) -> None:
        """Do what one fiber waits for, while others go on."""
        task = asyncio.ensure_future(work)
        self._fibers.add(task)
        task.add_done_callback(lambda done: self._ran(fiber, done, answer(done)))

    def _ran(self, fiber: int, task: asyncio.Task[Any], answer: Answer) -> None:
        _look_at(task)
        if task in self._fibers:
            self._fibers.discard(task)
            self.events.push(fiber, answer)

    def start(self, work: Callable[[], Coroutine[Any, Any, Any]], answer: Callable[[asyncio.Task[Any]], Answer]) -> int:
        """Run a call beside the program; raises RateLimitedError where too much is pending."""
        number = self._number()
        task = self._tasks[number] = asyncio.ensure_future(work())
        task.add_done_callback(lambda done: self._finished(number, done, answer(done)))
        return number

    def _finished(self, number: int, task: asyncio.Task[Any], answer: Answer) -> None:
        _look_at(task)
        if self._tasks.pop(number, None) is not None:
            self.events.push(-number, answer)

    def cancel(self, number: int) -> None:
        """Cancel a call; harmless where it is over."""
        if number in self._tasks:
            self._tasks[number].cancel()

    def start_timer(self, delay: float, period: float | None, answer: Answer) -> int:
        """Fire after `delay` seconds, and then every `period` seconds where there is one."""
        number = self._number()
        self._arm(number, asyncio.get_running_loop().time() + delay, period, answer)
        return number

    def _arm(self, number: int, due: float, period: float | None, answer: Answer) -> None:
        handle = asyncio.get_running_loop().call_at(due, self._fire, number, answer)
        self._timers[number] = Timer(handle, due, period)

    def _fire(self, number: int, answer: Answer) -> None:
        timer = self._timers[number]
        if timer.period is None:
            del self._timers[number]
        self.events.push(-number, lambda: self._fired(number, answer))

    def _fired(self, number: int, answer: Answer) -> tuple[Any, ...]:
        """The program hears of it now, so the next tick may come: the first that is not over yet."""
        timer = self._timers.get(number)
        if timer is not None and timer.period is not None:
            late = asyncio.get_running_loop().time() - timer.due
            self._arm(number, timer.due + timer.period * (late // timer.period + 1), timer.period, answer)
        return answer()

    def stop_timer(self, number: int) -> bool:
        """Whether it was still to fire."""
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer.handle.cancel()
        return timer is not None

    def wake_later(self, fiber: int, delay: float, answer: Answer) -> None:
        """An event for one fiber after `delay` seconds."""
        self._count += 1
        number = self._count
        due = asyncio.get_running_loop().time() + delay
        handle = asyncio.get_running_loop().call_at(due, self._wake, number, fiber, answer)
        self._timers[number] = Timer(handle, due, None)

    def _wake(self, number: int, fiber: int, answer: Answer) -> None:
        del self._timers[number]
        self.events.push(fiber, answer)

    def _number(self) -> int:
        if len(self._tasks) + len(self._timers) >= MAX_SOURCES:
            raise RateLimitedError(f"more than {MAX_SOURCES} calls and timers are pending; wait for some first")
        self._count += 1
        return self._count

    async def close(self) -> None:
        """Cancel what still runs, and wait until it has ended."""
        for timer in self._timers.values():
            timer.handle.cancel()
        tasks = [*self._tasks.values(), *self._fibers]
        self._timers, self._tasks, self._fibers = {}, {}, set()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
        self.events.clear()


def _look_at(task: asyncio.Task[Any]) -> None:
    """An error that the program does not ask for is no mishap of the event loop."""
    if not task.cancelled():
        task.exception()
