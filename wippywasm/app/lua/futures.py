"""Calls that a Lua program started and has not waited for yet.

In: coroutines of host calls. Out: numbers for them, and their results. None outlives the call that started it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from wippywasm.errors import CanceledError, RateLimitedError

MAX_FUTURES = 10_000


class Futures:
    """The tasks of one call, by number."""

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[Any]] = {}
        self._count = 0

    def start(self, call: Callable[[], Coroutine[Any, Any, Any]]) -> int:
        """Run a call beside the program; raises RateLimitedError where too many run."""
        if len(self._tasks) >= MAX_FUTURES:
            raise RateLimitedError(f"more than {MAX_FUTURES} calls of funcs.async are pending; await some first")
        self._count += 1
        self._tasks[self._count] = asyncio.ensure_future(call())
        return self._count

    async def wait(self, number: int) -> Any:
        """What a call gave; raises what it raised, CanceledError where it was cancelled."""
        task = self._task(number)
        await asyncio.wait([task])
        del self._tasks[number]
        if task.cancelled():
            raise CanceledError("the call was cancelled")
        return task.result()

    def is_done(self, number: int) -> bool:
        return self._task(number).done()

    def cancel(self, number: int) -> None:
        self._task(number).cancel()

    def _task(self, number: int) -> asyncio.Task[Any]:
        if number not in self._tasks:
            raise CanceledError("the call that started this future is over, and the future with it")
        return self._tasks[number]

    async def close(self) -> None:
        """Cancel what still runs, and wait until it has ended."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
