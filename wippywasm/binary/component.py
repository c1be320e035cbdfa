"""The decoded component: one immutable tree, definitions in the order of the binary.

In: what the decoder read and the validator resolved. Out: data for the planner and for introspection.

Index spaces are implied: walking `Component.definitions` in order and appending each definition to the space of its
sort gives every index its meaning. Types are resolved: a definition carries the types it needs, not type indices,
in terms of the `ResourceType` identities that the validator gave in that component's scope.

Spec: component-model `Binary.md`, `Explainer.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from wippywasm.core import CoreExport, CoreExternType, CoreFuncType, CoreImport
from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType, ResourceType, ValType

if TYPE_CHECKING:
    from wippywasm.binary.core_module import CoreModuleInfo
    from wippywasm.binary.nodes import ComponentNode

# ---- types of components, instances and modules -------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ModuleType:
    imports: tuple[CoreImport, ...]
    exports: tuple[CoreExport, ...]

    @cached_property
    def instance(self) -> Mapping[str, CoreExternType]:
        """The exports by name, which all instances of the module share."""
        return MappingProxyType({export.name: export.type for export in self.exports})


@dataclass(frozen=True, eq=False, slots=True)
class InstanceType:
    """`exports` in order; `introduced` are the resources that they introduce, each with the names that lead to it."""

    exports: Mapping[str, ExternType]
    introduced: Mapping[ResourceType, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class ComponentType:
    imports: Mapping[str, ExternType]
    exports: Mapping[str, ExternType]


@dataclass(frozen=True, slots=True)
class TypeBound:
    """The type of a `type` import or export.

    `type` is what the name denotes in this scope. `fresh` tells `(sub resource)`, an abstract resource introduced
    here, from `(eq t)`.
    """

    type: DefinedType
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class ValueBound:
    type: ValType


ExternType: TypeAlias = ModuleType | FuncType | ValueBound | TypeBound | ComponentType | InstanceType
DefinedType: TypeAlias = ValType | FuncType | ResourceType | ComponentType | InstanceType

# ---- definitions --------------------------------------------------------------------------------------------------
# Sorts are the text format's names: core sorts "core func", "core table", "core memory", "core global", "core tag",
# "core type", "core module", "core instance"; component sorts "func", "value", "type", "component", "instance".


@dataclass(frozen=True, slots=True)
class Definition:
    """Base of all definitions; `offset` is where it starts in the outermost file."""

    offset: int


@dataclass(frozen=True, slots=True)
class CoreModule(Definition):
    """A nested core module, as a slice of the file, and what is known of its outside. Defines a `core module`."""

    wasm: memoryview = field(repr=False)
    info: CoreModuleInfo = field(repr=False)


@dataclass(frozen=True, slots=True)
class InstantiateModule(Definition):
    """Defines a `core instance`; `args` maps import module names to core instance indices."""

    module: int
    args: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class CoreInlineExports(Definition):
    """Defines a `core instance` out of existing items: (name, sort, index)."""

    exports: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class CoreTypeDefinition(Definition):
    """Defines a `core type`."""

    type: CoreFuncType | ModuleType | None
    """None for a GC type: it takes its index and can be used by nothing else here."""


@dataclass(frozen=True, slots=True)
class NestedComponent(Definition):
    """Defines a `component`."""

    component: Component


@dataclass(frozen=True, slots=True)
class InstantiateComponent(Definition):
    """Defines an `instance`; `args` are (name, sort, index); `type` is the instance's type in this scope."""

    component: int
    args: tuple[tuple[str, str, int], ...]
    type: InstanceType = field(repr=False)


@dataclass(frozen=True, slots=True)
class InlineExports(Definition):
    """Defines an `instance` out of existing items: (name, sort, index)."""

    exports: tuple[tuple[str, str, int], ...]
    type: InstanceType = field(repr=False)


@dataclass(frozen=True, slots=True)
class AliasExport(Definition):
    """Defines an item of `sort`: an export of an instance. `type` is its type in this scope."""

    sort: str
    instance: int
    name: str
    type: ExternType = field(repr=False)


@dataclass(frozen=True, slots=True)
class AliasCoreExport(Definition):
    """Defines an item of a core `sort`: an export of a core instance."""

    sort: str
    instance: int
    name: str
    type: CoreExternType = field(repr=False)


@dataclass(frozen=True, slots=True)
class AliasOuter(Definition):
    """Defines an item of `sort` (`core module`, `core type`, `type`, `component`) of the scope `count` outwards."""

    sort: str
    count: int
    index: int
    type: DefinedType | ModuleType | CoreFuncType | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class TypeDefinition(Definition):
    """Defines a `type` other than a resource."""

    type: ValType | FuncType | ComponentType | InstanceType


@dataclass(frozen=True, slots=True)
class ResourceDefinition(Definition):
    """Defines a `type`: a resource of this component. `destructor` is a core func index."""

    type: ResourceType
    rep: str
    destructor: int | None


@dataclass(frozen=True, slots=True)
class CanonicalOptions:
    """Indices are of this component's core memories and core funcs."""

    string_encoding: str = "utf8"
    memory: int | None = None
    realloc: int | None = None
    post_return: int | None = None
    is_async: bool = False
    callback: int | None = None


@dataclass(frozen=True, slots=True)
class CanonLift(Definition):
    """Defines a `func`."""

    core_func: int
    type: FuncType
    options: CanonicalOptions


@dataclass(frozen=True, slots=True)
class CanonLower(Definition):
    """Defines a `core func`; `type` is that of `func` in this scope."""

    func: int
    type: FuncType
    options: CanonicalOptions
    core_type: CoreFuncType


@dataclass(frozen=True, slots=True)
class CanonResource(Definition):
    """Defines a `core func`: `operation` is `resource.new`, `resource.drop` or `resource.rep`."""

    operation: str
    type: ResourceType


@dataclass(frozen=True, slots=True)
class CanonBuiltin(Definition):
    """Defines a `core func`: any other canonical built-in, by its name in the text format, with its immediates."""

    name: str
    core_type: CoreFuncType
    immediates: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ValueDefinition(Definition):
    """Defines a `value`, as the bytes that the specification writes for its type."""

    type: ValType
    value: memoryview = field(repr=False)


@dataclass(frozen=True, slots=True)
class Start(Definition):
    """Calls a function with values; defines one `value` for each result."""

    func: int
    args: tuple[int, ...]
    results: int


@dataclass(frozen=True, slots=True)
class Import(Definition):
    """Defines an item of the sort of `type`."""

    name: str
    type: ExternType


@dataclass(frozen=True, slots=True)
class Export(Definition):
    """Defines an item of `sort`, a new index for an existing one. `type` is the new item's, ascribed or inferred."""

    name: str
    sort: str
    index: int
    type: ExternType
    is_ascribed: bool = False


@dataclass(frozen=True, slots=True)
class CustomSection:
    name: str
    data: memoryview = field(repr=False)
    offset: int


@dataclass(frozen=True, eq=False)
class Component:
    """A component. `wasm` is its own slice of the file; `type` its imports and exports.

    `node` is the same as `type` with the type indices by which equal types are told apart, as only WIT does.
    """

    definitions: tuple[Definition, ...]
    node: ComponentNode = field(repr=False)
    customs: tuple[CustomSection, ...] = ()
    wasm: memoryview = field(repr=False, default=memoryview(b""))

    @property
    def type(self) -> ComponentType:
        return self.node.model
