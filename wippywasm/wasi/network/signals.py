"""Waking up whoever waits for something that happens in Python, on whatever event loop they wait.

In: `set()`, from any thread. Out: waiters go on.
"""

from __future__ import annotations

import asyncio
import threading


class Signal:
    """`next` is for what happens from now on: nothing is missed between looking and waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: list[asyncio.Future[None]] = []
        self.count = 0

    def next(self) -> Change:
        """The first `set` from now on."""
        return Change(self)

    def set(self) -> None:
        """Wake up all who wait now."""
        with self._lock:
            self.count += 1
            waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            loop = waiter.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_end, waiter)

    async def wait_after(self, count: int) -> None:
        """Until it has been set more often than that."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self.count != count:
                return
            self._waiters.append(waiter)
        try:
            await waiter
        finally:
            with self._lock:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)


class Change:
    """Ready once a signal was set after this was made."""

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._seen = signal.count

    def is_ready(self) -> bool:
        return self._signal.count != self._seen

    async def ready(self) -> None:
        await self._signal.wait_after(self._seen)


def _end(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def loop_runs() -> bool:
    """Whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
