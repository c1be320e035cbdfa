"""One package into a resolution: stand-ins become the real types of other packages, gated items go.

In: an `Unlinked` package and the `Resolution` of the packages that it needs. Out: the package in the resolution.
The order of allocation, types, then interfaces, then worlds, then what inclusion copies, is what numbers them.
Spec: `WIT.md`, "Feature gates", "Handles", "WIT Packages and `use`".
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

from wippywasm import model
from wippywasm.model import ResourceType, ValType
from wippywasm.wit.borrows import Borrows
from wippywasm.wit.define import Unlinked
from wippywasm.wit.elaborate import Uses, elaborate
from wippywasm.wit.include import include_worlds
from wippywasm.wit.names import PackageName
from wippywasm.wit.namespace import Foreign
from wippywasm.wit.resolved import (
    Draft,
    Function,
    Interface,
    InterfaceItem,
    Package,
    Resolution,
    Stability,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
)
from wippywasm.wit.source import Complaints, Enough, Poisoned, Refusal, Span
from wippywasm.wit.stability import is_included

MAX_TYPE_DEPTH = 150
"""The height of a type's tree, through names. Whatever walks a type may recurse that deep."""


MAX_LISTED = 20
"""Packages that a hint names."""


def link(resolution: Resolution, unlinked: Unlinked) -> Complaints:
    """Adds the package to the resolution; what is wrong with it, and then it is not to be used."""
    linker = Linker(resolution, unlinked)
    with suppress(Enough), linker.refusals.collecting():
        linker.run()
    return linker.refusals


def check_foreign(resolution: Resolution, unlinked: Unlinked, unknown: Collection[PackageName]) -> Complaints:
    """What a package that can't be linked misses in others; nothing is said about those that are `unknown`."""
    linker = Linker(resolution, unlinked, unknown)
    with suppress(Enough), linker.refusals.collecting():
        linker.link_foreign()
    return linker.refusals


class Linker:
    """The way from stand-ins to the real things; None for what a gate excludes."""

    def __init__(self, resolution: Resolution, unlinked: Unlinked, unknown: Collection[PackageName] = ()) -> None:
        self.resolution = resolution
        self.unlinked = unlinked
        self.unknown = unknown
        self.package = Package(unlinked.name, unlinked.docs)
        self.refusals = Complaints()
        self.collecting = self.refusals.collecting
        self.types: dict[TypeDef, TypeDef | None] = {}
        self.interfaces: dict[Interface, Interface | None] = {}
        self.worlds: dict[World, World | None] = {}
        self.own_handles: dict[TypeDef, TypeDef] = {}
        self._borrows = Borrows()

    def run(self) -> None:
        self.resolution.packages.append(self.package)
        self.link_foreign()
        if self.refusals:
            return
        types = self._link_types()
        interfaces = self._link_interfaces()
        self._check_owners(types)
        worlds = self._link_worlds()
        if self.refusals:
            return
        uses = Uses(self.resolution)
        for world in worlds:
            include_worlds(self.resolution, self.package, world, self._world)
            elaborate(world, uses)
        self.package.interfaces = {i.name: i for i in interfaces if i.name is not None}
        self.package.worlds = {w.name: w for w in worlds}

    def _is_included(self, gate: Stability | None, span: Span | None) -> bool:
        return is_included(gate, self.resolution, self.package, span)

    # ---- what comes from other packages ----

    def link_foreign(self) -> None:
        """Finds the interfaces, worlds and types that are used; what is `unknown` stays unlinked."""
        for name, items in self.unlinked.foreign.items():
            if name in self.unknown:
                continue
            package = self.resolution.package(name)
            if package is None:
                self.refusals.add(self._missing(name))
                continue
            for id, foreign in items.items():
                with self.collecting():
                    self._link_foreign_item(package, id, foreign)
        for stand_in in self.unlinked.types:
            if stand_in.draft[0] == "unknown":
                with self.collecting():
                    self.types[stand_in] = self._foreign_type(stand_in)
        for stand_in, span in self.unlinked.required_resources:
            target = self.types.get(stand_in)
            if target is not None and not target.is_resource:
                self.refusals.add(Refusal(span, f"a handle is for a resource, and `{stand_in.name}` is none"))

    def _missing(self, name: PackageName) -> Refusal:
        known = [str(p.name) for p in self.resolution.packages[: MAX_LISTED + 1] if p is not self.package]
        hint = f"packages at hand: {', '.join(known[:MAX_LISTED]) or 'none'}" + ", …" * (len(known) > MAX_LISTED)
        return Refusal(self.unlinked.foreign_spans[name], f"package `{name}` is not there", hint)

    def _link_foreign_item(self, package: Package, id: str, foreign: Foreign) -> None:
        stand_in = foreign.item
        enabled = any(self._is_included(gate, stand_in.span) for gate in foreign.gates)
        if isinstance(stand_in, Interface):
            if enabled and id not in package.interfaces:
                raise Refusal(stand_in.span, f"package `{package.name}` has no interface `{id}`")
            self.interfaces[stand_in] = package.interfaces[id] if enabled else None
        else:
            if enabled and id not in package.worlds:
                raise Refusal(stand_in.span, f"package `{package.name}` has no world `{id}`")
            self.worlds[stand_in] = package.worlds[id] if enabled else None

    def _foreign_type(self, stand_in: TypeDef) -> TypeDef | None:
        if not self._is_included(stand_in.stability, stand_in.span):
            return None
        assert isinstance(stand_in.owner, Interface)
        interface = self._interface(stand_in.owner, stand_in.span)
        name = stand_in.name or ""
        if name in interface.functions:
            raise Refusal(stand_in.span, f"`{name}` is a function; only types can be used")
        if name not in interface.types:
            raise Refusal(stand_in.span, f"interface `{interface.id}` has no type `{name}`")
        return interface.types[name]

    # ---- references ----

    def _type(self, definition: TypeDef, span: Span | None) -> TypeDef:
        if definition not in self.types:
            raise Poisoned
        found = self.types[definition]
        if found is None:
            raise Refusal(span, f"type `{definition.name or '…'}` belongs to a feature that is not enabled")
        return found

    def _interface(self, interface: Interface, span: Span | None) -> Interface:
        if interface not in self.interfaces:
            raise Poisoned
        found = self.interfaces[interface]
        if found is None:
            raise Refusal(span, f"{_named(interface)} belongs to a feature that is not enabled")
        return found

    def _world(self, world: World, span: Span | None) -> World:
        found = self.worlds[world]
        if found is None:
            raise Refusal(span, f"world `{world.name}` belongs to a feature that is not enabled")
        return found

    def _value(self, t: object, span: Span | None) -> ValType:
        """A type where a value is: the name of a resource stands for an owned handle."""
        if not isinstance(t, TypeDef):
            assert isinstance(t, ValType)
            return t
        found = self._type(t, span)
        return self._own(found) if found.is_resource else found

    def _own(self, resource: TypeDef) -> TypeDef:
        handle = self.own_handles.get(resource)
        if handle is None:
            handle = self.own_handles[resource] = TypeDef(None, ("own", resource))
            handle.define(model.OwnType(resource))
            self.resolution.types.append(handle)
        return handle

    def _optional(self, t: object, span: Span | None) -> ValType | None:
        return None if t is None else self._value(t, span)

    # ---- types ----

    def _link_types(self) -> list[TypeDef]:
        """The package's own types, in order; returns those that stay."""
        linked = []
        for definition in self.unlinked.types:
            if definition.draft[0] == "unknown":
                continue
            with self.collecting():
                if not self._is_included(definition.stability, definition.span):
                    self.types[definition] = None
                    continue
                self._define(definition)
                linked.append(self.types[definition])
        return [t for t in linked if t is not None]

    def _define(self, definition: TypeDef) -> None:
        kind = self._kind(definition)
        if kind.depth > MAX_TYPE_DEPTH:
            raise Refusal(definition.span, f"types nest more than {MAX_TYPE_DEPTH} deep, through their names")
        definition.define(kind)
        self.resolution.types.append(definition)
        self.types[definition] = definition
        if definition.name is None and isinstance(kind, model.OwnType):
            assert isinstance(kind.resource, TypeDef)
            self.types[definition] = self.own_handles.setdefault(kind.resource, definition)

    def _kind(self, definition: TypeDef) -> ValType | ResourceType:
        draft, span = definition.draft, definition.span
        kind = str(draft[0])
        if kind == "resource":
            return ResourceType(definition.name or "")
        if kind == "alias":
            target = draft[1]
            return self._type(target, span) if isinstance(target, TypeDef) else self._value(target, span)
        if kind in ("own", "borrow"):
            assert isinstance(draft[1], TypeDef)
            resource = self._type(draft[1], span)
            return model.OwnType(resource) if kind == "own" else model.BorrowType(resource)
        if kind in ("record", "variant"):
            return self._body(definition)
        return _BUILDERS[kind](self, draft, span)

    def _body(self, definition: TypeDef) -> ValType:
        members = definition.draft[1]
        assert isinstance(members, tuple)
        if definition.draft[0] == "record":
            spans = definition.member_spans
            return model.RecordType(
                tuple(model.Field(name, self._value(t, span)) for (name, t), span in zip(members, spans))
            )
        return model.VariantType(tuple(model.Case(name, self._optional(t, definition.span)) for name, t in members))

    def _check_owners(self, types: list[TypeDef]) -> None:
        for definition in types:
            owner = definition.owner
            if isinstance(owner, Interface) and self.interfaces.get(owner, owner) is None:
                message = f"{_named(owner)} belongs to a feature that is not enabled, but this type does not"
                self.refusals.add(Refusal(definition.span, message, "gate the type as well"))

    # ---- interfaces and functions ----

    def _link_interfaces(self) -> list[Interface]:
        linked = []
        for interface in self.unlinked.interfaces:
            if interface in self.interfaces:
                continue
            with self.collecting():
                if not self._is_included(interface.stability, interface.span):
                    self.interfaces[interface] = None
                    continue
                self._link_interface(interface)
                self.interfaces[interface] = interface
                self.resolution.interfaces.append(interface)
                linked.append(interface)
        return linked

    def _link_interface(self, interface: Interface) -> None:
        interface.package = self.package
        types = {name: self.types.get(t) for name, t in interface.types.items()}
        interface.types = {name: t for name, t in types.items() if t is not None}
        functions = {}
        for name, function in interface.functions.items():
            with self.collecting():
                if self._is_included(function.stability, function.span):
                    self._link_function(function)
                    functions[name] = function
        interface.functions = functions

    def _link_function(self, function: Function) -> None:
        span = function.span
        if function.resource is not None:
            function.resource = self._type(function.resource, span)
        for param in function.params:
            param.type = self._value(param.type, span)
        function.result = self._optional(function.result, span)
        if function.result is not None and self._borrows.within(function.result):
            message = f"`{function.name}` returns a `borrow`, which ends with the call"
            raise Refusal(span, message, "return the resource itself, which is an owned handle")

    # ---- worlds ----

    def _link_worlds(self) -> list[World]:
        linked = []
        for world in self.unlinked.worlds:
            if world in self.worlds:
                continue
            with self.collecting():
                if not self._is_included(world.stability, world.span):
                    self.worlds[world] = None
                    continue
                world.package = self.package
                world.imports = self._link_items(world.imports)
                world.exports = self._link_items(world.exports)
                self.worlds[world] = world
                self.resolution.worlds.append(world)
                linked.append(world)
        for definition in self.types.values():
            owner = definition.owner if definition is not None else None
            if definition is not None and isinstance(owner, World) and self.worlds.get(owner, owner) is None:
                message = f"world `{owner.name}` belongs to a feature that is not enabled, but this type does not"
                self.refusals.add(Refusal(definition.span, message, "gate the type as well"))
        return linked

    def _link_items(self, items: dict[WorldKey, WorldItem]) -> dict[WorldKey, WorldItem]:
        linked: dict[WorldKey, WorldItem] = {}
        for key, item in items.items():
            with self.collecting():
                if isinstance(item, TypeDef):
                    linked[key] = self._type(item, item.name_span)
                    continue
                if not self._is_included(item.stability, item.span):
                    continue
                if isinstance(key, Interface):
                    key = self._interface(key, item.span)
                linked[key] = self._link_item(item)
        return linked

    def _link_item(self, item: InterfaceItem | Function) -> WorldItem:
        if isinstance(item, InterfaceItem):
            item.interface = self._interface(item.interface, item.span)
        else:
            self._link_function(item)
        return item


def _named(interface: Interface) -> str:
    return f"interface `{interface.name}`" if interface.name is not None else "the interface around it"


def _tuple(linker: Linker, draft: Draft, span: Span | None) -> ValType:
    assert isinstance(draft[1], tuple)
    return model.TupleType(tuple(linker._value(t, span) for t in draft[1]))


_BUILDERS: dict[str, Callable[[Linker, Draft, Span | None], ValType]] = {
    "tuple": _tuple,
    "enum": lambda k, d, s: model.EnumType(d[1]),  # type: ignore[arg-type]
    "flags": lambda k, d, s: model.FlagsType(d[1]),  # type: ignore[arg-type]
    "list": lambda k, d, s: model.ListType(k._value(d[1], s)),
    "fixed-list": lambda k, d, s: model.ListType(k._value(d[1], s), d[2]),  # type: ignore[arg-type]
    "map": lambda k, d, s: model.MapType(k._value(d[1], s), k._value(d[2], s)),
    "option": lambda k, d, s: model.OptionType(k._value(d[1], s)),
    "result": lambda k, d, s: model.ResultType(k._optional(d[1], s), k._optional(d[2], s)),
    "future": lambda k, d, s: model.FutureType(k._optional(d[1], s)),
    "stream": lambda k, d, s: model.StreamType(k._optional(d[1], s)),
}
