"""Does a type mention resources only that are known where it stands?

In: the resources that are known, a type or what an import or export denotes. Out: yes or no. Every node is visited once
for all questions to one `Closed`, and no set is made for any of them: types share their parts, and a set for each of a
thousand types that share a thousand resources would be a million entries.

Spec: component-model `Binary.md`, notes on exports and on outer aliases (resource types transitively used).
"""

from __future__ import annotations

from collections.abc import Collection, Set

from wippywasm.binary.component import ModuleType
from wippywasm.binary.limits import ITEM, PARTS_AT_ONCE
from wippywasm.binary.nodes import (
    ComponentNode,
    Entity,
    FuncNode,
    InstanceNode,
    ResNode,
    TypeEntity,
    TypeNode,
    ValNode,
    ValueEntity,
)
from wippywasm.budget import Budget
from wippywasm.model import ResourceType

_WITH_PARTS = (ValNode, FuncNode)


class Closed:
    """Answers for one set of known resources, with those of the enclosing question."""

    def __init__(self, known: Set[ResourceType], budget: Budget, outer: Closed | None = None) -> None:
        self.known = known
        self.budget = budget
        self.outer = outer
        self._done: dict[object, tuple[TypeNode, bool]] = {}

    def holds(self, item: Entity | TypeNode, offset: int) -> bool:
        """Whether `item` mentions known resources only."""
        if isinstance(item, TypeEntity):
            item = item.created
        elif isinstance(item, ValueEntity):
            item = item.type
        if isinstance(item, ResNode):
            return self._knows(item.type)
        if isinstance(item, ModuleType) or (isinstance(item, _WITH_PARTS) and not item.parts):
            return True
        key = _key(item)
        done = self._done.get(key)
        if done is None:
            parts = _parts(item)
            self.budget.spend(ITEM.work + len(parts) // PARTS_AT_ONCE, offset)
            inner = self._within(item)
            closed = True
            for part in parts:  # no call for each but this: types are as deep as the stack allows
                if not inner.holds(part, offset):
                    closed = False
                    break
            done = self._done[key] = item, closed
        return done[1]

    def _knows(self, resource: ResourceType) -> bool:
        return resource in self.known or (self.outer is not None and self.outer._knows(resource))

    def _within(self, node: TypeNode) -> Closed:
        """The question for the parts of a type: what it introduces itself is known there."""
        if isinstance(node, InstanceNode) and node.introduced:
            return Closed(node.introduced.keys(), self.budget, self)
        if isinstance(node, ComponentNode):
            return Closed(node.imported.keys() | node.defined.keys(), self.budget, self)
        return self


class Without(Closed):
    """Answers whether a type mentions none of the resources that it is made for."""

    def _knows(self, resource: ResourceType) -> bool:
        return resource not in self.known


def _key(node: TypeNode) -> object:
    """What a type under a new index shares with the one that it is."""
    if isinstance(node, _WITH_PARTS):
        return id(node.parts)
    if isinstance(node, (InstanceNode, ComponentNode)):
        return id(node.exports), isinstance(node, InstanceNode) and not node.introduced
    return node


def _parts(node: TypeNode) -> Collection[Entity | TypeNode]:
    match node:
        case InstanceNode():
            return node.exports.values()
        case ComponentNode():
            return (*node.imports.values(), *node.exports.values())
        case ResNode():
            return ()
        case _:
            return node.parts
