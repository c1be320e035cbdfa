"""What instantiating a component yields: the type of the instance, with its arguments put in and resources of its own.

In: the component's type, the arguments. Out: the instance's node, or `ValidationError` for an argument that is missing
or does not fit.

Spec: component-model `Binary.md`, instance definitions (notes); `Explainer.md`, "Type Checking".
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm.binary.limits import RESOURCE_ROOM, Budget
from wippywasm.binary.nodes import ComponentNode, Entity, InstanceNode, TypeEntity, TypeNode
from wippywasm.binary.substitute import Substitution
from wippywasm.binary.subtype import Checker
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
    budget.take(RESOURCE_ROOM * len(component.defined), offset)
    resources = dict(supply.resources)
    fresh = {resource: ResourceType(resource.name) for resource in component.defined}
    resources.update(fresh)
    nodes: dict[TypeNode, TypeNode] = {}
    for name, expected in component.imports.items():
        pair_types(expected, args[name], nodes, budget, offset)
    substitution = Substitution(resources, budget, offset, nodes)
    introduced = {fresh[resource]: path for resource, path in component.defined.items()}
    return InstanceNode(substitution.entities(component.exports), introduced)


def pair_types(inner: Entity, outer: Entity, nodes: dict[TypeNode, TypeNode], budget: Budget, offset: int) -> None:
    """Collect, for every type that an import brings in, the argument's own type, whose name it goes by outside."""
    if isinstance(inner, TypeEntity) and isinstance(outer, TypeEntity):
        nodes[inner.created] = outer.created
    elif isinstance(inner, InstanceNode) and isinstance(outer, InstanceNode):
        budget.spend(len(inner.exports), offset)
        for name, entity in inner.exports.items():
            pair_types(entity, outer.exports[name], nodes, budget, offset)
