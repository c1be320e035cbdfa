"""Does a type mention resources only that are known where it stands?

In: the resources that are known, a type or what an import or export denotes. Out: yes or no. Every node is visited once
for all questions to one `Closed`, and no set is made for any of them: types share their parts, and a set for each of a
thousand types that share a thousand resources would be a million entries.

Spec: component-model `Binary.md`, notes on exports and on outer aliases (resource types transitively used).
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from wippywasm.binary.component import ModuleType
from wippywasm.binary.limits import ITEM, Budget
from wippywasm.binary.nodes import (
    ComponentNode,
    Entity,
    InstanceNode,
    ResNode,
    TypeEntity,
    TypeNode,
    ValueEntity,
)
from wippywasm.model import ResourceType


class Closed:
    """Answers for one set of known resources, with those of the enclosing question."""

    def __init__(self, known: Set[ResourceType], budget: Budget, outer: Closed | None = None) -> None:
        self.known = known
        self.budget = budget
        self.outer = outer
        self._done: dict[object, bool] = {}

    def holds(self, item: Entity | TypeNode, offset: int) -> bool:
        """Whether `item` mentions known resources only."""
        if isinstance(item, TypeEntity):
            item = item.created
        elif isinstance(item, ValueEntity):
            item = item.type
        if isinstance(item, ModuleType):
            return True
        if isinstance(item, ResNode):
            return self._knows(item.type)
        done = self._done.get(item)
        if done is None:
            self.budget.spend(ITEM, offset)
            inner = self._within(item)
            done = True
            for part in _parts(item):  # no call for each but this: types are as deep as the stack allows
                if not inner.holds(part, offset):
                    done = False
                    break
            self._done[item] = done
        return done

    def _knows(self, resource: ResourceType) -> bool:
        return resource in self.known or (self.outer is not None and self.outer._knows(resource))

    def _within(self, node: TypeNode) -> Closed:
        """The question for the parts of a type: what it introduces itself is known there."""
        if isinstance(node, InstanceNode) and node.introduced:
            return Closed(node.introduced.keys(), self.budget, self)
        if isinstance(node, ComponentNode):
            return Closed(node.imported.keys() | node.defined.keys(), self.budget, self)
        return self


def _parts(node: TypeNode) -> Iterable[Entity | TypeNode]:
    match node:
        case InstanceNode():
            return node.exports.values()
        case ComponentNode():
            return (*node.imports.values(), *node.exports.values())
        case ResNode():
            return ()
        case _:
            return node.parts
