"""Where time comes from: the system, or a test.

In: nothing, or moments. Out: `Clock`s.

Spec: SPEC section 14 (`Wasi(clock=…)`).
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol, runtime_checkable

from wippywasm.wasi.given import COUNT, check

_BILLION = 10**9
_LONGEST_SLEEP = 3600.0
_TURNS = 10
"""So many turns of the loop go by before a fake clock moves: who was woken may have another, shorter sleep to begin."""


@runtime_checkable
class Clock(Protocol):
    """All times in nanoseconds. `resolution` is the smallest step."""

    resolution: int

    def monotonic(self) -> int:
        """Since some moment; never goes back."""
        ...

    def wall(self) -> int:
        """Since 1970-01-01T00:00:00Z."""
        ...

    async def sleep_until(self, instant: int) -> None:
        """Until `monotonic()` is at least `instant`."""
        ...


class SystemClock:
    """The machine's clocks. Its monotonic time starts with it, so that guests don't learn when the machine did."""

    resolution = 1

    def __init__(self) -> None:
        self._start = time.monotonic_ns()

    def monotonic(self) -> int:
        return time.monotonic_ns() - self._start

    def wall(self) -> int:
        return time.time_ns()

    async def sleep_until(self, instant: int) -> None:
        while (left := instant - self.monotonic()) > 0:
            await asyncio.sleep(min(left / _BILLION, _LONGEST_SLEEP))


class FakeClock:
    """A clock that stands still, except for `advance`, and for sleeps: those move it to their end and take no time.

    Of several sleeps, the one that ends first is first. Both moments are in nanoseconds; raises InvalidError for what
    are none.
    """

    resolution = 1

    def __init__(self, monotonic: int = 0, wall: int = 0) -> None:
        check({"monotonic": COUNT, "wall": COUNT}, {"monotonic": monotonic, "wall": wall})
        self._monotonic = monotonic
        self._wall = wall
        self._sleeps: list[int] = []

    def monotonic(self) -> int:
        return self._monotonic

    def wall(self) -> int:
        return self._wall

    def advance(self, nanoseconds: int) -> None:
        """Let time pass."""
        self._monotonic += nanoseconds
        self._wall += nanoseconds

    async def sleep_until(self, instant: int) -> None:
        self._sleeps.append(instant)
        turns = 0
        try:
            while self._monotonic < instant:
                await asyncio.sleep(0)
                turns = turns + 1 if instant == min(self._sleeps) else 0
                if turns > _TURNS:
                    self.advance(max(0, instant - self._monotonic))
        finally:
            self._sleeps.remove(instant)
