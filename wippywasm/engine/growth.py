"""What the memories and tables of one store may grow by together, of which its rewritten modules ask before they grow.

In: a store's limits. Out: the host's functions for that (`rewrite.growth`). What has been granted is taken back where
the growth then failed for a reason of its own, such as the memory's own maximum.
"""

from __future__ import annotations

from wippywasm.engine.bounds import MEMORY, TABLES
from wippywasm.engine.port import CoreCallable, StoreLimits
from wippywasm.engine.rewrite import ELEMENTS
from wippywasm.engine.traps import ALLOCATION, make_trap

REFUSED = -1
_UNBOUNDED = 1 << 80
_NARROW, _WIDE = (1 << 32) - 1, (1 << 64) - 1


class Allowance:
    """Bytes and elements that are left. Between an answer and what came of it nothing else of the guest runs."""

    __slots__ = ("_bytes", "_elements", "_granted", "_refused")

    def __init__(self, limits: StoreLimits, refused: set[str]) -> None:
        """`refused` gets the names of limits by which a growth was refused."""
        self._refused = refused
        self._bytes = _UNBOUNDED if limits.memory_growth is None else limits.memory_growth
        self._elements = _UNBOUNDED if limits.table_growth is None else limits.table_growth
        self._granted: int | None = None
        """What the last answer granted; None where it refused."""

    @property
    def functions(self) -> tuple[CoreCallable, ...]:
        """Of the types `rewrite.FUNCTIONS`."""
        return self._ask, self._tell, self._ask_wide, self._tell

    def _ask(self, count: int, unit: int) -> int:
        return count if self._grants(count & _NARROW, unit) else REFUSED

    def _ask_wide(self, count: int, unit: int) -> int:
        return count if self._grants(count & _WIDE, unit) else REFUSED

    def _grants(self, count: int, unit: int) -> bool:
        size = count if unit == ELEMENTS else count << unit
        granted = size <= (self._elements if unit == ELEMENTS else self._bytes)
        self._granted = size if granted else None
        if granted:
            self._spend(size, unit)
        else:
            self._refused.add(TABLES if unit == ELEMENTS else MEMORY)
        return granted

    def _spend(self, size: int, unit: int) -> None:
        if unit == ELEMENTS:
            self._elements -= size
        else:
            self._bytes -= size

    def _tell(self, before: int, unit: int) -> int:
        """What came of it: the former size, or -1."""
        granted, self._granted = self._granted, None
        if before == REFUSED:
            self._spend(-(granted or 0), unit)
        elif granted is None:  # an empty memory of pages of one byte, which 2³² - 1 of them may fit in
            raise make_trap(ALLOCATION)
        return before
