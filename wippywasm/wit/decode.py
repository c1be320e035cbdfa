"""A WIT package in component binary form to a resolution.

In: bytes. Out: the package, and of others what it uses of them, in a new resolution or one that has packages already.
Each interface and world has a component type of its own, exported by its name; in the older form there is one for the
whole package, exported as `ns:pkg/wit`.
Spec: `WIT.md`, "Package Format".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from wippywasm.budget import Budget
from wippywasm.errors import InvalidError, ValidationError
from wippywasm.wit.decode_limits import CANDIDATE, MADE_ENTRY, MADE_INTERFACE, MADE_SCOPE, budget_of
from wippywasm.wit.decode_packages import Packages
from wippywasm.wit.decode_raw import Declaration, Definition, Name, RawPackage, read_package
from wippywasm.wit.decode_repeats import Repeats
from wippywasm.wit.decode_scope import Instance, Scope
from wippywasm.wit.decode_types import Types, checked_label
from wippywasm.wit.metadata import SECTION_NAME, inject
from wippywasm.wit.names import PackageName, StrongNames, interface_name
from wippywasm.wit.resolved import (
    Function,
    Interface,
    InterfaceItem,
    Package,
    Resolution,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
)


def decode(data: bytes, into: Resolution | None = None) -> Resolution:
    """The package that `data` holds, as `main` of the resolution.

    With `into`, packages that are there already are used and completed. Raises MalformedError for bytes that do not
    follow the grammar, and ValidationError for a component that is no WIT package.
    """
    return _decode(data, Resolution() if into is None else into, budget_of(len(data)))


def decode_first(candidates: Sequence[bytes | memoryview]) -> Resolution | None:
    """The first of these that holds a package; None where none does.

    All of them together may take what one of their size may: those behind it are not looked at.
    """
    budget = budget_of(sum(map(len, candidates)))
    for data in candidates:
        try:
            budget.define(CANDIDATE, 0)
            return _decode(data, Resolution(), budget)
        except InvalidError:
            if budget.is_spent:
                break
    return None


def _decode(data: bytes | memoryview, resolution: Resolution, budget: Budget) -> Resolution:
    Decoder(resolution, budget).run(read_package(bytes(data), budget))
    assert resolution.main is not None
    for world in resolution.main.worlds.values():
        world.file_size = len(data)
    return resolution


class Decoder:
    """One binary package on its way into a resolution."""

    def __init__(self, resolution: Resolution, budget: Budget) -> None:
        self.resolution = resolution
        self.budget = budget
        self.types = Types(resolution, budget)
        self.checks = Types(None, budget)
        """Makes what is only looked at: definitions that nothing uses, and what is known already."""
        self.repeats = Repeats()
        self.packages = Packages(resolution, budget)
        self.main: Package | None = None
        self._whole: set[Interface] = set()
        """The interfaces of the main package that were defined: others are only seen where they are used."""

    def run(self, raw: RawPackage) -> None:
        top, names = Scope(None), StrongNames()
        for declaration in raw.declarations:
            self.budget.define(MADE_ENTRY, declaration.offset)
            if declaration.kind == "export":
                _claim(names, declaration)
                self._top_export(top, declaration)
            else:
                top.add(declaration.parts[0])
        self._check_unused(top)
        if self.main is None:
            raise ValidationError("this component exports no interface or world", 8)
        self.packages.place(self.main)
        for name, data, offset in raw.customs:
            if name == SECTION_NAME:
                inject(self.main, data, offset)
        self.resolution.main = self.main

    def _top_export(self, top: Scope, declaration: Declaration) -> None:
        definition = top.component(declaration.parts[1], declaration.offset)
        top.add(definition)
        whole = interface_name(declaration.name.name)
        if whole is not None and whole[1] == "wit" and self.main is None:
            self.main, _ = self.packages.package_of(declaration.name.name, declaration.offset)
            self._contents(definition, top)
            return
        checked_label(declaration.name.name, declaration.offset)
        exports = [d for d in definition.parts if isinstance(d, Declaration) and d.kind == "export"]
        if len(exports) != 1:
            raise ValidationError("the type of an interface or world has exactly one export", definition.offset)
        kind = exports[0].parts[0]
        package, _ = self.packages.package_of(exports[0].name.name, exports[0].offset)
        if self.main is not None and package is not self.main:
            raise ValidationError(f"`{exports[0].name.name}` is of another package than the others", exports[0].offset)
        self.main = package
        if kind not in ("instance", "component"):
            raise ValidationError(
                "the type of an interface or world exports an instance or component", exports[0].offset
            )
        self._contents(definition, top)

    def _contents(self, definition: Definition, top: Scope) -> None:
        """The interfaces and worlds of the main package in a component type, and the interfaces that they use."""
        scope, names = self._scope(definition, top), StrongNames()
        for d in _declarations(definition):
            if d.kind not in ("import", "export") or d.parts[0] not in ("instance", "component"):
                self._plain(scope, d)
                continue
            _claim(names, d)
            package, name = self.packages.package_of(d.name.name, d.offset)
            if d.kind == "export" and package is not self.main:
                raise ValidationError(f"`{d.name.name}` is of another package than the others", d.offset)
            if d.parts[0] == "instance":
                interface = self.packages.interface(d.name.name, d.offset)
                self._instance(scope, d, interface)
                if d.kind == "export":
                    self._define(interface, scope.defined(d.parts[1], "instance", d.offset))
            elif d.kind == "export":
                self._world(scope.component(d.parts[1], d.offset), scope, name)
            else:
                self._plain(scope, d)
        self._check_unused(scope)

    def _scope(self, definition: Definition, outer: Scope) -> Scope:
        """A scope for what is declared in the type of an instance or component."""
        self.budget.define(MADE_SCOPE, definition.offset)
        self.budget.define(MADE_ENTRY, definition.offset, len(definition.parts))
        return Scope(outer)

    def _plain(self, scope: Scope, d: Declaration) -> None:
        """A declaration that makes a type."""
        if d.kind == "type":
            scope.add(d.parts[0])
            self.checks.check(scope, cast("Definition", d.parts[0]))
        elif d.kind == "alias":
            scope.alias(d)
        elif d.kind == "outer":
            scope.add(scope.outer_type(d))
        else:
            raise ValidationError(f"an {d.kind} that no WIT package has", d.offset)

    def _check_unused(self, scope: Scope) -> None:
        """Reads what nothing is of, for its mistakes only."""
        for definition in scope.unused():
            aside = Decoder(Resolution(), self.budget)
            aside.main = Package(PackageName("unused", "unused"))
            if definition.kind == "instance":
                aside._instance_type(definition, scope, Interface(None))
            else:
                aside._world(definition, scope, "unused")

    # ---- interfaces ----

    def _instance(self, scope: Scope, d: Declaration, interface: Interface) -> None:
        """Reads an instance type as that of `interface`: what is known of it stays, what is new is added."""
        definition = scope.defined(d.parts[1], "instance", d.offset)
        types = self._instance_type(definition, scope, interface)
        scope.instances.append(Instance(types, d.kind == "export"))

    def _instance_type(self, definition: Definition, scope: Scope, interface: Interface) -> dict[str, TypeDef]:
        """The types of the interface that are seen here."""
        inner, names = self._scope(definition, scope), StrongNames()
        types: dict[str, TypeDef] = {}
        for entry in _declarations(definition):
            if entry.kind == "export":
                _claim(names, entry)
            if entry.kind != "export":
                self._plain(inner, entry)
            elif entry.parts[0] == "func":
                self._interface_function(inner, entry, interface, types)
            else:
                found = types[entry.name.name] = self._interface_type(inner, entry, interface)
                inner.add(found)
        self._check_unused(inner)
        return types

    def _define(self, interface: Interface, definition: Definition) -> None:
        """From now on the interface has what `definition` says, and no more."""
        if self.main is not None and interface.name in self.main.worlds:
            raise ValidationError(f"`{interface.name}` is there twice", definition.offset)
        self._whole.add(interface)
        here = {d.name.name for d in _declarations(definition) if d.kind == "export"}
        for name in (*interface.types, *interface.functions):
            if name not in here:
                raise ValidationError(f"`{interface.id}` has no `{name}`, which is used before", definition.offset)

    def _check_open(self, interface: Interface, entry: Declaration) -> None:
        if interface in self._whole:
            raise ValidationError(f"`{interface.id}` has no `{entry.name.name}`", entry.offset)

    def _interface_type(self, inner: Scope, entry: Declaration, interface: Interface) -> TypeDef:
        label = entry.name.name
        known = interface.types.get(label)
        if known is None:
            self._check_open(interface, entry)
            known = interface.types[label] = self.types.named(inner, entry, interface)
        elif not self.repeats.is_same_type(known, self.checks.named(inner, entry, interface)):
            raise ValidationError(f"`{label}` is one type in one place and another one in another", entry.offset)
        return known

    def _interface_function(
        self, inner: Scope, entry: Declaration, interface: Interface, types: dict[str, TypeDef]
    ) -> None:
        known = interface.functions.get(entry.name.name)
        if known is not None:
            if not self.repeats.is_same_function(known, self.checks.function(inner, entry, types)):
                raise ValidationError(f"`{known.name}` has one type in one place and another in another", entry.offset)
        else:
            self._check_open(interface, entry)
            function = self.types.function(inner, entry, types)
            interface.functions[function.name] = function

    # ---- worlds ----

    def _world(self, definition: Definition, outer: Scope, name: str) -> None:
        assert self.main is not None
        if name in self.main.worlds or name in self.main.interfaces:
            raise ValidationError(f"`{name}` is there twice", definition.offset)
        self.budget.define(MADE_INTERFACE, definition.offset)
        world, scope = World(name, None, self.main), self._scope(definition, outer)
        self.main.worlds[name] = world
        self.resolution.worlds.append(world)
        names = {"import": StrongNames(), "export": StrongNames()}
        own: dict[str, TypeDef] = {}
        for d in _declarations(definition):
            if d.kind not in names:
                self._plain(scope, d)
                continue
            _claim(names[d.kind], d)
            items = world.imports if d.kind == "import" else world.exports
            if d.kind == "import":
                scope.check_import(d)
            key, item = self._world_item(scope, d, world, own if d.kind == "import" else {})
            if key in items:
                raise ValidationError(f"{d.kind} `{d.name.name}` is there twice", d.offset)
            items[key] = item
        self._check_unused(scope)

    def _world_item(
        self, scope: Scope, d: Declaration, world: World, own: dict[str, TypeDef]
    ) -> tuple[WorldKey, WorldItem]:
        """The key and value of an import or export; `own` are the types that it may be of."""
        if d.parts[0] == "func":
            function: Function = self.types.function(scope, d, own)
            return function.name, function
        if d.parts[0] == "instance":
            key, interface = self._world_interface(d.name, d.offset)
            self._instance(scope, d, interface)
            return key, InterfaceItem(interface, external_id=d.name.external_id)
        if d.kind == "export" or d.parts[0] == "component":
            raise ValidationError("a world can't have this import or export", d.offset)
        label = checked_label(d.name.name, d.offset)
        definition = own[label] = self.types.named(scope, d, world)
        scope.add(definition)
        return label, definition

    def _world_interface(self, name: Name, offset: int) -> tuple[WorldKey, Interface]:
        if name.implements is not None:
            return checked_label(name.name, offset), self.packages.interface(name.implements, offset)
        if ":" in name.name:
            interface = self.packages.interface(name.name, offset)
            return interface, interface
        self.budget.define(MADE_INTERFACE, offset)
        interface = Interface(None, None, self.main)
        self.resolution.interfaces.append(interface)
        return checked_label(name.name, offset), interface


def _claim(names: StrongNames, d: Declaration) -> None:
    """Takes the name of an import or export. Raises ValidationError for one too much like another, or out of place."""
    if d.name.implements is not None and (d.parts[0] != "instance" or ":" in d.name.name):
        raise ValidationError(f"`{d.name.name}` is no plain name of an instance, so it has no `implements`", d.offset)
    if fault := names.fault(d.name.name):
        raise ValidationError(fault, d.offset)


def _declarations(definition: Definition) -> list[Declaration]:
    return [d for d in definition.parts if isinstance(d, Declaration)]
