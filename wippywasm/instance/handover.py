"""What a thread gives to a task, one thing at a time.

In: things, in the thread. Out: each of them, to the task that waits. Waking an event loop takes more than twice as long
as waking a thread, and most guests are back sooner. So a task first waits for a moment by holding its thread; where
that was in vain, no task tries it for a while, so that guests who compute take no more of the event loop than a part.

Spec: SPEC section 8.
"""

from __future__ import annotations

import time
from _thread import LockType, allocate_lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

PATIENCE = 0.001
"""Seconds that a task holds its thread for."""
PAUSE = 0.02
"""Seconds in which no task does, after one has in vain."""


class _Patience:
    """Whether tasks have any: not before the moment `until`."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = 0.0

    def acquire(self, signal: LockType) -> bool:
        """Wait for a lock for a moment; whether it came."""
        if time.monotonic() < self.until:
            return False
        if signal.acquire(timeout=PATIENCE):
            return True
        self.until = time.monotonic() + PAUSE
        return False


_patience = _Patience()


class Handover(Generic[T]):
    """`give` is the thread's, `take` the task's. What was given is taken before more is given."""

    __slots__ = ("_given", "_loop", "_signal", "_turn")

    def __init__(self, loop: asyncio.AbstractEventLoop, nothing: T) -> None:
        self._loop = loop
        self._signal = allocate_lock()
        self._signal.acquire()
        self._turn: asyncio.Future[None] | None = None
        self._given = nothing

    def give(self, thing: T) -> bool:
        """Let the task go on; False where its event loop is gone."""
        self._given = thing
        self._signal.release()
        # The task sets its turn, then looks at the signal; so it misses neither.
        if self._turn is None:
            return not self._loop.is_closed()
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            return False
        return True

    def _wake(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    async def take(self) -> T:
        """What the thread gives next."""
        if _patience.acquire(self._signal):
            return self._given
        while True:
            self._turn = self._loop.create_future()
            if self._signal.acquire(blocking=False):
                break
            await self._turn  # perhaps for something that was taken without
        self._turn = None
        return self._given
