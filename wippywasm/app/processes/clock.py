"""Time, as processes and their supervisors see it: a protocol, so that tests need not wait.

In: delays in seconds. Out: the event loop's own time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that is still to happen."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """A clock that never goes back, in seconds."""

    def now(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...
    def later(self, seconds: float, action: Callable[[], None]) -> Timer: ...


class LoopClock:
    """The clock of the running event loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, action)
