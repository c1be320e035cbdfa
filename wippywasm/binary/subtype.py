"""Subtyping of what imports and exports denote: functions, types, instances, components, modules.

In: what is there and what is expected. Out: nothing, or `ValidationError` with the path to the first difference.
An expected type that introduces resources is opened first: each is replaced by the resource that stands at the same
path of what is there, and then resources are compared by identity.

Spec: component-model `Explainer.md`, "Type Checking"; `Binary.md`, instance definitions (notes).
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm.binary.component import ModuleType
from wippywasm.binary.core_subtype import module_mismatch
from wippywasm.binary.limits import NODE, Budget
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
        self.passed: set[tuple[object, object]] = set()

    def fail(self, message: str) -> ValidationError:
        return ValidationError(message, self.offset)

    def entity(self, actual: Entity, expected: Entity, place: str) -> None:
        """Can `actual` stand in for `expected`? `place` opens the message where it can't."""
        if actual is expected or (actual, expected) in self.passed:
            return
        self.budget.spend(NODE, self.offset)
        try:
            self._entity(actual, expected)
        except ValidationError as error:
            raise self.fail(f"{place}: {error.message}") from None
        self.passed.add((actual, expected))

    def ascription(self, actual: Entity, ascribed: Entity) -> None:
        """Can an export of type `actual` be shown as `ascribed`, whose resources may be abstract?"""
        if isinstance(ascribed, TypeEntity) and ascribed.fresh:
            if isinstance(actual, TypeEntity) and isinstance(actual.created, ResNode):
                return
            raise self.fail("ascribed type of export is not compatible: expected resource")
        self.entity(actual, ascribed, "ascribed type of export is not compatible")

    def _entity(self, actual: Entity, expected: Entity) -> None:
        match actual, expected:
            case ModuleType(), ModuleType():
                self.budget.spend(len(actual.imports) + len(expected.imports) + len(actual.exports), self.offset)
                self._refuse(module_mismatch(actual, expected))
            case FuncNode(), FuncNode():
                self._func(actual, expected)
            case ValueEntity(), ValueEntity():
                self._value(actual.type, expected.type)
            case TypeEntity(), TypeEntity():
                self.type(actual.created, expected.created)
            case InstanceNode(), InstanceNode():
                self.instance(actual, expected)
            case ComponentNode(), ComponentNode():
                self.component(actual, expected)
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

    def type(self, actual: TypeNode, expected: TypeNode) -> None:
        """A type given for a `type` import or export."""
        match actual, expected:
            case ResNode(), ResNode():
                self._refuse(None if actual.type is expected.type else "resource types are not the same")
            case ValNode(), ValNode():
                self._value(actual, expected)
            case FuncNode(), FuncNode():
                self._func(actual, expected)
            case InstanceNode(), InstanceNode():
                self.instance(actual, expected)
            case ComponentNode(), ComponentNode():
                self.component(actual, expected)
            case _:
                raise self.fail(f"expected {_TYPE_KINDS[type(expected)]}, found {_TYPE_KINDS[type(actual)]}")

    def instance(self, actual: InstanceNode, expected: InstanceNode) -> None:
        opened = self.open(actual.exports, expected.introduced).entities(expected.exports)
        self.all(actual.exports, opened, "export", "type mismatch in instance export")

    def component(self, actual: ComponentNode, expected: ComponentNode) -> None:
        """`actual` may import less and export more; it sees `expected`'s imports, so those are opened for it."""
        supply = self.open(expected.imports, actual.imported)
        self.all(expected.imports, supply.entities(actual.imports), "import", "type mismatch in import")
        exports = supply.entities(actual.exports)
        wanted = self.open(exports, expected.defined).entities(expected.exports)
        self.all(exports, wanted, "export", "type mismatch in export")

    def all(self, actual: Mapping[str, Entity], expected: Mapping[str, Entity], what: str, place: str) -> None:
        """Everything in `expected` is in `actual`, with a type that fits."""
        for name, entity in expected.items():
            found = actual.get(name)
            if found is None:
                raise self.fail(f"missing expected {what} `{name}`")
            self.entity(found, entity, f"{place} `{name}`")

    def open(self, actual: Mapping[str, Entity], wanted: Resources) -> Substitution:
        """The substitution that gives each wanted resource the one at the same path of `actual`."""
        found: dict[ResourceType, ResourceType] = {}
        for resource, path in wanted.items():
            entity = lookup(actual, path)
            if isinstance(entity, TypeEntity) and isinstance(entity.created, ResNode):
                found[resource] = entity.created.type
        return Substitution(found, self.budget, self.offset)


def lookup(entities: Mapping[str, Entity], path: Path) -> Entity | None:
    """What stands at the end of a path through instances, or None."""
    *instances, last = path
    for name in instances:
        entity = entities.get(name)
        if not isinstance(entity, InstanceNode):
            return None
        entities = entity.exports
    return entities.get(last)
