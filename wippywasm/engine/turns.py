"""Who runs next on an event loop where guests spin: one slice at a time, however many guests spin.

In: guests that have used up a slice, and guests that want to start while such are waiting; instances that tasks are to
make. Out: their turns. Between two slices the loop has a pause from guests, of some rounds, for all else it has to do:
most of that takes several steps, each in a round of its own. Newcomers, most of which need little, have every other
turn: as many guests start, and instances are made, as fit in a slice.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio  # whose import takes longer than to run a guest: where an event loop runs, somebody has imported it

NEWCOMERS = 32
"""How many guests may start in one round, if they all fit in a slice."""
ROUNDS = 16
"""How many rounds a loop has between two slices, if they take no longer than a slice. An HTTP request over a new
connection takes 13 where its client is on that loop, too; a round in which there is nothing to do takes 3 µs."""
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

    @staticmethod
    async def start() -> None:
        """Wait for a turn on the event loop that runs here: `Turns.start`."""
        import asyncio

        await turns_of(asyncio.get_running_loop()).start()


crowd = Crowd()


class _Place:
    """That of a newcomer, who keeps it until it begins: others use up the slice for which it was woken."""

    __slots__ = ("turn",)
    turn: asyncio.Future[None]


class Turns:
    """The turns of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._new: deque[_Place] = deque()
        self._tired: deque[asyncio.Future[None]] = deque()
        self._began: float | None = None
        """When the first newcomer of this turn began."""
        self._pause = 0
        """How many rounds are left until the next turn."""
        self._pause_end = 0.0
        self._is_scheduled = False

    async def start(self) -> None:
        """Wait until a guest may run that has not run of late."""
        crowd.waiting += 1
        try:
            await self._begin()
        finally:
            crowd.waiting -= 1

    async def rest(self) -> None:
        """The guest has used up a slice: wait until it may have another."""
        import asyncio

        self._begin_pause()
        crowd.waiting += 1
        try:
            while self._pause:
                turn = asyncio.get_running_loop().create_future()
                self._tired.append(turn)
                self._schedule()
                await turn
        finally:
            crowd.waiting -= 1

    async def make(self) -> None:
        """Wait until an instance may be made, which takes a part of a slice."""
        if self._new or not self._has_room():
            await self._begin()

    async def _begin(self) -> None:
        import asyncio

        loop, place = asyncio.get_running_loop(), _Place()
        self._new.append(place)
        try:
            while True:
                place.turn = loop.create_future()
                self._schedule()
                await place.turn
                if self._has_room():
                    return
        finally:
            self._new.remove(place)

    def _has_room(self) -> bool:
        """Whether a newcomer may begin now."""
        if self._pause:
            return False
        if not self._is_open():
            self._begin_pause()
            return False
        if self._began is None:
            self._began = time.monotonic()
            self._schedule()
        return True

    def _is_open(self) -> bool:
        """Whether something is left of the slice that newcomers share."""
        return self._began is None or time.monotonic() - self._began < SLICE_SECONDS

    def _begin_pause(self) -> None:
        self._pause = ROUNDS
        self._pause_end = time.monotonic() + SLICE_SECONDS

    def _schedule(self) -> None:
        loop = self._loop()
        if not self._is_scheduled and loop is not None:
            loop.call_soon(self._next_round)
            self._is_scheduled = True  # not before: where Python's stack is full there is no round

    def _next_round(self) -> None:
        self._is_scheduled = False
        if self._pause:
            self._pause = self._pause - 1 if time.monotonic() < self._pause_end else 0
        if not self._pause:
            self._next_turn()
        if self._new or self._tired:
            self._schedule()

    def _next_turn(self) -> None:
        if self._new and self._is_open():
            for place in islice(self._new, NEWCOMERS):
                _wake(place.turn)
        else:
            self._began = None
            while self._tired and not _wake(self._tired.popleft()):
                pass


def _wake(turn: asyncio.Future[None]) -> bool:
    """Let who waits go on; False where nobody does."""
    if turn.done():
        return False
    turn.set_result(None)
    return True


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
