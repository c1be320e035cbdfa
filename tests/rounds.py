"""How often an event loop comes round while something else goes on."""

from __future__ import annotations

import asyncio


class Rounds:
    """Counts those of the running loop, until `end`."""

    def __init__(self) -> None:
        self.count = 0
        self._counting = asyncio.ensure_future(self._go())

    async def _go(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.count += 1

    def end(self) -> None:
        self._counting.cancel()
