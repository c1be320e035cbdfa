"""Guests that are refused before the process is out of memory maps. Where none is left wasmer panics or hangs, and a
new thread ends the process.

In: how many guests there are. Out: `UnavailableError` where there are hardly any maps left for one more. Counting maps
takes a moment, up to 50 ms where there are tens of thousands, so it is done again only when there are so many more
guests that they could have used up a good part of what was left.

Reference: Linux, `vm.max_map_count` and `/proc/self/maps`; elsewhere there is no such bound.
"""

from __future__ import annotations

import time
from pathlib import Path

from wippywasm.engine.exhausted import exhausted

MARGIN = 1_000
"""Maps that are left to everything else."""
MOST_OF_A_GUEST = 64
"""A guest with a thread takes 18 to 30."""
_AGAIN = 1.0
"""After how many seconds a refusal is thought over, with as many guests as there were: others have maps too."""


class MapRoom:
    """Whether there is room for one more guest of some kind."""

    def __init__(self) -> None:
        self._enough_for = 0
        self._too_many = 1 << 62
        self._refused_at = 0.0

    def check(self, guests: int) -> None:
        """Raise `UnavailableError` where there is none for a guest beside so many."""
        if guests >= self._enough_for:
            self._look(guests)

    def _look(self, guests: int) -> None:
        now = time.monotonic()
        if guests < self._too_many or now - self._refused_at >= _AGAIN:
            more = (maps_left() - MARGIN) // MOST_OF_A_GUEST
            if more > 0:
                self._enough_for, self._too_many = guests + more, 1 << 62
                return
            self._too_many, self._refused_at = guests, now
        self._enough_for = 0
        raise exhausted("another guest")


def maps_left() -> int:
    """How many memory maps this process may have beside those that it has."""
    try:
        most = int(Path("/proc/sys/vm/max_map_count").read_bytes())
        return most - Path("/proc/self/maps").read_bytes().count(b"\n")
    except (OSError, ValueError):
        return 1 << 30
