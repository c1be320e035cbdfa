"""The threads in which the steps of a program are executed, so that no event loop waits for them.

In: steps. Out: their results, awaited. Spec: SPEC sections 8, 9 and 11.

Lua lets go of the interpreter while it computes. A step is interrupted where its caller is cancelled: the sandbox looks
at a flag now and then, and can't be used any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Event
from typing import Protocol, TypeVar

from wippywasm.instance.guest_thread import take_thread

T = TypeVar("T")


class Steps(Protocol):
    """Executes the steps of one worker."""

    @property
    def interrupted(self) -> Callable[[], bool]:
        """Whether a step is, or was, to be interrupted; the sandbox asks while it computes."""
        ...

    async def run(self, step: Callable[[], T]) -> T:
        """Execute one step; raises what it raises."""
        ...


class StepsBeside:
    """Each in a thread that is idle, or in a new one: whoever computes for long, no other waits for a thread."""

    def __init__(self) -> None:
        self._flag = Event()
        self.interrupted: Callable[[], bool] = self._flag.is_set

    async def run(self, step: Callable[[], T]) -> T:
        """A caller that is cancelled waits until the step has ended, which it does soon."""
        thread = take_thread()
        try:
            result: T = await thread.run(step, self._interrupt)
        except BaseException:
            thread.release()
            raise
        thread.keep()
        return result

    def _interrupt(self, error: BaseException) -> None:
        self._flag.set()


class StepsInThreads:
    """On the threads of an executor, one step of a worker at a time."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._flag = Event()
        self.interrupted: Callable[[], bool] = self._flag.is_set

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
