"""Guests that are refused before the process is out of memory maps. Where none is left wasmer panics or hangs, and a
new thread ends the process.

In: how many guests there are. Out: `UnavailableError` where there are hardly any maps left for one more. Counting maps
takes a moment, up to 50 ms where there are tens of thousands, so it is done again only when there are so many more
guests that they could have used up what was left, or some more and a while has passed, since others have maps too.

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
"""After how many seconds maps are counted again."""


class MapRoom:
    """Whether there is room for one more guest of some kind."""

    def __init__(self) -> None:
        self._enough_for = 0
        self._counted_with = 0
        self._counted_at = -_AGAIN

    def check(self, guests: int) -> None:
        """Raise `UnavailableError` where there is none for a guest beside so many."""
        if guests < self._enough_for and guests <= self._counted_with:
            return
        is_long_ago = time.monotonic() - self._counted_at >= _AGAIN
        was_refused = self._enough_for <= self._counted_with <= guests
        if is_long_ago or (guests >= self._enough_for and not was_refused):
            self._count(guests)
        if guests >= self._enough_for:
            raise exhausted("another guest")

    def _count(self, guests: int) -> None:
        self._enough_for = guests + (maps_left() - MARGIN) // MOST_OF_A_GUEST
        self._counted_with, self._counted_at = guests, time.monotonic()


def maps_left() -> int:
    """How many memory maps this process may have beside those that it has."""
    try:
        most = int(Path("/proc/sys/vm/max_map_count").read_bytes())
        return most - Path("/proc/self/maps").read_bytes().count(b"\n")
    except (OSError, ValueError):
        return 1 << 30
