"""Where the steps of a program are executed: on the event loop's thread, or on others, so that nothing waits for them.

In: steps. Out: their results, awaited. Spec: SPEC sections 9 and 11.

Lua lets go of the interpreter while it computes. A step in a thread is interrupted where its caller is cancelled: the
sandbox looks at a flag now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Event
from typing import Protocol, TypeVar

T = TypeVar("T")


class Steps(Protocol):
    """Executes the steps of one worker."""

    @property
    def interrupted(self) -> Callable[[], bool] | None:
        """What the sandbox asks while it computes, where a step may be interrupted."""
        ...

    async def run(self, step: Callable[[], T]) -> T:
        """Execute one step; raises what it raises."""
        ...


class StepsHere:
    """On the thread of the event loop."""

    interrupted: Callable[[], bool] | None = None

    async def run(self, step: Callable[[], T]) -> T:
        return step()


class StepsInThreads:
    """On the threads of an executor, one step of a worker at a time."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._flag = Event()
        self.interrupted: Callable[[], bool] | None = self._flag.is_set

    async def run(self, step: Callable[[], T]) -> T:
        """A caller that is cancelled waits until the step has ended, which it does soon."""
        future = self._threads.submit(step)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._flag.set()
            await _ended(future)
            raise


async def _ended(future: Future[T]) -> None:
    """Wait for a step, whoever else may be cancelled meanwhile."""
    ending = asyncio.wrap_future(future)
    while not ending.done():
        try:
            await asyncio.wait([ending])
        except asyncio.CancelledError:
            continue
    if not ending.cancelled():
        ending.exception()
