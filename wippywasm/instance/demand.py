"""What a guest takes as soon as it is there, so that limits which can't hold it are refused before it is made.

In: a plan, and the core modules that the host supplies, once they are known. Out: core instances, bytes of memory and
table elements that instantiation needs at least, and what of them can grow.

Spec: SPEC section 3 (`limits`); WebAssembly core, "Instantiation" (allocation of memories and tables).
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreMemoryType, CoreTableType, Limits
from wippywasm.dataclass import dataclass
from wippywasm.plan import Plan
from wippywasm.plan.items import StaticModule
from wippywasm.plan.steps import InstantiateModule


@dataclass(frozen=True)
class Space:
    """Memories or tables: `size` is what all `count` of them begin with, in bytes or elements.

    `grows` says that one of them can, `shared` that one is a memory for threads, whose growth no engine bounds.
    """

    size: int = 0
    count: int = 0
    grows: bool = False
    shared: bool = False

    def __add__(self, other: Space) -> Space:
        return Space(
            self.size + other.size,
            self.count + other.count,
            self.grows or other.grows,
            self.shared or other.shared,
        )

    @property
    def grows_together(self) -> bool:
        """Whether a bound on each says less than one on all."""
        return self.grows and (self.count > 1 or self.shared)


@dataclass(frozen=True)
class Demand:
    """What one guest, or one core module, needs at least."""

    instances: int = 0
    memory: Space = Space()
    tables: Space = Space()

    def __add__(self, other: Demand) -> Demand:
        return Demand(self.instances + other.instances, self.memory + other.memory, self.tables + other.tables)


def demand_of(plan: Plan, supplied: Sequence[CoreModuleInfo] = ()) -> Demand:
    """The sum over all core instances of a plan; what a module imports is counted where it is defined.

    `supplied` are the host's modules; where they are not known yet, each of their instances counts as such only.
    """
    own = [_module_demand(m.info) for m in plan.modules]
    hosts = dict(zip(plan.host_modules, map(_module_demand, supplied)))
    total = Demand()
    for step in plan.steps:
        if isinstance(step, InstantiateModule):
            module = step.module
            total += own[module.index] if isinstance(module, StaticModule) else hosts.get(module, Demand(1))
    return total


def _module_demand(info: CoreModuleInfo) -> Demand:
    types = [i.type for i in info.imports]
    memories = info.memories[sum(isinstance(t, CoreMemoryType) for t in types) :]
    tables = info.tables[sum(isinstance(t, CoreTableType) for t in types) :]
    return Demand(
        1,
        sum(map(_memory, memories), Space()),
        sum(map(_table, tables), Space()),
    )


def _memory(type: CoreMemoryType) -> Space:
    return Space(type.limits.minimum << type.page_size_log2, 1, _can_grow(type.limits), type.shared)


def _table(type: CoreTableType) -> Space:
    return Space(type.limits.minimum, 1, _can_grow(type.limits))


def _can_grow(limits: Limits) -> bool:
    return limits.maximum is None or limits.maximum > limits.minimum
