"""A scope while it is read: the index spaces of a component, component type or instance type, and what they refer to.

In: definitions, one by one. Out: the items that later definitions name by index, with `ValidationError` where there is
none; at the end, the scope's type.

Spec: component-model `Explainer.md`, "Index Spaces"; `Binary.md`, notes on each section.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TypeVar

from wippywasm.binary import features as gates
from wippywasm.binary.closed import Closed
from wippywasm.binary.component import CustomSection, Definition, ModuleType
from wippywasm.binary.core_types import CoreTypes
from wippywasm.binary.externs import ExternSpace, too_large
from wippywasm.binary.limits import FLATTENED, MAX_INDEX_SPACE, MAX_NESTING, MAX_TYPE_SIZE, NEW_TYPE, SCOPE
from wippywasm.binary.name_parts import lowered, without_hyphens
from wippywasm.binary.nodes import (
    NO_RESOURCES,
    ComponentNode,
    Entity,
    FuncNode,
    InstanceNode,
    Path,
    ResNode,
    TypeEntity,
    TypeNode,
    ValNode,
    ValueEntity,
    sort_of,
)
from wippywasm.binary.visibility import Visibility
from wippywasm.budget import Budget
from wippywasm.core import (
    CoreExternType,
    CoreFuncType,
    CoreGlobalType,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
    CoreValType,
)
from wippywasm.dataclass import dataclass
from wippywasm.errors import ValidationError
from wippywasm.model import FuncType, ResourceType, ValType

T = TypeVar("T")
N = TypeVar("N", ComponentNode, InstanceNode)

COMPONENT = "component"
COMPONENT_TYPE = "component type"
INSTANCE_TYPE = "instance type"

TYPE_NOUNS: dict[type[object], str] = {
    ValNode: "a defined type",
    FuncNode: "a function type",
    InstanceNode: "an instance type",
    ComponentNode: "a component type",
    ResNode: "a resource type",
}


@dataclass
class Context:
    """What all scopes of one file share."""

    features: gates.Features
    budget: Budget
    unique: Callable[[str], str] = field(init=False)
    """What of a label must differ from others."""
    resource_free: Closed = field(init=False)
    """Tells the types that mention no resource of the scope they stand in."""
    types: set[object] = field(default_factory=set)
    """Those that were made while this file was read, each by its identity."""
    flat: set[FuncType] = field(default_factory=set)
    """The types of functions that are lifted or lowered."""
    has_fixed_lists: bool = False
    """Only with lists of fixed length is a value's size more than a few times the number of its type's nodes."""

    def __post_init__(self) -> None:
        self.resource_free = Closed(frozenset(), self.budget)
        self.unique = without_hyphens if gates.REVISED in self.features else lowered

    def made(self, type: ValType | FuncType, offset: int) -> None:
        """Account for a type that is not equal to one before it."""
        if type not in self.types:
            self.budget.define(NEW_TYPE, offset)
            self.types.add(type)

    def flattened(self, type: FuncType, offset: int) -> None:
        """Account for the core types of a function, where none of its type is lifted or lowered before it."""
        if type not in self.flat:
            self.budget.define(FLATTENED, offset)
            self.flat.add(type)

    def require(self, feature: str, what: str, offset: int) -> None:
        """`ValidationError` where a gated feature is used and off."""
        if feature not in self.features:
            hint = None if feature in gates.DEFAULT else _GATED
            raise ValidationError(f"{what} needs the feature `{feature}`, which is not enabled", offset, hint=hint)


_GATED = "the specification gates it: `binary.decode(…, features=binary.features.ALL)` decodes it, and nothing runs it"


class Scope:
    """One scope. `parent` encloses it; `kind` is one of the three constants above."""

    def __init__(self, kind: str, context: Context, parent: Scope | None, offset: int) -> None:
        context.budget.define(SCOPE, offset)
        self.kind = kind
        self.context = context
        self.parent = parent
        self.nesting: int = parent.nesting + 1 if parent is not None else 0
        if self.nesting > MAX_NESTING:
            raise ValidationError(f"{kind}s are nested too deeply: at most {MAX_NESTING} levels are allowed", offset)
        self.core_funcs: list[CoreFuncType] = []
        self.core_tables: list[CoreTableType] = []
        self.core_memories: list[CoreMemoryType] = []
        self.core_globals: list[CoreGlobalType] = []
        self.core_tags: list[CoreTagType] = []
        self.core_types = CoreTypes()
        self.core_modules: list[ModuleType] = []
        self.core_instances: list[Mapping[str, CoreExternType]] = []
        self.funcs: list[FuncNode] = []
        self.types: list[TypeNode] = []
        self.components: list[ComponentNode] = []
        self.instances: list[InstanceNode] = []
        self.values: list[ValueEntity] = []
        self.used_values: set[int] = set()
        self.local_resources: dict[ResourceType, CoreValType] = {}
        self.imported: dict[ResourceType, Path] = {}
        self.exported: dict[ResourceType, Path] = {}
        self.imports = ExternSpace("import", context.unique)
        self.exports = ExternSpace("export", context.unique)
        self.visibility = Visibility(context.budget)
        self.noted: set[InstanceNode] = set()
        """The exported instances whose resources have their paths in `exported`."""
        self.definitions: list[Definition] = []
        self.customs: list[CustomSection] = []

    # ---- looking up ------------------------------------------------------------------------------------------------

    def outer(self, count: int, offset: int) -> Scope:
        """The scope `count` levels outwards."""
        scope: Scope | None = self
        for _ in range(min(count, MAX_NESTING + 1)):
            scope = scope.parent if scope is not None else None
        if scope is None or count > MAX_NESTING:
            raise ValidationError(f"invalid outer alias count of {count}", offset)
        return scope

    def type_at(self, index: int, offset: int) -> TypeNode:
        return at(self.types, index, "type", offset)

    def type_of(self, kind: type[T], index: int, offset: int) -> T:
        """The type at `index`, which must be a node of class `kind`."""
        node = self.type_at(index, offset)
        if not isinstance(node, kind):
            raise ValidationError(f"type index {index} is not {TYPE_NOUNS[kind]}", offset)
        return node

    def module_type(self, index: int, offset: int) -> ModuleType:
        found = at(self.core_types.types, index, "type", offset)
        if not isinstance(found, ModuleType):
            raise ValidationError(f"core type index {index} is not a module type", offset)
        return found

    def core_item(self, sort: str, index: int, offset: int) -> CoreExternType:
        """An item that core instances can export."""
        spaces: dict[str, Sequence[CoreExternType]] = {
            "core func": self.core_funcs,
            "core table": self.core_tables,
            "core memory": self.core_memories,
            "core global": self.core_globals,
            "core tag": self.core_tags,
        }
        if sort not in spaces:
            raise ValidationError(f"a core instance can't export a {sort}", offset)
        return at(spaces[sort], index, sort, offset)

    def entity(self, sort: str, index: int, offset: int) -> Entity:
        """An item that component instances can export and components can be given."""
        match sort:
            case "core module":
                return at(self.core_modules, index, sort, offset)
            case "func":
                return at(self.funcs, index, sort, offset)
            case "type":
                node = self.type_at(index, offset)
                return TypeEntity(node, node)
            case "component":
                return at(self.components, index, sort, offset)
            case "instance":
                return at(self.instances, index, sort, offset)
            case "value":
                return self.use_value(index, offset)
            case _:
                raise ValidationError(f"a {sort} can't be imported, exported or passed as an argument", offset)

    # ---- values ----------------------------------------------------------------------------------------------------

    def require_values(self, offset: int) -> None:
        """`ValidationError` where the feature `values` is off."""
        self.context.require(gates.VALUES, "a component-level value", offset)

    def use_value(self, index: int, offset: int) -> ValueEntity:
        """The value at `index`, which can be taken once."""
        self.require_values(offset)
        value = at(self.values, index, "value", offset)
        if index in self.used_values:
            raise ValidationError(f"value {index} cannot be used more than once", offset)
        self.used_values.add(index)
        return value

    def check_values_used(self, offset: int) -> None:
        """`ValidationError` where a value of a component is left over."""
        for index in range(len(self.values)):
            if index not in self.used_values:
                takers = "an instantiation, start function, or export"
                raise ValidationError(f"value index {index} was not used as part of {takers}", offset)

    # ---- adding ----------------------------------------------------------------------------------------------------

    def define(self, definition: Definition) -> None:
        self.definitions.append(definition)

    def add_core(self, item: CoreExternType, offset: int) -> None:
        match item:
            case CoreFuncType():
                append(self.core_funcs, item, "core func", offset)
            case CoreTableType():
                append(self.core_tables, item, "core table", offset)
            case CoreMemoryType():
                append(self.core_memories, item, "core memory", offset)
            case CoreGlobalType():
                append(self.core_globals, item, "core global", offset)
            case CoreTagType():
                append(self.core_tags, item, "core tag", offset)

    def add(self, entity: Entity, offset: int) -> None:
        """Append what an import, export or alias brings to the index space of its sort."""
        match entity:
            case ModuleType():
                append(self.core_modules, entity, "core module", offset)
            case FuncNode():
                append(self.funcs, entity, "func", offset)
            case TypeEntity():
                append(self.types, entity.created, "type", offset)
            case ComponentNode():
                append(self.components, entity, "component", offset)
            case InstanceNode():
                append(self.instances, entity, "instance", offset)
            case ValueEntity():
                append(self.values, entity, "value", offset)

    # ---- the scope's own type --------------------------------------------------------------------------------------

    def instance_type(self) -> InstanceNode:
        """What an instance type's declarators amount to."""
        return InstanceNode(self.exports.entities, self.exported or NO_RESOURCES)

    def component_type(self) -> ComponentNode:
        """What the imports and exports of a component or component type amount to."""
        imported, exported = self.imported or NO_RESOURCES, self.exported or NO_RESOURCES
        return ComponentNode(self.imports.entities, self.exports.entities, imported, exported)


def at(space: Sequence[T], index: int, sort: str, offset: int) -> T:
    """The item at `index` of the index space of `sort`."""
    if index >= len(space):
        noun = {"core func": "core function", "func": "function"}.get(sort, sort)
        raise ValidationError(f"unknown {noun} {index}: {noun} index out of bounds, there are {len(space)}", offset)
    return space[index]


def append(space: list[T], item: T, sort: str, offset: int) -> None:
    if len(space) >= MAX_INDEX_SPACE:
        raise ValidationError(f"too many items of sort {sort}: at most {MAX_INDEX_SPACE} are allowed", offset)
    space.append(item)


def bounded(node: N, offset: int) -> N:
    """The node itself; `ValidationError` where it is nested too deeply or too large to work with."""
    if node.depth > MAX_NESTING:
        raise ValidationError(f"instances are nested too deeply: at most {MAX_NESTING} levels are allowed", offset)
    if node.size > MAX_TYPE_SIZE:
        raise too_large(offset)
    return node


def of_sort(entity: Entity, sort: str, place: str, offset: int) -> Entity:
    """The entity itself, where it is of that sort."""
    if sort_of(entity) != sort:
        raise ValidationError(f"{place} is not a {sort}: it is a {sort_of(entity)}", offset)
    return entity
