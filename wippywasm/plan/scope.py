"""The scope of one instantiation: index spaces of items, and what the component's own resource types stand for.

In: definitions' items in order, and pairs of (type in this scope, item). Out: items by sort and index; types in terms
of the plan's resources.

The validator names resources per component, once. A component that is instantiated twice has each of its resources
twice, so every instantiation binds those names anew: wherever a type introduces resources, they are bound to those of
the item that enters the scope along with it.

Spec: `Binary.md` (index spaces), `Explainer.md` (resource type generativity).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from wippywasm.binary.component import (
    ComponentType,
    DefinedType,
    ExternType,
    InstanceType,
    ModuleType,
    TypeBound,
    ValueBound,
)
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan.growth import Growth
from wippywasm.plan.items import CoreExportRef, CoreRef, Item, PlanInstance
from wippywasm.plan.narrow import Narrowing
from wippywasm.plan.plan import PlanModule
from wippywasm.plan.substitute import Substitution


class RealCoreInstance:
    """A core instance that a module makes: its exports are named when they are asked for."""

    def __init__(self, index: int) -> None:
        self.index = index

    def export(self, name: str) -> CoreRef:
        return CoreExportRef(self.index, name)


class InlineCoreInstance:
    """A core instance that is only a bundle of items."""

    def __init__(self, exports: dict[str, CoreRef]) -> None:
        self._exports = exports

    def export(self, name: str) -> CoreRef:
        return self._exports[name]


CoreInstanceItem = RealCoreInstance | InlineCoreInstance


class Scope:
    """What one instantiation of a component sees. `outer` is the scope in which the component was defined.

    `modules` are those of its plan, which `StaticModule`s count in; `growth` and `narrowing` are its plan's too.
    """

    def __init__(self, outer: Scope | None, modules: list[PlanModule], growth: Growth, narrowing: Narrowing) -> None:
        self.outer = outer
        self.modules = modules
        self.growth = growth
        self.narrowing = narrowing
        self.core: defaultdict[str, list[CoreRef]] = defaultdict(list)
        self.core_instances: list[CoreInstanceItem] = []
        self.items: defaultdict[str, list[Item]] = defaultdict(list)
        self._resources: dict[ResourceType, ResourceType] = {}
        self._substitution = Substitution(self.resource, growth.type)

    def enclosing(self, count: int) -> Scope:
        """The scope `count` steps outwards: 0 is this one."""
        scope = self
        for _ in range(count):
            assert scope.outer is not None, "the validator bounds outer aliases"
            scope = scope.outer
        return scope

    def resource(self, static: ResourceType) -> ResourceType:
        """The plan's resource that the component's own `static` stands for in this instantiation."""
        scope: Scope | None = self
        while scope is not None:
            if static in scope._resources:
                return scope._resources[static]
            scope = scope.outer
        raise KeyError(f"resource {static.name!r} has not been bound")

    def func_type(self, t: FuncType) -> FuncType:
        """A function type of this component, in terms of the plan's resources."""
        return self._substitution.func(t)

    def type(self, t: DefinedType) -> DefinedType:
        """A type of this component in terms of the plan's resources; types of instances and components as they are."""
        return self._substitution.type(t)

    def bind(self, type: ExternType, item: Item) -> None:
        """Let the resources that `type` introduces stand for those of `item`; others in it are bound already."""
        if isinstance(type, TypeBound):
            if isinstance(type.type, ResourceType) and isinstance(item, ResourceType):
                self._resources[type.type] = item
        elif isinstance(type, InstanceType) and isinstance(item, PlanInstance):
            for resource, path in type.introduced.items():
                found = _at(item, path)
                if isinstance(found, ResourceType):
                    self._resources[resource] = found


def _at(item: Item, path: Iterable[str]) -> Item:
    """What stands at the end of a path through instances."""
    for name in path:
        assert isinstance(item, PlanInstance), "the validator found the path"
        item = item.exports[name]
    return item


_SORTS: dict[type, str] = {
    ModuleType: "core module",
    FuncType: "func",
    ValueBound: "value",
    TypeBound: "type",
    ComponentType: "component",
    InstanceType: "instance",
}


def sort_of(t: ExternType) -> str:
    """The sort of an import or export of that type."""
    return _SORTS[type(t)]
