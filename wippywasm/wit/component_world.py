"""The world of a component, as WIT.

In: the type of a decoded component, which is structural, and seen through a protocol, as this room does not know the
decoder. Out: a `Resolution` with one world, `root:component/root`, and the interfaces that it names, for printing and
for bindings. A type gets the name that its interface exports it under; one that an earlier interface has already named
is used from there, as far as structure can tell.
Spec: `WIT.md`, "WIT Worlds"; `Explainer.md`, "Import and Export Definitions".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from wippywasm import model
from wippywasm.errors import ValidationError
from wippywasm.model import FuncType, ResourceType, ValType
from wippywasm.wit.decode_types import name_function
from wippywasm.wit.include import rebuilt
from wippywasm.wit.names import PackageName, interface_name
from wippywasm.wit.resolved import (
    Function,
    Interface,
    InterfaceItem,
    Owner,
    Package,
    Param,
    Resolution,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
)

_NOMINAL = (model.RecordType, model.VariantType, model.EnumType, model.FlagsType)


class ComponentShape(Protocol):
    """What a component imports and exports.

    A value is a `FuncType`; an instance, which has `exports` and no `imports`; or the bound of a type, which has the
    `type` and whether it is `fresh`. Others are passed over.
    """

    @property
    def imports(self) -> Mapping[str, Any]: ...

    @property
    def exports(self) -> Mapping[str, Any]: ...


def world_of_component(component: ComponentShape) -> Resolution:
    """The world that `component` is of.

    Imports and exports that WIT has no word for are left out: modules, or functions named like an interface.
    """
    reading = _Reading()
    for items, found in (
        (reading.world.imports, component.imports),
        (reading.world.exports, component.exports),
    ):
        for name, extern in found.items():
            reading.item(items, name, extern)
    resolution = reading.resolution
    resolution.packages.append(reading.main)
    return resolution


def _instance_exports(extern: Any) -> Mapping[str, Any] | None:
    """The exports of an instance; None for anything else."""
    return extern.exports if hasattr(extern, "exports") and not hasattr(extern, "imports") else None


def _bound_type(extern: Any) -> ValType | ResourceType | None:
    """The type of a bound, if WIT has a word for it; None for anything else."""
    found = extern.type if hasattr(extern, "fresh") else None
    return found if isinstance(found, ValType | ResourceType) else None


class _Scope:
    """The names of types in one interface or world, on top of those around it."""

    def __init__(self, owner: Owner, outer: _Scope | None) -> None:
        self.owner = owner
        self.outer = outer
        self.named: dict[ValType | ResourceType, TypeDef] = {}

    def find(self, t: ValType | ResourceType) -> TypeDef | None:
        """The name of a type that can be used here; an interface can't use what a world defines."""
        found = self.named.get(t)
        if found is not None or self.outer is None:
            return found
        found = self.outer.find(t)
        while found is not None and isinstance(found.owner, World):
            found = found.kind if isinstance(found.kind, TypeDef) else None
        return found


class _Reading:
    def __init__(self) -> None:
        self.main = Package(PackageName("root", "component"))
        self.world = World("root", None, self.main)
        self.main.worlds["root"] = self.world
        self.resolution = Resolution(main=self.main, worlds=[self.world])
        self.scope = _Scope(self.world, None)
        self.own: dict[str, TypeDef] = {}
        """The types of the world that its functions may be of."""
        self._anonymous: dict[ValType, TypeDef] = {}

    def item(self, items: dict[WorldKey, WorldItem], name: str, extern: Any) -> None:
        exports, bound = _instance_exports(extern), _bound_type(extern)
        if exports is not None:
            key, interface = self._interface(name, exports)
            items[key] = InterfaceItem(interface)
        elif isinstance(extern, FuncType):
            function = self._function(self.scope, name, extern, self.own)
            if function is not None:
                items[name] = function
        elif bound is not None and items is self.world.imports:
            items[name] = self.own[name] = self._named(self.scope, name, bound)

    def _interface(self, name: str, exports: Mapping[str, Any]) -> tuple[WorldKey, Interface]:
        full = interface_name(name)
        interface = Interface(None, None, self.main)
        if full is not None:
            package = self._package(full[0])
            interface = package.interfaces.setdefault(full[1], Interface(full[1], None, package))
        if interface not in self.resolution.interfaces:
            self.resolution.interfaces.append(interface)
        scope = _Scope(interface, self.scope)
        for export, extern in exports.items():
            bound = _bound_type(extern)
            if isinstance(extern, FuncType) and export not in interface.functions:
                function = self._function(scope, export, extern, interface.types)
                if function is not None:
                    interface.functions[export] = function
            elif bound is not None:
                definition = interface.types.get(export) or self._named(scope, export, bound)
                interface.types[export] = definition
                if bound not in scope.named or scope.named[bound].owner is not interface:
                    scope.named[bound] = definition  # of several names the first: it has the methods of a resource
        for t, definition in scope.named.items():
            self.scope.named.setdefault(t, definition)
        return (interface if full else name), interface

    def _package(self, name: PackageName) -> Package:
        package = self.resolution.package(name)
        if package is None:
            package = Package(name)
            self.resolution.packages.append(package)
        return package

    def _named(self, scope: _Scope, name: str, t: ValType | ResourceType) -> TypeDef:
        """The type `name` of a scope: a new one, or another name for one that is known."""
        definition = TypeDef(name, ("component",), scope.owner)
        earlier = scope.find(t) if isinstance(t, (ResourceType, *_NOMINAL)) else scope.named.get(t)
        if earlier is not None:
            definition.define(earlier)
        else:
            definition.define(ResourceType(name) if isinstance(t, ResourceType) else self._parts(scope, t))
        self.resolution.types.append(definition)
        if t not in scope.named or scope.named[t].owner is not scope.owner:
            scope.named[t] = definition
        return definition

    def _parts(self, scope: _Scope, t: ValType) -> ValType:
        if isinstance(t, model.OwnType | model.BorrowType):
            resource = model.resource_of(t.resource)
            found = scope.find(resource)
            return type(t)(resource if found is None else self._used(scope, resource, found))
        return rebuilt(t, lambda part: self._value(scope, part))

    def _value(self, scope: _Scope, t: ValType) -> ValType:
        """A type in terms of names, where it has one."""
        if isinstance(t, model.Prim):
            return t
        found = scope.named.get(t) or (scope.find(t) if isinstance(t, _NOMINAL) else None)
        if found is not None:
            return self._used(scope, t, found)
        kind = self._parts(scope, t)
        if kind not in self._anonymous:
            self._anonymous[kind] = definition = TypeDef(None, ("component",))
            definition.define(kind)
            self.resolution.types.append(definition)
        return self._anonymous[kind]

    def _used(self, scope: _Scope, t: ValType | ResourceType, found: TypeDef) -> TypeDef:
        """`found` where it is of this scope; otherwise a `use` of it."""
        if found.owner is scope.owner:
            return found
        types = scope.owner.types if isinstance(scope.owner, Interface) else self.world.imports
        name = found.name or ""
        while name in types:
            name += "-x"
        used = TypeDef(name, ("component",), scope.owner)
        used.define(found)
        self.resolution.types.append(used)
        types[name] = scope.named[t] = used
        return used

    def _function(self, scope: _Scope, name: str, t: FuncType, own: dict[str, TypeDef]) -> Function | None:
        """The function; None where WIT has no such name for one, such as that of an interface."""
        function = Function(name, is_async=t.is_async)
        try:
            name_function(function, own, 0)
        except ValidationError:
            return None
        function.params = [Param(p.name, self._value(scope, p.type)) for p in t.params]
        function.result = None if t.result is None else self._value(scope, t.result)
        return function
