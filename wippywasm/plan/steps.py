"""The steps of a plan: what an instantiation does, one after another.

In: references (`items`) and types. Out: immutable data; `instance.run` gives each step its meaning.

Spec: `Explainer.md` (instance definitions, canonical definitions), `CanonicalABI.md` (canonical options).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from wippywasm.core import CoreFuncType
from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan.items import CoreRef, FuncRef, ModuleRef


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Canonical options, with references in place of indices."""

    string_encoding: str = "utf8"
    memory: CoreRef | None = None
    realloc: CoreRef | None = None
    post_return: CoreRef | None = None
    is_async: bool = False
    callback: CoreRef | None = None


@dataclass(frozen=True, slots=True)
class Lift:
    """A core function seen as a component function. Not a step: it is made when something asks for it."""

    core: CoreRef
    type: FuncType
    options: PlanOptions
    instance: int
    """The component instance whose handle table and re-entrance rules apply."""


@dataclass(frozen=True, slots=True)
class NewComponentInstance:
    """Create component instance `index` inside `parent`: a handle table and its flags."""

    index: int
    parent: int | None


@dataclass(frozen=True, slots=True)
class InstantiateModule:
    """Create core instance `index`. `args` are (import module, import name, item), in the module's own order."""

    index: int
    module: ModuleRef
    args: tuple[tuple[str, str, CoreRef], ...]


@dataclass(frozen=True, slots=True)
class DefineResource:
    """Create the resource type that `resource` stands for, implemented by component instance `instance`."""

    resource: ResourceType
    dtor: CoreRef | None
    instance: int


@dataclass(frozen=True, slots=True)
class LowerFunc:
    """Create trampoline `index`: a component function as a core function, called from `instance`."""

    index: int
    func: FuncRef
    type: FuncType
    options: PlanOptions
    instance: int
    core_type: CoreFuncType


@dataclass(frozen=True, slots=True)
class ResourceBuiltin:
    """Create trampoline `index`: `resource.new`, `resource.drop` or `resource.rep` for one resource and instance."""

    index: int
    operation: str
    resource: ResourceType
    instance: int


@dataclass(frozen=True, eq=False)
class CanonicalBuiltin:
    """Create trampoline `index`: any other canonical built-in, by its name in the text format."""

    index: int
    name: str
    core_type: CoreFuncType
    immediates: Mapping[str, object]
    instance: int


@dataclass(frozen=True, slots=True)
class ImportCoreFunc:
    """Create trampoline `index`: the core function `Plan.core_imports[host]`, which the host supplies as it is."""

    index: int
    host: int


@dataclass(frozen=True, slots=True)
class CallCoreFunc:
    """Call a core function without parameters: `_initialize` of a reactor module."""

    core: CoreRef
    instance: int


Step: TypeAlias = (
    NewComponentInstance
    | InstantiateModule
    | DefineResource
    | LowerFunc
    | ResourceBuiltin
    | CanonicalBuiltin
    | ImportCoreFunc
    | CallCoreFunc
)
