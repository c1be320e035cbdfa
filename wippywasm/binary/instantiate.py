"""What instantiating a component yields: the type of the instance, with its arguments put in and resources of its own.

In: the component's type, the arguments. Out: the instance's node, or `ValidationError` for an argument that is missing
or does not fit.

Spec: component-model `Binary.md`, instance definitions (notes); `Explainer.md`, "Type Checking".
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm.binary.limits import ENTRY_ROOM, RESOURCE_ROOM
from wippywasm.binary.nodes import ComponentNode, Entity, InstanceNode, TypeEntity, TypeNode
from wippywasm.binary.substitute import Substitution
from wippywasm.binary.subtype import Checker
from wippywasm.budget import Budget
from wippywasm.errors import ValidationError
from wippywasm.model import ResourceType


def instantiate(component: ComponentNode, args: Mapping[str, Entity], budget: Budget, offset: int) -> InstanceNode:
    """The instance that `component` makes of `args`; arguments it does not import are ignored."""
    checker = Checker(budget, offset)
    supply = checker.open(args, component.imported)
    for name, expected in component.imports.items():
        if name not in args:
            raise ValidationError(f"missing import named `{name}` in the arguments of an instantiation", offset)
        checker.entity(args[name], expected, f"type mismatch for import `{name}`", supply)
    checker.release()
    budget.take(RESOURCE_ROOM * len(component.defined), offset)
    resources = dict(supply.resources)
    fresh = {resource: ResourceType(resource.name) for resource in component.defined}
    resources.update(fresh)
    pairs = Pairs(budget, offset)
    for name, expected in component.imports.items():
        pairs.add(expected, args[name])
    substitution = Substitution(resources, budget, offset, pairs.types)
    introduced = {fresh[resource]: path for resource, path in component.defined.items()}
    return InstanceNode(substitution.entities(component.exports), introduced)


class Pairs:
    """For every type that an import brings in, the argument's own type, whose name it goes by outside.

    Instances share their parts: each pair of them is entered once.
    """

    def __init__(self, budget: Budget, offset: int) -> None:
        self.budget = budget
        self.offset = offset
        self.types: dict[TypeNode, TypeNode] = {}
        self._entered: set[tuple[int, int]] = set()

    def add(self, inner: Entity, outer: Entity) -> None:
        """Pair the types of an import with those of its argument."""
        if isinstance(inner, TypeEntity) and isinstance(outer, TypeEntity):
            self.types[inner.created] = outer.created
        elif isinstance(inner, InstanceNode) and isinstance(outer, InstanceNode):
            pair = id(inner.exports), id(outer.exports)
            if pair not in self._entered:
                self._entered.add(pair)
                self.budget.spend(len(inner.exports), self.offset)
                self.budget.take(ENTRY_ROOM, self.offset)
                for name, entity in inner.exports.items():
                    self.add(entity, outer.exports[name])
