"""Subtyping of what imports and exports denote: functions, types, instances, components, modules.

In: what is there and what is expected. Out: nothing, or `ValidationError` with the path to the first difference.
An expected type that introduces resources is opened first: each is replaced by the resource that stands at the same
path of what is there, and then resources are compared by identity.

Spec: component-model `Explainer.md`, "Type Checking"; `Binary.md`, instance definitions (notes).
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm.binary.component import ModuleType
from wippywasm.binary.core_subtype import comparison, module_mismatch
from wippywasm.binary.limits import ENTRY_ROOM, NODE, NODE_ROOM
from wippywasm.binary.nodes import (
    ComponentNode,
    Entity,
    FuncNode,
    InstanceNode,
    Path,
    ResNode,
    Resources,
    TypeEntity,
    TypeNode,
    ValNode,
    ValueEntity,
    sort_of,
)
from wippywasm.binary.substitute import Substitution
from wippywasm.binary.value_mismatch import difference, func_difference, kind_of
from wippywasm.budget import Budget, BudgetError
from wippywasm.errors import ValidationError
from wippywasm.model import Prim, ResourceType

_TYPE_KINDS: dict[type[object], str] = {
    ResNode: "resource",
    ValNode: "defined type",
    FuncNode: "func",
    InstanceNode: "instance",
    ComponentNode: "component",
}


class Checker:
    """Compares for one definition, at `offset`; remembers the pairs it has compared."""

    def __init__(self, budget: Budget, offset: int) -> None:
        self.budget = budget
        self.offset = offset
        self._room = budget.room
        self.passed: set[tuple[object, object, Substitution]] = set()
        self._supplies: dict[frozenset[tuple[ResourceType, ResourceType]], Substitution] = {}

    def release(self) -> None:
        """Give back the room of what was made to compare, when all is compared."""
        self.budget.room = self._room

    def fail(self, message: str) -> ValidationError:
        return ValidationError(message, self.offset)

    def entity(self, actual: Entity, expected: Entity, place: str, supply: Substitution) -> None:
        """Can `actual` stand in for what `supply` makes of `expected`? `place` opens the message where it can't."""
        key = (actual, expected, supply)
        if (actual is expected and not supply.resources) or key in self.passed:
            return
        self.budget.spend(NODE, self.offset)
        self.budget.take(ENTRY_ROOM, self.offset)
        try:
            self._entity(actual, expected, supply)
        except BudgetError:
            raise
        except ValidationError as error:
            raise self.fail(f"{place}: {error.message}") from None
        self.passed.add(key)

    def ascription(self, actual: Entity, ascribed: Entity) -> None:
        """Can an export of type `actual` be shown as `ascribed`, whose resources may be abstract?"""
        if isinstance(ascribed, TypeEntity) and ascribed.fresh:
            if isinstance(actual, TypeEntity) and isinstance(actual.created, ResNode):
                return
            raise self.fail("ascribed type of export is not compatible: expected resource")
        self.entity(actual, ascribed, "ascribed type of export is not compatible", self.supply({}))

    def _entity(self, actual: Entity, expected: Entity, supply: Substitution) -> None:
        match actual, expected:
            case ModuleType(), ModuleType():
                compared = comparison(actual.imports) + comparison(expected.exports)
                self.budget.spend(compared + len(expected.imports) + len(actual.exports), self.offset)
                self._refuse(module_mismatch(actual, expected))
            case FuncNode(), FuncNode():
                self._func(actual, supply.func(expected))
            case ValueEntity(), ValueEntity():
                self._value(actual.type, supply.value(expected.type))
            case TypeEntity(), TypeEntity():
                self._type(actual.created, expected.created, supply)
            case InstanceNode(), InstanceNode():
                self._instance(actual, expected, supply)
            case ComponentNode(), ComponentNode():
                self._component(actual, supply.component(expected))
            case _:
                raise self.fail(f"expected {sort_of(expected)}, found {sort_of(actual)}")

    def _refuse(self, why: str | None) -> None:
        if why is not None:
            raise self.fail(why)

    def _func(self, actual: FuncNode, expected: FuncNode) -> None:
        if actual.type is not expected.type:
            raise self.fail(func_difference(actual.type, expected.type))

    def _value(self, actual: ValNode, expected: ValNode) -> None:
        if actual.type is expected.type:
            return
        if isinstance(actual.type, Prim) and not isinstance(expected.type, Prim):
            raise self.fail(f"expected {kind_of(expected.type)}, found {actual.type.name}")
        raise self.fail(difference(actual.type, expected.type))

    def _type(self, actual: TypeNode, expected: TypeNode, supply: Substitution) -> None:
        """A type given for a `type` import or export."""
        match actual, expected:
            case ResNode(), ResNode():
                wanted = supply.resources.get(expected.type, expected.type)
                self._refuse(None if actual.type is wanted else "resource types are not the same")
            case ValNode(), ValNode():
                self._value(actual, supply.value(expected))
            case FuncNode(), FuncNode():
                self._func(actual, supply.func(expected))
            case InstanceNode(), InstanceNode():
                self._instance(actual, expected, supply)
            case ComponentNode(), ComponentNode():
                self._component(actual, supply.component(expected))
            case _:
                raise self.fail(f"expected {_TYPE_KINDS[type(expected)]}, found {_TYPE_KINDS[type(actual)]}")

    def _instance(self, actual: InstanceNode, expected: InstanceNode, supply: Substitution) -> None:
        if expected.introduced:
            opened = self.open(actual.exports, expected.introduced).resources
            self.budget.spend(len(supply.resources), self.offset)
            supply = self.supply({**supply.resources, **opened})
        self.all(actual.exports, expected.exports, "export", "type mismatch in instance export", supply)

    def _component(self, actual: ComponentNode, expected: ComponentNode) -> None:
        """`actual` may import less and export more; it sees `expected`'s imports, so those are opened for it."""
        supply = self.open(expected.imports, actual.imported)
        self.all(expected.imports, actual.imports, "import", "type mismatch in import", supply)
        exports = supply.entities(actual.exports)
        wanted = self.open(exports, expected.defined)
        self.all(exports, expected.exports, "export", "type mismatch in export", wanted)

    def all(
        self,
        actual: Mapping[str, Entity],
        expected: Mapping[str, Entity],
        what: str,
        place: str,
        supply: Substitution,
    ) -> None:
        """Everything in `expected` is in `actual`, with a type that fits what `supply` makes of it."""
        for name, entity in expected.items():
            found = actual.get(name)
            if found is None:
                raise self.fail(f"missing expected {what} `{name}`")
            self.entity(found, entity, f"{place} `{name}`", supply)

    def open(self, actual: Mapping[str, Entity], wanted: Resources) -> Substitution:
        """The substitution that gives each wanted resource the one at the same path of `actual`."""
        self.budget.spend(len(wanted), self.offset)
        self.budget.take(ENTRY_ROOM * len(wanted), self.offset)
        found: dict[ResourceType, ResourceType] = {}
        for resource, path in wanted.items():
            entity = lookup(actual, path)
            if isinstance(entity, TypeEntity) and isinstance(entity.created, ResNode):
                found[resource] = entity.created.type
        return self.supply(found)

    def supply(self, resources: Mapping[ResourceType, ResourceType]) -> Substitution:
        """One for all equal mappings, so that pairs are known again under it."""
        key = frozenset(resources.items())
        known = self._supplies.get(key)
        if known is None:
            self.budget.take(NODE_ROOM + ENTRY_ROOM * len(key), self.offset)
            known = self._supplies[key] = Substitution(resources, self.budget, self.offset)
        return known


def lookup(entities: Mapping[str, Entity], path: Path) -> Entity | None:
    """What stands at the end of a path through instances, or None."""
    *instances, last = path
    for name in instances:
        entity = entities.get(name)
        if not isinstance(entity, InstanceNode):
            return None
        entities = entity.exports
    return entities.get(last)
