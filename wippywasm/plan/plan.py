"""The plan: everything an instantiation needs that does not depend on a store.

In: what the planner collected. Out: immutable data, made once for a component and run for each of its instances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from wippywasm.binary.component import ComponentType, DefinedType
from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreImport
from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan.items import ImportedModule, Item
from wippywasm.plan.steps import Lift, Step


@dataclass(frozen=True, eq=False)
class PlanModule:
    """A core module to compile, with what is known of its outside; `offset` is its place in the file."""

    wasm: bytes | memoryview = field(repr=False)
    info: CoreModuleInfo = field(repr=False)
    offset: int = field(default=0, repr=False)


@dataclass(frozen=True, eq=False)
class HostFunction:
    """A function to be supplied. `path` is the import's name, then the names inside instances."""

    path: tuple[str, ...]
    type: FuncType


@dataclass(frozen=True, eq=False)
class HostResource:
    """A resource type to be supplied."""

    path: tuple[str, ...]
    resource: ResourceType


@dataclass(frozen=True, eq=False)
class HostType:
    """A type that is not a new resource: whoever supplies the import has to mean the same by that name."""

    path: tuple[str, ...]
    type: DefinedType


@dataclass(frozen=True, eq=False)
class HostComponent:
    """A component to be supplied; a plan made with it has what it unfolds to."""

    path: tuple[str, ...]
    type: ComponentType


@dataclass(frozen=True, eq=False)
class Plan:
    """A flat recipe. Numbers in `steps` and `lifts` count from zero in the order in which the steps create things."""

    imports: tuple[str, ...]
    """Names of the imports that something must be given for, in order; those of mere types are left out."""
    modules: tuple[PlanModule, ...]
    host_functions: tuple[HostFunction, ...]
    host_resources: tuple[HostResource, ...]
    host_modules: tuple[ImportedModule, ...]
    host_instances: tuple[tuple[str, ...], ...]
    """The paths of all imported instances, those within others after them."""
    host_types: tuple[HostType, ...]
    host_components: tuple[HostComponent, ...]
    core_imports: tuple[CoreImport, ...]
    """Core functions to be supplied as they are (`ImportCoreFunc`)."""
    lifts: tuple[Lift, ...]
    steps: tuple[Step, ...]
    exports: Mapping[str, Item]
    uncallable: Mapping[str, str] = field(default_factory=dict)
    """Functions that a core module exports and nobody can call, with the reason."""
