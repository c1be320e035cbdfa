"""What the memories and tables of one store may grow by together, of which its rewritten modules ask before they grow.

In: a store's limits. Out: the host's functions for that (`rewrite.growth`). What has been granted is taken back where
the growth then failed for a reason of its own, such as the memory's own maximum.
"""

from __future__ import annotations

from wippywasm.engine.bounds import MEMORY, TABLES
from wippywasm.engine.port import MAX_TABLE_ELEMENTS, CoreCallable, StoreLimits
from wippywasm.engine.rewrite import ELEMENTS

REFUSED = -1
NOTHING = 0
"""What it is to grow by where growth is refused: engines have no number that nothing can grow by, as wasmer takes an
empty table of 2³² - 1 elements for possible, and ends the process where there is no memory for it."""
_UNBOUNDED = 1 << 80
_NARROW, _WIDE = (1 << 32) - 1, (1 << 64) - 1


class Allowance:
    """Bytes and elements that are left. Between an answer and what came of it nothing else of the guest runs."""

    __slots__ = ("_bounds_tables", "_bytes", "_elements", "_granted", "_limits", "_refused")

    def __init__(self, limits: StoreLimits, refused: set[str]) -> None:
        """`refused` gets the names of limits by which a growth was refused."""
        self._refused = refused
        self._limits = limits
        self._bytes = _first(limits.memory_growth, limits.memory_bytes)
        self._bounds_tables = (limits.table_growth, limits.table_elements) != (None, None)
        self._elements = (
            _first(limits.table_growth, limits.table_elements) if self._bounds_tables else MAX_TABLE_ELEMENTS
        )
        self._granted: int | None = None
        """What the last answer granted; None where it refused."""

    def begin(self, bytes: int, elements: int) -> None:
        """A module is there that begins with so much: the bounds on each, where only those are given, have room for it.

        They are given where one memory (table) at most can grow, so that nothing else uses up what it may have.
        """
        if self._limits.memory_growth is None:
            self._bytes -= bytes
        if self._limits.table_growth is None:
            self._elements -= elements

    @property
    def functions(self) -> tuple[CoreCallable, ...]:
        """Of the types `rewrite.FUNCTIONS`."""
        return self.ask, self.tell, self._ask_wide, self.tell

    def ask(self, count: int, unit: int) -> int:
        """How many pages or elements it is to grow by: as many, or `NOTHING`; `unit` is as in `rewrite.growth`."""
        return count if self._grants(count & _NARROW, unit) else NOTHING

    def _ask_wide(self, count: int, unit: int) -> int:
        return count if self._grants(count & _WIDE, unit) else NOTHING

    def _grants(self, count: int, unit: int) -> bool:
        size = count if unit == ELEMENTS else count << unit
        granted = size <= (self._elements if unit == ELEMENTS else self._bytes)
        self._granted = size if granted else None
        if granted:
            self._spend(size, unit)
        elif unit != ELEMENTS:
            self._refused.add(MEMORY)
        elif self._bounds_tables:
            self._refused.add(TABLES)
        return granted

    def _spend(self, size: int, unit: int) -> None:
        if unit == ELEMENTS:
            self._elements -= size
        else:
            self._bytes -= size

    def tell(self, before: int, unit: int) -> int:
        """What came of it: the former size, or -1."""
        granted, self._granted = self._granted, None
        if granted is None:
            return REFUSED
        if before == REFUSED:
            self._spend(-granted, unit)
        return before


def _first(growth: int | None, bound: int | None) -> int:
    found = bound if growth is None else growth
    return _UNBOUNDED if found is None else found
