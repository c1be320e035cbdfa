"""Who runs next on an event loop where guests spin: one slice for each round of the loop, however many guests spin.

In: guests that have used up a slice, and guests that want to start while such are waiting; instances that tasks are to
make. Out: their turns. Between two slices the loop does all else it has to do. Newcomers go first, since most need
little, and all that fit in a slice. Of many instances at once, as many are made in one round as a slice has room for.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio  # whose import takes longer than to run a guest: where an event loop runs, somebody has imported it

NEWCOMERS = 32
"""How many guests may start in one round, if none of them uses up a slice."""


SLICE_SECONDS = 0.005
"""How long a guest may have its event loop at a time."""


class _Thread(threading.local):
    """`is_alone` where an event loop runs nothing but one guest at a time, which need not be stopped as often."""

    is_alone = False


this_thread = _Thread()


class Held:
    """Whether one call has held its event loop for a slice, although it awaited something between: not all that is
    awaited lets the loop go on."""

    __slots__ = ("_loop", "_marked", "_since")

    def __init__(self, loop: asyncio.AbstractEventLoop, since: float | None = None) -> None:
        self._loop = loop
        self._since = time.monotonic() if since is None else since
        self._marked = False

    def check(self) -> bool:
        """Where that is so, who asks is to let the loop go on. It may take two slices to be found out."""
        now = time.monotonic()
        if now - self._since < SLICE_SECONDS:
            return False
        self._since = now
        if self._marked:
            return True
        self._loop.call_soon(self._moved)
        self._marked = True
        return False

    def _moved(self) -> None:
        self._marked = False


class Crowd:
    """How many guests wait for a turn, on all loops together: nobody has to ask while it is 0."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting = 0


crowd = Crowd()


class Turns:
    """The turns of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._new: deque[asyncio.Future[None]] = deque()
        self._tired: deque[asyncio.Future[None]] = deque()
        self._unmade: deque[asyncio.Future[None]] = deque()
        self._round: float | None = None
        """When the first instance of this round was begun."""
        self._is_taken = False
        self._is_scheduled = False

    async def start(self) -> None:
        """Wait until a guest may run that has not run in this round."""
        await self._wait(self._new)

    async def rest(self) -> None:
        """The guest has used up a slice: wait until it may have another."""
        self._is_taken = True
        await self._wait(self._tired)

    async def make(self) -> None:
        """Wait until an instance may be made, which takes a part of a slice."""
        import asyncio

        if not self._unmade and self._has_time():
            return
        turn = asyncio.get_running_loop().create_future()
        self._unmade.append(turn)
        self._schedule()
        await turn

    def _has_time(self) -> bool:
        now = time.monotonic()
        if self._round is None:
            self._round = now
            self._schedule()
        return now - self._round < SLICE_SECONDS

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        import asyncio

        crowd.waiting += 1
        try:
            while True:
                turn = asyncio.get_running_loop().create_future()
                queue.append(turn)
                self._schedule()
                await turn
                if not self._is_taken:
                    return
        finally:
            crowd.waiting -= 1

    def _schedule(self) -> None:
        loop = self._loop()
        if not self._is_scheduled and loop is not None:
            loop.call_soon(self._next_round)
            self._is_scheduled = True  # not before: where Python's stack is full there is no round

    def _next_round(self) -> None:
        self._is_scheduled = self._is_taken = False
        self._round = None
        for queue, count in ((self._new, NEWCOMERS), (self._unmade, 1), (self._tired, 1)):
            while queue and count:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    count -= 1
        if self._new or self._unmade or self._tired:
            self._schedule()


_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[Turns]] = weakref.WeakKeyDictionary()
"""Those that somebody waits for: their loop holds them, which is to call them; a closed one lets go of them."""


def turns_of(loop: asyncio.AbstractEventLoop) -> Turns:
    """The turns of that loop."""
    ref = _turns.get(loop)
    found = None if ref is None else ref()
    if found is None:
        found = Turns(loop)
        _turns[loop] = weakref.ref(found)
    return found


async def turn_to_make() -> None:
    """Wait until the event loop of this task has time to make an instance."""
    import asyncio

    await turns_of(asyncio.get_running_loop()).make()
