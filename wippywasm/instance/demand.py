"""What a guest takes as soon as it is there, so that limits which can't hold it are refused before it is made.

In: a plan. Out: core instances, bytes of memory and table elements that instantiation needs at least.

Core modules that the host supplies count as instances only: what is in them is known when they are linked.

Spec: SPEC section 3 (`limits`); WebAssembly core, "Instantiation" (allocation of memories and tables).
"""

from __future__ import annotations

from collections.abc import Iterable

from wippywasm.binary import core_module
from wippywasm.core import CoreMemoryType, CoreTableType
from wippywasm.dataclass import dataclass
from wippywasm.plan import Plan
from wippywasm.plan.items import StaticModule
from wippywasm.plan.steps import InstantiateModule


@dataclass(frozen=True)
class Demand:
    """What one guest, or one core module, needs at least."""

    instances: int = 0
    memory_bytes: int = 0
    table_elements: int = 0

    def __add__(self, other: Demand) -> Demand:
        return Demand(
            self.instances + other.instances,
            self.memory_bytes + other.memory_bytes,
            self.table_elements + other.table_elements,
        )


def demand_of(plan: Plan) -> Demand:
    """The sum over all core instances of a plan; what a module imports is counted where it is defined."""
    modules = [_module_demand(m.wasm) for m in plan.modules]
    total = Demand()
    for step in plan.steps:
        if isinstance(step, InstantiateModule):
            total += modules[step.module.index] if isinstance(step.module, StaticModule) else Demand(1)
    return total


def _module_demand(wasm: bytes | memoryview) -> Demand:
    info = core_module.parse(wasm)
    types = [i.type for i in info.imports]
    memories = info.memories[sum(isinstance(t, CoreMemoryType) for t in types) :]
    tables = info.tables[sum(isinstance(t, CoreTableType) for t in types) :]
    return Demand(1, _bytes(memories), sum(t.limits.minimum for t in tables))


def _bytes(memories: Iterable[CoreMemoryType]) -> int:
    return sum(m.limits.minimum << m.page_size_log2 for m in memories)
