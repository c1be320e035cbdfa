"""Python classes for the types of a world, matched with the functions of a component.

In: the WIT of a world and the classes of its named types, as `wippywasm bindgen` writes them; a plan with its linked
imports. Out: `Bound`: the types of functions with classes in them, from which the canonical ABI makes code that takes
and gives objects of those classes. A component that does not have the world's functions is refused, with the place.

Imports that a host of ours or another guest serves keep their plain types: those hosts know no classes.

Spec: `WIT.md`, "WIT Worlds".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from wippywasm.abi import GuestResource
from wippywasm.abi.classes import with_class
from wippywasm.dataclass import dataclass
from wippywasm.errors import LinkError, NotFoundError
from wippywasm.instance.bound import Bound
from wippywasm.instance.functions import find_key
from wippywasm.instance.names import best_match
from wippywasm.model import FuncType, ResourceType, ValType
from wippywasm.plan import Plan
from wippywasm.wit import (
    Comparison,
    Flattener,
    Function,
    Interface,
    Resolution,
    TypeDef,
    WorldScope,
    parse,
    world_scopes,
)
from wippywasm.wit.source import Source

Classes: TypeAlias = Mapping[str, Any]
"""By the names of an interface's types: a class, or the tuple of the classes of a variant's cases."""
ROOT = ("world", "")
"""The key of the types that a world itself defines; the others are `(direction, name of the import or export)`."""


class Bindings:
    """What a generated package knows of its world. `wit` is a document whose only world it is."""

    def __init__(self, wit: str, classes: Mapping[tuple[str, str], Classes]) -> None:
        self.wit = wit
        self.classes = classes
        self._bound: WeakKeyDictionary[Plan, dict[frozenset[int], Bound]] = WeakKeyDictionary()

    @cached_property
    def scopes(self) -> list[WorldScope]:
        """What the world imports and exports; read when it is first asked for."""
        resolution: Resolution = parse([Source("<bindings>", self.wit)], all_features=True)
        return list(world_scopes(resolution.world()))

    def bind(self, plan: Plan, functions: Mapping[str, FuncType], own: frozenset[int]) -> Bound:
        """The types for a plan that exports `functions`; `own` are the numbers of imports that Python objects serve.

        Raises LinkError where the component has not what the world says.
        """
        known = self._bound.setdefault(plan, {})
        if own not in known:
            known[own] = _Binder(self, plan, functions, own).bound()
        return known[own]


@dataclass(frozen=True)
class _Pair:
    """A function of the world, and what the component calls it: a key of its exports, or the number of an import."""

    scope: WorldScope
    function: Function
    place: str | int


class _Binder:
    def __init__(self, bindings: Bindings, plan: Plan, functions: Mapping[str, FuncType], own: frozenset[int]) -> None:
        self.bindings = bindings
        self.plan = plan
        self.functions = functions
        self.own = own
        self.comparison = Comparison()
        self.typed: dict[Flattener, _Typed] = {}

    def bound(self) -> Bound:
        pairs = [*self._exports(), *self._imports()]
        for pair in pairs:
            self._compare(pair)
        types = {p.place: self._types(p.scope).function(p.function) for p in pairs}
        return Bound(
            {place: t for place, t in types.items() if isinstance(place, str)},
            {place: t for place, t in types.items() if isinstance(place, int)},
            dict(self._resources()),
        )

    def _exports(self) -> Iterator[_Pair]:
        for scope in self.bindings.scopes:
            for name, function in scope.functions.items() if scope.direction == "export" else ():
                key = f"{scope.name}#{name}" if scope.name else name
                try:
                    yield _Pair(scope, function, find_key(key, self.functions, self.plan.uncallable))
                except NotFoundError as error:
                    raise LinkError(
                        f"the component does not fit the bindings: {error.message}", key, hint=_AGAIN
                    ) from None

    def _imports(self) -> Iterator[_Pair]:
        offered: dict[tuple[str, ...], WorldScope] = {}
        names = dict.fromkeys(s.name for s in self.bindings.scopes if s.direction == "import" and s.name)
        for scope in self.bindings.scopes:
            if scope.direction == "import":
                offered.update({((scope.name, name) if scope.name else (name,)): scope for name in scope.functions})
        for number in sorted(self.own):
            path = self.plan.host_functions[number].path
            at = path if len(path) == 1 else (best_match(path[0], names) or path[0], *path[1:])
            if at in offered:
                yield _Pair(offered[at], offered[at].functions[at[-1]], number)

    def _compare(self, pair: _Pair) -> None:
        """Refuse a function of another type; afterwards `comparison` knows the resources in it."""
        if isinstance(pair.place, str):
            name, got = pair.place, self.functions[pair.place]
        else:
            wanted = self.plan.host_functions[pair.place]
            name, got = "#".join(wanted.path), wanted.type
        found = self.comparison.functions(
            got, pair.scope.types.function(pair.function), f"{pair.scope.direction} {name}"
        )
        if found is not None:
            raise LinkError(f"the component does not fit the bindings: {found}", name, hint=_AGAIN)

    def _types(self, scope: WorldScope) -> _Typed:
        made = self.typed.get(scope.types)
        if made is None:
            made = self.typed[scope.types] = _Typed(scope.types, self)
        return made

    def _resources(self) -> Iterator[tuple[ResourceType, type[Any]]]:
        """The guest's own resources that the functions have."""
        for scope in self.bindings.scopes:
            if scope.direction == "export" and scope.interface is not None:
                for definition in scope.interface.types.values():
                    cls = self.find(scope.types, definition) if definition.is_resource else None
                    if cls is None:
                        continue
                    found = self.comparison.matched.get(scope.types.resource(definition))
                    if found is not None and issubclass(cls, GuestResource):
                        yield found, cls

    def find(self, types: Flattener, definition: TypeDef) -> Any:
        """The class of a named type as one scope sees it, or None."""
        root: Any = definition.root
        if not isinstance(root.owner, Interface):
            return self.bindings.classes.get(ROOT, {}).get(root.name)
        home = types
        while home.parent is not None and root.owner not in home.fresh:
            home = home.parent
        key = self.homes.get((home, root.owner))
        return None if key is None else self.bindings.classes.get(key, {}).get(root.name)

    @cached_property
    def homes(self) -> dict[tuple[Flattener, Interface], tuple[str, str]]:
        """Where the classes of an interface are, by the scope that it is fresh in."""
        return {
            (scope.types, scope.interface): (scope.direction, scope.name)
            for scope in self.bindings.scopes
            if scope.interface is not None
        }


class _Typed(Flattener):
    """The types of a scope with their classes, over the resources of the component."""

    def __init__(self, plain: Flattener, binder: _Binder) -> None:
        super().__init__()
        self.plain = plain
        self.binder = binder

    def resource(self, definition: TypeDef) -> ResourceType:
        resource = self.plain.resource(definition)
        return self.binder.comparison.matched.get(resource, resource)

    def _type(self, t: ValType) -> ValType:
        plain = super()._type(t)
        if not isinstance(t, TypeDef) or t.is_resource or not isinstance(t.root, TypeDef) or t.root.name is None:
            return plain
        cls = self.binder.find(self.plain, t)
        return plain if cls is None else with_class(plain, cls)


_AGAIN = "its world may have changed: generate the bindings again, or compare both with `wippywasm wit diff`"
