"""What a guest can wait for, over asyncio.

In: anything with `is_ready()` and `async ready()`, such as moments of a clock. Out: waiting for one or the first of
several, and work that goes on beside the guest.

Nothing here keeps an event loop: a guest may be called on one loop now and on another later.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

from wippywasm.instance.waiting import waits
from wippywasm.wasi.clock_sources import Clock


class Waitable(Protocol):
    """Something that becomes ready: `ready` may return too early, so callers ask `is_ready` again; neither raises."""

    def is_ready(self) -> bool: ...
    async def ready(self) -> None: ...


class Timer:
    """Ready at an instant of a clock."""

    def __init__(self, clock: Clock, instant: int) -> None:
        self.clock = clock
        self.instant = instant

    def is_ready(self) -> bool:
        return self.clock.monotonic() >= self.instant

    async def ready(self) -> None:
        await self.clock.sleep_until(self.instant)


async def settled(value: Any) -> Any:
    """The value, waited for if it has to be."""
    return await value if waits(value) else value


async def wait_any(waitables: Iterable[Waitable]) -> None:
    """Until one of them may be ready."""
    needed = _needed(waitables)
    if len(needed) == 1:
        await needed[0].ready()
        return
    tasks = [asyncio.ensure_future(w.ready()) for w in needed]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _cancel(tasks)


def _needed(waitables: Iterable[Waitable]) -> list[Waitable]:
    """Those that have to be waited for: each once, and of all timers on one clock the one that ends first."""
    others: dict[int, Waitable] = {}
    timers: dict[int, Timer] = {}
    for one in waitables:
        if isinstance(one, Timer):
            first = timers.setdefault(id(one.clock), one)
            timers[id(one.clock)] = one if one.instant < first.instant else first
        else:
            others[id(one)] = one
    return [*others.values(), *timers.values()]


async def _cancel(tasks: Sequence[asyncio.Future[None]]) -> None:
    left = [t for t in tasks if not t.done()]
    for task in left:
        task.cancel()
    if left:
        await asyncio.gather(*left, return_exceptions=True)


class Background:
    """Work that goes on beside the guest: `end` gets its outcome, `(value, None)` or `(None, error)`, once.

    It starts as soon as an event loop runs. If that loop is closed first, the outcome is a `CancelledError`.
    """

    def __init__(self, work: Awaitable[Any], end: Callable[[Any, BaseException | None], None]) -> None:
        self._work = work
        self._end = end
        self._task: asyncio.Task[None] | None = None
        self.start()

    def start(self) -> None:
        """Start it, if it has not been and can be."""
        if self._task is None and _loop_runs():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def wait(self) -> None:
        """Until it has ended; it goes on where the waiting is cancelled."""
        self.start()
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    def cancel(self) -> None:
        """End it early."""
        if self._task is not None:
            if not self._task.get_loop().is_closed():
                self._task.cancel()
        elif asyncio.iscoroutine(self._work):
            self._work.close()

    async def _run(self) -> None:
        try:
            value = await self._work
        except asyncio.CancelledError as error:
            self._end(None, error)
            raise
        except Exception as error:  # noqa: BLE001  whatever the host's own code raised, the guest gets as a failure
            self._end(None, error)
        else:
            self._end(value, None)


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class FileReady:
    """A file descriptor to read from, or to write to. What is not a pipe, terminal or socket is always ready."""

    def __init__(self, fd: int, event: int) -> None:
        self._fd = fd
        self._event = event

    @classmethod
    def to_read(cls, fd: int) -> FileReady:
        return cls(fd, select.POLLIN)

    @classmethod
    def to_write(cls, fd: int) -> FileReady:
        return cls(fd, select.POLLOUT)

    def is_ready(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, self._event)
        return bool(poll.poll(0))

    async def ready(self) -> None:
        if self.is_ready():
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        # A loop has one callback for each descriptor; a duplicate is one that nobody else waits with.
        fd = os.dup(self._fd)
        watch, unwatch = (
            (loop.add_reader, loop.remove_reader)
            if self._event == select.POLLIN
            else (loop.add_writer, loop.remove_writer)
        )
        try:
            watch(fd, _set, future)
            await future
        except PermissionError:
            return  # a kind of file that can't be waited for
        finally:
            unwatch(fd)
            os.close(fd)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
