"""What a thread gives to a task, one thing at a time.

In: things, in the thread. Out: each of them, to the task that waits. Waking an event loop takes more than twice as long
as waking a thread, and most guests are back sooner. So a task first waits for a moment by holding its thread; where
that was in vain, no task tries it for a while, so that guests who compute take no more of the event loop than a part.

Spec: SPEC section 8.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
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

    def wait(self, bell: threading.Lock) -> None:
        """Until the bell rings, for a moment.

        With the lock itself: a queue's `get` waits for ever, when a signal's handler took longer than was left.
        """
        if time.monotonic() >= self.until and not bell.acquire(timeout=PATIENCE):
            self.until = time.monotonic() + PAUSE


_patience = _Patience()


class Handover(Generic[T]):
    """`give` is the thread's, `take` the task's. What was given waits in line; whoever gets it has it alone."""

    __slots__ = ("_bell", "_given", "_loop", "_turn")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._given: deque[T] = deque()
        self._bell = threading.Lock()
        self._bell.acquire()
        self._turn: asyncio.Future[None] | None = None

    def give(self, thing: T) -> bool:
        """Let the task go on; False where its event loop is gone."""
        self._given.append(thing)
        # The task sets its turn, then looks at what was given; so it misses neither.
        if self._turn is None:
            with suppress(RuntimeError):  # rung already, for what was taken without
                self._bell.release()
            return not self._loop.is_closed()
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            return False
        return True

    def withdraw(self) -> Iterator[T]:
        """What the task has not taken, which it gets no more."""
        while True:
            try:
                yield self._given.popleft()
            except IndexError:
                return

    def _wake(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    async def take(self) -> T:
        """What the thread gives next."""
        given = self._given
        self._bell.acquire(blocking=False)  # it may still ring for what was taken without
        if not given:
            _patience.wait(self._bell)
        while True:
            # Nothing may come between these, such as Ctrl-C after a call, or the thread: see `abi.entry`.
            if given:
                thing = given[0]
                del given[0]
                self._turn = None
                return thing
            if self._turn is None or self._turn.done():  # perhaps for something that was taken without
                self._turn = self._loop.create_future()
            else:
                await self._turn
