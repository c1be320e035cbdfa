"""References: how one part of a plan names another before anything exists.

In: numbers that the planner gave out. Out: small immutable values that an instance resolves by looking them up.
A plan holds no index spaces: every alias, import, re-export and nested scope has already been followed to its end.

Spec: `Explainer.md` (aliases, instance definitions); sorts are those of `binary.component`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TypeAlias

from wippywasm.binary.component import DefinedType, ModuleType
from wippywasm.core import CoreFuncType
from wippywasm.dataclass import dataclass
from wippywasm.model import ResourceType

# ---- core items ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CoreExportRef:
    """What core instance `instance` exports under `name`: a function, memory, table, global or tag."""

    instance: int
    name: str


@dataclass(frozen=True, slots=True)
class TrampolineRef:
    """A core function of ours: a lowered function or a canonical built-in."""

    index: int


CoreRef: TypeAlias = CoreExportRef | TrampolineRef


@dataclass(frozen=True, slots=True)
class StaticModule:
    """A core module inside the component: `Plan.modules[index]`."""

    index: int


@dataclass(frozen=True, eq=False)
class ImportedModule:
    """A core module that the host supplies; `path` leads to it from the import's name."""

    path: tuple[str, ...]
    type: ModuleType


ModuleRef: TypeAlias = StaticModule | ImportedModule

# ---- component items ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LiftRef:
    """A lifted core function: `Plan.lifts[index]`."""

    index: int


@dataclass(frozen=True, slots=True)
class HostFuncRef:
    """A function that the host supplies: `Plan.host_functions[index]`."""

    index: int


FuncRef: TypeAlias = LiftRef | HostFuncRef


@dataclass(frozen=True, eq=False, slots=True)
class PlanInstance:
    """A component instance as its consumers see it: named items; `size` counts them with those of instances in it."""

    exports: Mapping[str, Item]
    size: int = field(init=False)

    def __post_init__(self) -> None:
        inner = sum([item.size for item in self.exports.values() if isinstance(item, PlanInstance)])
        object.__setattr__(self, "size", len(self.exports) + inner)


@dataclass(frozen=True, eq=False)
class TypeItem:
    """A type that is not a resource: it has a name and no life at run time."""

    type: DefinedType | ModuleType | CoreFuncType | None
    """Core types, and None for one that takes an index only, are never exported."""


@dataclass(frozen=True, eq=False)
class ComponentItem:
    """A component as a value; only the planner can look inside (`component.Closure`)."""


Item: TypeAlias = LiftRef | HostFuncRef | PlanInstance | TypeItem | ResourceType | ComponentItem | ModuleRef
"""A resource is named by a `ResourceType` that the planner made: one for each that an instantiation creates."""
