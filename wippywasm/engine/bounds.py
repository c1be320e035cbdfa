"""Which bound of a store was in the way of a guest that trapped: guests often give up when they can't grow.

In: a store's limits; what was refused, which modules ask for before they grow, or note afterwards. Out: a `LimitTrap`
that names the limit, where a growth was refused; else the trap as it is.

Spec: SPEC section 3 (`limits`).
"""

from __future__ import annotations

from wippywasm.engine.port import StoreLimits
from wippywasm.engine.traps import ALLOCATION, MEMORY_BOUNDS, TABLE_BOUNDS, UNREACHABLE
from wippywasm.errors import InvalidError, LimitTrap, Trap

MEMORY = "max_memory_mb"
TABLES = "max_table_elements"
_CODES = {UNREACHABLE: (MEMORY, TABLES), MEMORY_BOUNDS: (MEMORY,), TABLE_BOUNDS: (TABLES,), ALLOCATION: (MEMORY,)}
"""How guests end that were refused a growth, and what kinds of growth."""
_MIB = 1 << 20
_NUMBERS = 1 << 64
"""How many there are of 64 bits."""


class BoundsOf:
    """The bounds of one store. `refused` has those by which a growth was refused."""

    __slots__ = ("_limits", "refused")

    def __init__(self, limits: StoreLimits) -> None:
        self._limits = limits
        self.refused: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return self._limits.memory_bytes is not None or self._limits.table_elements is not None

    def note(self, bytes: int, elements: int) -> None:
        """What the last growth of a memory and of a table that was refused would have come to, 0 where none was.

        Within a bound it was refused for another reason.
        """
        for budget, reached in ((MEMORY, bytes), (TABLES, elements)):
            bound = self._bound(budget)
            if bound is not None and reached % _NUMBERS > bound:
                self.refused.add(budget)

    def explained(self, error: BaseException) -> BaseException:
        """The error, or the `LimitTrap` that it is."""
        budgets = _CODES.get(error.code, ()) if isinstance(error, Trap) else ()
        found = next((budget for budget in budgets if budget in self.refused), None)
        return self.exceeded(error, found) if isinstance(error, Trap) and found is not None else error

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


def too_many(what: str, most: int) -> InvalidError:
    """The error for more core instances, memories or tables than a store may have."""
    return InvalidError(
        f"the module can't be instantiated within its store's limits: {most} {what} are allowed, and it has more",
        hint="split the component into several",
    )
