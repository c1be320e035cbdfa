"""What one guest may use at most.

In: numbers in units of people. Out: the engine port's `StoreLimits`.

Spec: SPEC section 3 (`limits`).
"""

from __future__ import annotations

from wippywasm.dataclass import dataclass
from wippywasm.engine.port import StoreLimits
from wippywasm.errors import InvalidError
from wippywasm.instance.demand import Demand

_MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds of one guest; None is the engine's own.

    `max_execution_ms` is for each call, waiting included, and for instantiation. `max_memory_mb` is what all its
    linear memories may come to together, in MiB; `max_table_elements` the same for tables. `max_instances` counts its
    core instances. Raises InvalidError for what is no whole number above 0.
    """

    max_execution_ms: int | None = None
    max_memory_mb: int | None = None
    max_table_elements: int | None = None
    max_instances: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_execution_ms", "max_memory_mb", "max_table_elements", "max_instances"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise InvalidError(f"limit {name} must be a whole number of at least 1, not {value!r}")

    def store_limits(self, demand: Demand) -> StoreLimits:
        """The same bounds in the engine port's units, for a guest that begins with so much."""
        # No bound on instances: a guest makes none once it is there, `check` has counted them, and others are ours.
        memory = None if self.max_memory_mb is None else self.max_memory_mb * _MIB
        elements = self.max_table_elements
        of_all = ((memory, demand.memory), (elements, demand.tables))
        growth: tuple[int | None, ...] = ()
        if any(limit is not None and space.grows_together for limit, space in of_all):  # modules that ask do so for all
            growth = tuple(None if limit is None else limit - space.size for limit, space in of_all)
        return StoreLimits(memory, elements, self.max_execution_ms is not None, *growth)

    def check(self, demand: Demand) -> None:
        """Raise InvalidError, with all that is too small, where a guest can't even be made within these bounds."""
        mib, elements = -(-demand.memory.size // _MIB), demand.tables.size
        needs = (
            ("max_instances", demand.instances, f"{demand.instances} core instances"),
            ("max_memory_mb", mib, f"{mib} MiB of memory"),
            ("max_table_elements", elements, f"{elements} table elements"),
        )
        problems = [
            f"the guest starts with {words}, more than its limit {name} = {limit}"
            for name, needed, words in needs
            if (limit := getattr(self, name)) is not None and needed > limit
        ]
        if problems:
            raise InvalidError("; ".join(problems), hint="raise the limit, or leave it out")
