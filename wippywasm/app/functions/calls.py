"""How many calls are under way, so that an app can end without cutting them off.

In: calls as they start and end. Out: a way to wait until none is left;
meanwhile only calls made by calls are let in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from wippywasm.app.pools.chain import is_nested
from wippywasm.errors import UnavailableError


class CallCounter:
    """Counts the calls of one app."""

    def __init__(self) -> None:
        self._running = 0
        self._is_closing = False
        self._idle: asyncio.Event | None = None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what happens inside; raises `UnavailableError` for a new call while the app ends."""
        if self._is_closing and not is_nested():
            raise UnavailableError("the app is stopping")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._running == 0 and self._idle is not None:
                self._idle.set()

    async def drained(self, grace: float) -> None:
        """Let in no new calls, and wait at most `grace` seconds for those under way."""
        self._is_closing = True
        if self._running == 0 or grace <= 0:
            return
        self._idle = asyncio.Event()
        try:
            await asyncio.wait_for(self._idle.wait(), grace)
        except asyncio.TimeoutError:
            return
