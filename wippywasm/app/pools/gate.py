"""A door with a number of places, which may change: who finds none free waits in order of arrival.

In: tasks of one event loop. Out: their turn. A cancelled waiter never takes a place with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Gate:
    """`enter` waits for a place, `leave` frees it for the one who has waited longest."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_full(self) -> bool:
        return self._free <= 0

    @property
    def taken(self) -> int:
        return self.places - self._free

    @property
    def waiting(self) -> int:
        return sum(1 for future in self._waiting if not future.done())

    async def enter(self) -> None:
        if self._free > 0:
            self._free -= 1
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if _was_let_in(future):
                self.leave()
            raise

    def leave(self) -> None:
        self._free += 1
        self._let_in()

    def resize(self, places: int) -> None:
        """Have that many places from now on; where more are taken, they go as they become free."""
        self._free += places - self.places
        self.places = places
        self._let_in()

    def _let_in(self) -> None:
        while self._free > 0 and self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                self._free -= 1
                future.set_result(None)

    def turn_away(self, error: Callable[[], BaseException]) -> None:
        """Everyone who waits gets an error of their own."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error())


def _was_let_in(future: asyncio.Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
