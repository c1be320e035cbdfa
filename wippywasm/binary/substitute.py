"""Substitution of resource types and named types in a type: what `instantiate` and fresh instances are made of.

In: a mapping from resource types (and the type indices that stand for them) to others, and nodes. Out: the nodes with
the mapping applied; a node in which nothing changes is returned itself. Shared nodes stay shared, so the cost is the
size of the graph and not that of the tree it stands for.

Spec: component-model `Explainer.md`, "Type Checking" (substitution by `instantiate`, freshness of resources).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from wippywasm.binary.component import ModuleType
from wippywasm.binary.limits import (
    ENTRY_ROOM,
    FIELD,
    FUNC_ROOM,
    NEW_TYPE,
    NODE,
    NODE_ROOM,
    PARTS_AT_ONCE,
    RESOURCE_ROOM,
)
from wippywasm.binary.nodes import (
    NO_RESOURCES,
    ComponentNode,
    Entity,
    FuncNode,
    InstanceNode,
    ResNode,
    Resources,
    TypeEntity,
    TypeNode,
    ValNode,
    ValueEntity,
)
from wippywasm.budget import Budget
from wippywasm.model import FuncType, Param, ResourceType, ValType, with_parts

N = TypeVar("N")


class Substitution:
    """One mapping, applied to as many nodes as wanted; remembers what it made of each."""

    def __init__(
        self,
        resources: Mapping[ResourceType, ResourceType],
        budget: Budget,
        offset: int,
        nodes: Mapping[TypeNode, TypeNode] | None = None,
    ) -> None:
        self.resources = resources
        self.budget = budget
        self.offset = offset
        self.changes_nothing = not resources and not nodes
        self.done: dict[object, object] = {}
        for inner, outer in (nodes or {}).items():
            self.done[inner] = outer

    def entity(self, entity: Entity) -> Entity:
        match entity:
            case ModuleType():
                return entity
            case TypeEntity():
                return self._once(entity, self._type_entity)
            case ValueEntity():
                return ValueEntity(self.value(entity.type))
            case FuncNode():
                return self.func(entity)
            case InstanceNode():
                return self.instance(entity)
            case ComponentNode():
                return self.component(entity)

    def node(self, node: TypeNode) -> TypeNode:
        match node:
            case ResNode():
                return self.resource(node)
            case ValNode():
                return self.value(node)
            case FuncNode():
                return self.func(node)
            case InstanceNode():
                return self.instance(node)
            case ComponentNode():
                return self.component(node)

    def resource(self, node: ResNode) -> ResNode:
        return self._once(node, self._resource)

    def value(self, node: ValNode) -> ValNode:
        done = self.done.get(node)
        if done is None:
            if not node.parts or self.changes_nothing:
                return node
            self.budget.spend(NODE + len(node.parts) // PARTS_AT_ONCE, self.offset)
            parts: list[ValNode | ResNode] = []
            for part in node.parts:  # a frame for each level of a type is all that it may take
                parts.append(self.value(part) if isinstance(part, ValNode) else self.resource(part))
            done = self.done[node] = self._value(node, tuple(parts))
        return cast(ValNode, done)

    def func(self, node: FuncNode) -> FuncNode:
        return node if self.changes_nothing else self._once(node, self._func)

    def instance(self, node: InstanceNode) -> InstanceNode:
        if self.changes_nothing:
            return node
        done = self.done.get(node)
        if done is None:
            self.budget.spend(NODE, self.offset)
            done = self.done[node] = self._instance(node, self.entities(node.exports))
        return cast(InstanceNode, done)

    def component(self, node: ComponentNode) -> ComponentNode:
        return node if self.changes_nothing else self._once(node, self._component)

    def entities(self, entities: dict[str, Entity]) -> dict[str, Entity]:
        if self.changes_nothing:
            self.budget.spend(len(entities) // PARTS_AT_ONCE, self.offset)  # for what is done with them
            return entities
        self.budget.spend(NODE * len(entities), self.offset)
        self.budget.take(NODE_ROOM + ENTRY_ROOM * len(entities), self.offset)
        found: dict[str, Entity] = {}
        for name, entity in entities.items():
            found[name] = self.entity(entity)
        return found

    def paths(self, resources: Resources) -> Resources:
        if not resources:
            return NO_RESOURCES
        self.budget.spend(len(resources), self.offset)
        self.budget.take(ENTRY_ROOM * len(resources), self.offset)
        return {self.resources.get(resource, resource): path for resource, path in resources.items()}

    def _once(self, node: N, make: Callable[[N], N]) -> N:
        done = self.done.get(node)
        if done is None:
            self.budget.spend(NODE, self.offset)
            done = self.done[node] = make(node)
        return cast(N, done)

    def _type_entity(self, entity: TypeEntity) -> TypeEntity:
        created, referenced = self.node(entity.created), self.node(entity.referenced)
        if created is entity.created and referenced is entity.referenced:
            return entity
        self.budget.take(ENTRY_ROOM, self.offset)
        return TypeEntity(created, referenced, entity.fresh)

    def _resource(self, node: ResNode) -> ResNode:
        resource = self.resources.get(node.type)
        if resource is None or resource is node.type:
            return node
        self.budget.take(ENTRY_ROOM, self.offset)
        return ResNode(resource)

    def _value(self, node: ValNode, parts: tuple[ValNode | ResNode, ...]) -> ValNode:
        if all(new is old for new, old in zip(parts, node.parts)):
            return node
        self._make(NODE_ROOM, len(parts))
        return ValNode(rebuild(node.type, parts), parts, node.has_borrow, node.size)

    def _func(self, node: FuncNode) -> FuncNode:
        self.budget.spend(len(node.parts) // PARTS_AT_ONCE, self.offset)
        parts = tuple([self.value(part) for part in node.parts])
        if all(new is old for new, old in zip(parts, node.parts)):
            return node
        self._make(FUNC_ROOM, len(parts))
        params = tuple([Param(param.name, part.type) for param, part in zip(node.type.params, parts)])
        result = None if node.type.result is None else parts[-1].type
        return FuncNode(FuncType(params, result, node.type.is_async), parts)

    def _make(self, room: int, parts: int) -> None:
        self.budget.spend(NEW_TYPE.work + FIELD.work * parts, self.offset)
        self.budget.take(room + ENTRY_ROOM * parts, self.offset)

    def _instance(self, node: InstanceNode, exports: dict[str, Entity]) -> InstanceNode:
        introduced = self.paths(node.introduced)
        if introduced.keys() == node.introduced.keys() and same(exports, node.exports):
            return node
        return InstanceNode(exports, introduced)

    def _component(self, node: ComponentNode) -> ComponentNode:
        imports, exports = self.entities(node.imports), self.entities(node.exports)
        if same(imports, node.imports) and same(exports, node.exports):
            return node
        return ComponentNode(imports, exports, self.paths(node.imported), self.paths(node.defined))


def same(new: Mapping[str, Entity], old: Mapping[str, Entity]) -> bool:
    return all(new[name] is entity for name, entity in old.items())


def rebuild(type: ValType, parts: tuple[ValNode | ResNode, ...]) -> ValType:
    """The same type constructor over other parts."""
    queue = iter([part.type for part in parts])

    def take(_: object) -> Any:
        return next(queue)

    return with_parts(type, take, take)


def freshen(node: InstanceNode, budget: Budget, offset: int) -> InstanceNode:
    """An instance of an instance type: resources of its own for those that the type introduces."""
    if not node.introduced:
        return node
    budget.take(RESOURCE_ROOM * len(node.introduced), offset)
    fresh = {resource: ResourceType(resource.name) for resource in node.introduced}
    return Substitution(fresh, budget, offset).instance(node)
