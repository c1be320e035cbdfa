"""Types as the validator holds them: the shared model's types, with the identity that index spaces add.

In: what the decoder read. Out: nodes whose identity is that of a type index, and on demand the public types of
`binary.component`. The specification compares types by structure, but asks of the types in an import or export that
they be *named*, and a name belongs to a type index: a record and its exported alias are equal, yet only one is named.

Spec: component-model `Explainer.md`, "Type Checking" and "External Visibility of Types".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TypeAlias

from wippywasm.binary.component import (
    ComponentType,
    DefinedType,
    ExternType,
    InstanceType,
    ModuleType,
    TypeBound,
    ValueBound,
)
from wippywasm.dataclass import dataclass
from wippywasm.model import (
    BorrowType,
    EnumType,
    FlagsType,
    FuncType,
    Prim,
    RecordType,
    ResourceType,
    ValType,
    VariantType,
)

Path: TypeAlias = tuple[str, ...]
"""Names that lead from a scope through instances to an export."""
Resources: TypeAlias = Mapping[ResourceType, Path]


@dataclass(eq=False, slots=True)
class ResNode:
    """A type index that stands for a resource type."""

    type: ResourceType

    def renamed(self) -> ResNode:
        """The same type under a new index."""
        return ResNode(self.type)


@dataclass(eq=False, slots=True)
class ValNode:
    """A value type and the nodes that it was built from; for a handle that is its resource's."""

    type: ValType
    parts: tuple[ValNode | ResNode, ...] = ()
    has_borrow: bool = False
    size: int = 1

    def renamed(self) -> ValNode:
        """The same type under a new index."""
        return ValNode(self.type, self.parts, self.has_borrow, self.size)

    @property
    def is_nominal(self) -> bool:
        """Languages give these types a name, so an import or export that uses one must name it too."""
        return isinstance(self.type, _NOMINAL)


_NOMINAL = (RecordType, VariantType, EnumType, FlagsType)


@dataclass(eq=False, slots=True)
class FuncNode:
    """A function type; `parts` are its parameters and then its result, if it has one."""

    type: FuncType
    parts: tuple[ValNode, ...] = ()
    size: int = 0

    def __post_init__(self) -> None:
        if not self.size:
            self.size = 1 + sum([part.size for part in self.parts])

    def renamed(self) -> FuncNode:
        """The same type under a new index."""
        return FuncNode(self.type, self.parts, self.size)


@dataclass(eq=False, slots=True)
class TypeEntity:
    """A `type` import or export: the new index `created` for what was `referenced`; `fresh` for `(sub resource)`."""

    created: TypeNode
    referenced: TypeNode
    fresh: bool = False


@dataclass(eq=False, slots=True)
class ValueEntity:
    type: ValNode


NO_RESOURCES: Resources = MappingProxyType({})
"""One for all: most instances are within a type that introduces their resources."""


def no_resources() -> Resources:
    return NO_RESOURCES


@dataclass(eq=False, slots=True)
class InstanceNode:
    """An instance or instance type. `introduced` are resources that exports declare, and the paths to them."""

    exports: dict[str, Entity]
    introduced: Resources = field(default_factory=no_resources)
    depth: int = 0
    size: int = 0
    _model: InstanceType | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.size:
            self.depth = 1 + max(map(depth_of, self.exports.values()), default=0)
            self.size = 1 + sum(map(size_of, self.exports.values()))

    def renamed(self) -> InstanceNode:
        """The same type under a new index."""
        return InstanceNode(self.exports, self.introduced, self.depth, self.size)

    def within(self) -> InstanceNode:
        """The same exports in a type that introduces the resources of all its exports itself."""
        return InstanceNode(self.exports, NO_RESOURCES, self.depth, self.size) if self.introduced else self

    @property
    def model(self) -> InstanceType:
        if self._model is None:
            self._model = InstanceType(PublicEntities(self.exports, self.introduced), self.introduced)
        return self._model


@dataclass(eq=False, slots=True)
class ComponentNode:
    """A component or component type. `imported` and `defined` are its resources, with the paths to them."""

    imports: dict[str, Entity]
    exports: dict[str, Entity]
    imported: Resources = field(default_factory=no_resources)
    defined: Resources = field(default_factory=no_resources)
    depth: int = 0
    size: int = 0
    _model: ComponentType | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.size:
            entities = (*self.imports.values(), *self.exports.values())
            self.depth = 1 + max(map(depth_of, entities), default=0)
            self.size = 1 + sum(map(size_of, entities))

    def renamed(self) -> ComponentNode:
        """The same type under a new index."""
        return ComponentNode(self.imports, self.exports, self.imported, self.defined, self.depth, self.size)

    @property
    def model(self) -> ComponentType:
        if self._model is None:
            self._model = ComponentType(
                PublicEntities(self.imports, self.imported), PublicEntities(self.exports, self.defined)
            )
        return self._model


TypeNode: TypeAlias = ValNode | FuncNode | ResNode | InstanceNode | ComponentNode
Entity: TypeAlias = ModuleType | FuncNode | ValueEntity | TypeEntity | ComponentNode | InstanceNode

PRIM_NODES: dict[Prim, ValNode] = {}


def prim_node(prim: Prim) -> ValNode:
    """The node of a primitive type; one for all, since a primitive needs no name."""
    return PRIM_NODES.setdefault(prim, ValNode(prim))


def borrow_node(resource: ResNode) -> ValNode:
    return ValNode(BorrowType(resource.type), (resource,), True)


def depth_of(entity: Entity) -> int:
    match entity:
        case InstanceNode() | ComponentNode():
            return entity.depth
        case TypeEntity(created=InstanceNode() | ComponentNode() as node):
            return node.depth
        case _:
            return 0


def size_of(entity: Entity) -> int:
    match entity:
        case InstanceNode() | ComponentNode() | FuncNode():
            return entity.size
        case TypeEntity(created=ValNode() | FuncNode() | InstanceNode() | ComponentNode() as node):
            return node.size
        case _:
            return 1


# ---- the public types -----------------------------------------------------------------------------------------------


class PublicEntities(Mapping[str, ExternType]):
    """Imports or exports in the terms of `binary.component`, made when they are first asked for.

    Few of the types of a file are ever looked at but by the validator, and each would take twice the room.
    """

    __slots__ = ("_entities", "_introduced", "_made")

    def __init__(self, entities: dict[str, Entity], introduced: Resources) -> None:
        self._entities = entities
        self._introduced = introduced
        self._made: dict[str, ExternType] | None = None

    def _all(self) -> dict[str, ExternType]:
        if self._made is None:
            self._made = public_entities(self._entities, self._introduced)
        return self._made

    def __getitem__(self, name: str) -> ExternType:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entities)

    def __len__(self) -> int:
        return len(self._entities)

    def __repr__(self) -> str:
        return repr(self._all())


def public_entities(entities: Mapping[str, Entity], introduced: Resources) -> dict[str, ExternType]:
    """Imports or exports in the terms of `binary.component`; `introduced` tells which types are fresh, and where."""
    below: dict[str, dict[ResourceType, Path]] = {}
    for resource, path in introduced.items():
        below.setdefault(path[0], {})[resource] = path[1:]
    found: dict[str, ExternType] = {}
    for name, entity in entities.items():
        found[name] = public_entity(entity, below.get(name, {}))
    return found


def public_entity(entity: Entity, introduced: Resources) -> ExternType:
    """One import or export; a type entity is fresh where it is the one that introduces its resource."""
    match entity:
        case ModuleType():
            return entity
        case FuncNode():
            return entity.type
        case ValueEntity():
            return ValueBound(entity.type.type)
        case TypeEntity(created=ResNode(type=resource)):
            return TypeBound(resource, entity.fresh or resource in introduced)
        case TypeEntity():
            return TypeBound(public_type(entity.created))
        case InstanceNode() if introduced is not entity.introduced and introduced != entity.introduced:
            return InstanceType(PublicEntities(entity.exports, introduced), introduced)
        case InstanceNode() | ComponentNode():
            return entity.model


def public(entity: Entity) -> ExternType:
    """An item of an index space in the terms of `binary.component`."""
    return public_entity(entity, entity.introduced if isinstance(entity, InstanceNode) else {})


def public_type(node: TypeNode) -> DefinedType:
    """A type of an index space in the terms of `binary.component`."""
    return node.model if isinstance(node, InstanceNode | ComponentNode) else node.type


SORTS: dict[type[object], str] = {
    ModuleType: "core module",
    FuncNode: "func",
    ValueEntity: "value",
    TypeEntity: "type",
    ComponentNode: "component",
    InstanceNode: "instance",
}


def sort_of(entity: Entity) -> str:
    """The sort of an import or export, by its name in the text format."""
    return SORTS[type(entity)]
