"""Which bound of a store was in the way of a guest that trapped: guests often give up when they can't grow.

In: a store's limits; what was refused, where modules ask before they grow; else how large memories and tables are. Out:
a `LimitTrap` that names the limit, where a growth was refused for sure, or even the smallest would have been; a hint,
where more than half was in use; else the trap as it is.

Spec: SPEC section 3 (`limits`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from wippywasm.core import CoreExternType, CoreMemoryType, CoreTableType
from wippywasm.engine.port import StoreLimits
from wippywasm.engine.traps import ALLOCATION, MEMORY_BOUNDS, TABLE_BOUNDS, UNREACHABLE
from wippywasm.errors import LimitTrap, Trap

MEMORY = "max_memory_mb"
TABLES = "max_table_elements"
_CODES = {UNREACHABLE: (MEMORY, TABLES), MEMORY_BOUNDS: (MEMORY,), TABLE_BOUNDS: (TABLES,), ALLOCATION: (MEMORY,)}
"""How guests end that were refused a growth, and what kinds of growth."""
_MIB = 1 << 20

Size: TypeAlias = tuple[str, int, int]
"""What bounds it, how large it is (bytes, elements), and by how much it grows at least."""


def sized(exports: Iterable[tuple[str, CoreExternType]]) -> tuple[str, ...]:
    """The exports that are memories or tables which can grow."""
    return tuple(
        name
        for name, type in exports
        if isinstance(type, CoreMemoryType | CoreTableType)
        and (type.limits.maximum is None or type.limits.maximum > type.limits.minimum)
    )


def size_of(item: Any) -> Size:
    """How large such an export is."""
    if isinstance(item.type, CoreTableType):
        return TABLES, item.size(), 1
    log2 = item.type.page_size_log2
    return MEMORY, item.size() << log2, 1 << log2


class BoundsOf:
    """The bounds of one store. `refused` has those by which a growth was refused, of which its modules asked."""

    __slots__ = ("_limits", "refused")

    def __init__(self, limits: StoreLimits) -> None:
        self._limits = limits
        self.refused: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return self._limits.memory_bytes is not None or self._limits.table_elements is not None

    def explained(self, error: BaseException, sizes: Iterable[Size]) -> BaseException:
        """The error, or the `LimitTrap` that it is; `sizes` are those of what does not ask, as far as is known."""
        budgets = _CODES.get(error.code, ()) if isinstance(error, Trap) and self.any else ()
        if not isinstance(error, Trap) or not budgets:
            return error
        for budget in budgets:
            if budget in self.refused:
                return self.exceeded(error, budget)
        for budget, size, step in sizes:
            bound = self._bound(budget)
            if budget not in budgets or bound is None:
                continue
            if size + step > bound:
                return self.exceeded(error, budget)
            if 2 * size > bound:
                error.hint = error.hint or f"{_used(budget, size)} of its limit {self._named(budget)} were in use"
        return error

    def exceeded(self, error: Trap, budget: str) -> Trap:
        """The trap as one that the limit led to, where there is such a limit."""
        if self._bound(budget) is None:
            return error
        hint = f"it can't grow beyond its limit {self._named(budget)}"
        made = LimitTrap(error.message, code=error.code, frames=error.frames, hint=hint, budget=budget)
        made.__cause__ = error.__cause__
        return made

    def _bound(self, budget: str) -> int | None:
        return self._limits.memory_bytes if budget == MEMORY else self._limits.table_elements

    def _named(self, budget: str) -> str:
        bound = self._bound(budget) or 0
        return f"{budget} = {bound // _MIB if budget == MEMORY else bound}"


def _used(budget: str, size: int) -> str:
    return f"{size / _MIB:.3g} MiB" if budget == MEMORY else f"{size} elements"
