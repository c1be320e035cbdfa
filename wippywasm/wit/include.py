"""`include`: the imports and exports of one world into another.

In: a world with its includes. Out: the world with copies of what it includes. Interfaces with a name are the same
item wherever they stand; everything under a plain name is copied, with the types that the included world defines.
Spec: `WIT.md`, "Union of Worlds with `include`".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from wippywasm import model
from wippywasm.model import ResourceType, ValType
from wippywasm.wit.resolved import (
    Function,
    Include,
    Interface,
    InterfaceItem,
    Owner,
    Package,
    Param,
    Resolution,
    Stability,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
    Written,
)
from wippywasm.wit.source import Refusal, Span
from wippywasm.wit.stability import is_included


def include_worlds(
    resolution: Resolution, package: Package, world: World, find: Callable[[World, Span | None], World]
) -> None:
    """Carries out the includes of `world`; `find` gives the linked world for a reference to one."""
    includes, world.includes = world.includes, []
    if includes:
        world.written = written = Written(_copied(world.imports), _copied(world.exports), [])
    for include in includes:
        if is_included(include.stability, resolution, package, include.span):
            include.world = find(include.world, include.span)
            _Inclusion(resolution, package, world, include).run()
            written.includes.append(include)
    for direction, items in (("import", world.imports), ("export", world.exports)):
        _check_case(world, direction, items)


def _copied(items: dict[WorldKey, WorldItem]) -> dict[WorldKey, WorldItem]:
    """The items as they are, whatever gates inclusion gives to interfaces."""
    return {key: replace(item) if isinstance(item, InterfaceItem) else item for key, item in items.items()}


def _check_case(world: World, direction: str, items: dict[WorldKey, WorldItem]) -> None:
    seen: dict[str, str] = {}
    for key, item in items.items():
        if isinstance(key, str) and seen.setdefault(key.lower(), key) != key:
            message = f"{direction} `{key}` and `{seen[key.lower()]}` differ only in the case of letters"
            raise Refusal(item.span or world.span, message)


def renamed(name: str, renames: Mapping[str, str]) -> str:
    """`name` after `with { old as new, … }`; methods follow their resource."""
    kind, bracket, rest = name.partition("]")
    resource, dot, function = rest.partition(".")
    if bracket:
        return f"{kind}]{renames.get(resource, resource)}{dot}{function}"
    return renames.get(name, name)


def renamable(name: str) -> str:
    """The name that a rename has to give to concern `name`."""
    return name.partition("]")[2].partition(".")[0] if "]" in name else name


class _Inclusion:
    """One `include` of one world."""

    def __init__(self, resolution: Resolution, package: Package, world: World, include: Include) -> None:
        self.world, self.include = world, include
        self.is_external = world.package is not include.world.package
        self.resolution = resolution
        self.copier = Copier(resolution, package, include.world, world, include.span)
        self.renames = dict(reversed(include.renames))  # of two for one name, the first one counts

    def run(self) -> None:
        included = self.include.world
        self.resolution.spend(len(included.imports) + len(included.exports), self.include.span)
        keys = (*included.imports, *included.exports) if self.renames else ()
        names = {renamable(key) for key in keys if isinstance(key, str)}
        for old, _ in self.include.renames:
            if old not in names:
                hint = "only plain names can be renamed; an interface keeps its own"
                message = f"world `{included.id}` has no import or export with the plain name `{old}`"
                raise Refusal(self.include.span, message, hint)
        for key, item in included.imports.items():
            self._item(self.world.imports, "import", key, item)
        for key, item in included.exports.items():
            self._item(self.world.exports, "export", key, item)

    def _item(self, items: dict[WorldKey, WorldItem], direction: str, key: WorldKey, item: WorldItem) -> None:
        if isinstance(key, str):
            name = renamed(key, self.renames)
            copy = self.copier.item(item)
            if not isinstance(copy, InterfaceItem):
                copy.name = name
            if name in items:
                hint = f"rename one of them: include … with {{ {key} as … }}"
                raise Refusal(self.include.span, f"{direction} `{name}` is there already", hint)
            items[name] = copy
            return
        assert isinstance(item, InterfaceItem)
        present = items.setdefault(key, replace(item))
        assert isinstance(present, InterfaceItem)
        present.stability = self._merged(item.stability, present.stability, item.span)

    def _merged(self, gate: Stability | None, present: Stability | None, span: Span | None) -> Stability | None:
        """The gate of an interface that comes twice: a version is one of the other package, so it says nothing here."""
        if self.is_external and gate is not None and gate.since is not None:
            return None
        if gate == present or gate is None:
            return present
        if present is None:
            return gate
        raise Refusal(span or self.include.span, "two includes gate the same interface differently")


class Copier:
    """Copies of what `old` owns, for `new`; the rest is shared. `span` is the include that asks for them."""

    def __init__(self, resolution: Resolution, package: Package, old: Owner, new: Owner, span: Span | None) -> None:
        self.resolution, self.package = resolution, package
        self.old, self.new = old, new
        self.span = span
        self.types: dict[TypeDef, TypeDef] = {}

    def item(self, item: WorldItem) -> WorldItem:
        if isinstance(item, TypeDef):
            return self._definition(item)
        if isinstance(item, Function):
            return self._function(item)
        if item.interface.name is not None:
            return replace(item)
        return replace(item, interface=self._interface(item.interface))

    def _interface(self, interface: Interface) -> Interface:
        copy = replace(interface, clone_of=interface, package=self.package)
        inner = Copier(self.resolution, self.package, interface, copy, self.span)
        inner.types = self.types
        copy.types = {name: inner._definition(t) for name, t in interface.types.items()}
        copy.functions = {name: inner._function(f) for name, f in interface.functions.items()}
        self.resolution.interfaces.append(copy)
        return copy

    def _function(self, function: Function) -> Function:
        self.resolution.spend(1 + len(function.params), self.span)
        copy = replace(function)
        if function.resource is not None:
            copy.resource = self._definition(function.resource)
        copy.params = [Param(p.name, self._value(p.type), p.span) for p in function.params]
        copy.result = self._optional(function.result)
        return copy

    def _definition(self, definition: TypeDef) -> TypeDef:
        copy = self.types.get(definition)
        if copy is None:
            self.resolution.spend(1 + _width(definition.kind), self.span)
            copy = TypeDef(definition.name, definition.draft, self.new if definition.owner else None, definition.span)
            copy.docs, copy.stability = definition.docs, definition.stability
            copy.external_id, copy.member_docs = definition.external_id, definition.member_docs
            copy.define(self._kind(definition.kind))
            self.resolution.types.append(copy)
            self.types[definition] = copy
        return copy

    def _kind(self, kind: ValType | ResourceType) -> ValType | ResourceType:
        if isinstance(kind, ResourceType):
            return ResourceType(kind.name)
        if isinstance(kind, TypeDef):
            return self._definition(kind) if kind.owner is self.old else self.types.get(kind, kind)
        if isinstance(kind, model.OwnType | model.BorrowType):
            assert isinstance(kind.resource, TypeDef)
            return type(kind)(self._definition(kind.resource))
        return rebuilt(kind, self._value)

    def _value(self, t: ValType) -> ValType:
        return self._definition(t) if isinstance(t, TypeDef) else t

    def _optional(self, t: ValType | None) -> ValType | None:
        return None if t is None else self._value(t)


def _width(kind: ValType | ResourceType) -> int:
    """How many parts a copy of `kind` has."""
    match kind:
        case model.RecordType(fields=parts) | model.VariantType(cases=parts) | model.TupleType(items=parts):
            return len(parts)
    return 1


def rebuilt(t: ValType, value: Callable[[ValType], ValType]) -> ValType:
    """The same type over other parts: `value` of each of them. Handles, names and primitives stay."""

    def optional(part: ValType | None) -> ValType | None:
        return None if part is None else value(part)

    match t:
        case model.RecordType(fields=members):
            return model.RecordType(tuple(model.Field(m.name, value(m.type)) for m in members))
        case model.VariantType(cases=cases):
            return model.VariantType(tuple(model.Case(c.name, optional(c.type)) for c in cases))
        case model.TupleType(items=items):
            return model.TupleType(tuple(value(i) for i in items))
        case model.ListType(element=element, length=length):
            return model.ListType(value(element), length)
        case model.OptionType(type=inner):
            return model.OptionType(value(inner))
        case model.MapType(key=key, value=entry):
            return model.MapType(value(key), value(entry))
        case model.ResultType(ok=ok, err=err):
            return model.ResultType(optional(ok), optional(err))
        case model.StreamType(element=element):
            return model.StreamType(optional(element))
        case model.FutureType(element=element):
            return model.FutureType(optional(element))
        case _:
            return t
