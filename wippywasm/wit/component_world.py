"""The world of a component, as WIT.

In: what a decoded component imports and exports, seen through protocols, as this room does not know the decoder. Out: a
`Resolution` with one world, `root:component/root`, and the interfaces that it names, for printing and for bindings.

Types of one form are equal to a component, and yet two types in WIT. What tells them apart is the type index: a name
that stands for one which has a name already is a `use` of that, and any other name is a definition of its own.
Spec: `WIT.md`, "WIT Worlds"; `Explainer.md`, "Import and Export Definitions".
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Protocol

from wippywasm import model
from wippywasm.errors import TooLongError, ValidationError
from wippywasm.model import FuncType, ResourceType, ValType
from wippywasm.unfolded import Texts
from wippywasm.wit.decode_types import name_function
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

AGAIN = 250_000
"""The parts of types that may be looked at more than once: a few lines could ask for the square of their number."""
ROOM, ROOM_OF_BYTE = 1_200_000, 24
"""The bytes that the world of any component may take, and those that each byte of it adds."""
ROOM_OF_INTERFACE, ROOM_OF_ITEM, ROOM_OF_TYPE, ROOM_OF_PART = 800, 350, 350, 90
"""What is taken by an interface, by a function or type in it, by what a type is, and by a part of one that interfaces
have in common."""
MOST_NAMES = 5_000
"""The packages and interfaces of a world: more than anyone reads, in a few megabytes."""


class TypeIndex(Protocol):
    """A type index, by identity: two of them may stand for equal types. `parts` are the indices of what it is made of.

    The parts of a function are its parameters and then its result; that of a handle is its resource.
    """

    @property
    def type(self) -> Any: ...

    @property
    def parts(self) -> Sequence[Any]: ...


class ComponentShape(Protocol):
    """What a component imports and exports.

    A value is a `TypeIndex` for a function; an instance, which has `exports` and no `imports`; or the bound of a type:
    the index `created`, the one `referenced`, and whether it is `fresh`. Others are passed over.
    """

    @property
    def imports(self) -> Mapping[str, Any]: ...

    @property
    def exports(self) -> Mapping[str, Any]: ...


class Decoded(Protocol):
    """A decoded component; `node` is its type, `wasm` its bytes."""

    @property
    def node(self) -> ComponentShape: ...

    @property
    def wasm(self) -> memoryview: ...


def world_of_component(component: Decoded) -> Resolution:
    """The world that `component` is of.

    Imports and exports that WIT has no word for are left out: modules, or functions named like an interface. Raises
    TooLongError where so many interfaces have types in common that the world would be out of proportion, and where it
    has more than 5,000 packages and interfaces.
    """
    reading = _Reading(MOST_NAMES, ROOM + len(component.wasm) * ROOM_OF_BYTE)
    reading.world.file_size = len(component.wasm)
    reading.check_size((*component.node.imports.values(), *component.node.exports.values()))
    reading.items(reading.world.imports, component.node.imports.items())
    reading.items(reading.world.exports, component.node.exports.items())
    reading.resolution.packages.append(reading.main)
    return reading.resolution


def world_of_imports(imports: Iterable[tuple[str, Any]]) -> World:
    """The world that has these imports; an interface that is there more than once has all that any of them has."""
    reading = _Reading()
    reading.items(reading.world.imports, imports)
    return reading.world


def _instance_exports(extern: Any) -> Mapping[str, Any] | None:
    """The exports of an instance; None for anything else."""
    return extern.exports if hasattr(extern, "exports") and not hasattr(extern, "imports") else None


def _is_function(extern: Any) -> bool:
    return isinstance(getattr(extern, "type", None), FuncType)


def _is_bound(extern: Any) -> bool:
    """Whether this is the bound of a type that WIT has a word for."""
    return isinstance(getattr(getattr(extern, "created", None), "type", None), ValType | ResourceType)


class _Reading:
    def __init__(self, most_names: float = math.inf, room: float = math.inf) -> None:
        self._most_names = most_names
        self._room = room
        """The bytes that interfaces may still take."""
        self.main = Package(PackageName("root", "component"))
        self.world = World("root", None, self.main)
        self.main.worlds["root"] = self.world
        self.resolution = Resolution(main=self.main, worlds=[self.world])
        self.own: dict[str, TypeDef] = {}
        """The types of the world that its functions may be of."""
        self._named: dict[object, TypeDef] = {}
        """What type indices are called, and resources, by their first name."""
        self._renamed: dict[object, Any] = {}
        """What the indices stand for that only the root exports, and so have no name in WIT."""
        self._outside: dict[TypeDef, TypeDef] = {}
        """What interfaces use instead of the world's names, as they can't use those."""
        self._uses: dict[tuple[Owner, TypeDef], TypeDef] = {}
        """What the types of other interfaces are called in an interface or world that uses them."""
        self._anonymous: dict[ValType, TypeDef] = {}
        self._values: dict[tuple[Owner, object], ValType] = {}
        """What type indices without a name were found to be, since a name was last given: types share their parts."""
        self._signatures: dict[tuple[Owner, object], tuple[list[Param], ValType | None]] = {}
        """Likewise, the parameters and results of functions."""
        self._suffixes: dict[tuple[Owner, str], int] = {}
        """How many types of one name each owner uses from elsewhere."""
        self._seen: set[object] = set()
        """The indices whose parts were looked at."""
        self._again = Texts(AGAIN)

    def items(self, items: dict[WorldKey, WorldItem], found: Iterable[tuple[str, Any]]) -> None:
        for name, extern in found:
            exports = _instance_exports(extern)
            if exports is not None:
                key, interface = self._interface(items, name)
                items[key] = InterfaceItem(interface)
                self._fill(interface, exports)
            elif _is_function(extern):
                function = self._function(self.world, name, extern, self.own)
                if function is not None:
                    items[name] = function
            elif _is_bound(extern):
                self._type(items, name, extern)

    def _type(self, items: dict[WorldKey, WorldItem], name: str, bound: Any) -> None:
        """A type import of the world; WIT has no exports of types."""
        if items is not self.world.imports:
            self._forget()
            self._renamed[bound.created] = self._renamed.get(bound.referenced, bound.referenced)
            return
        known = items.get(name)
        if isinstance(known, TypeDef):
            self._call(bound, known)
        else:
            items[name] = self.own[name] = self._define(self.world, name, bound)

    def _interface(self, items: dict[WorldKey, WorldItem], name: str) -> tuple[WorldKey, Interface]:
        """The interface with the name of an import or export; a plain name is that of one inside the world."""
        full = interface_name(name)
        if full is None:
            known = items.get(name)
            return name, known.interface if isinstance(known, InterfaceItem) else self._listed(None, self.main)
        package = self._package(full[0])
        interface = package.interfaces.get(full[1])
        if interface is None:
            interface = package.interfaces[full[1]] = self._listed(full[1], package)
        return interface, interface

    def _listed(self, name: str | None, package: Package) -> Interface:
        """A new interface of the resolution."""
        interface = Interface(name, None, package)
        self.resolution.interfaces.append(interface)
        self._check_names()
        return interface

    def check_size(self, found: Iterable[Any]) -> None:
        """Raises TooLongError where there is no room for the interfaces, before any of them is read."""
        for exports in [e for e in map(_instance_exports, found) if e is not None]:
            self._take(ROOM_OF_INTERFACE + ROOM_OF_ITEM * len(exports))

    def _take(self, room: int) -> None:
        self._room -= room
        if self._room < 0:
            raise TooLongError("the component's interfaces have too many functions and types for a world")

    def _fill(self, interface: Interface, exports: Mapping[str, Any]) -> None:
        for name, extern in exports.items():
            if _is_function(extern) and name not in interface.functions:
                function = self._function(interface, name, extern, interface.types)
                if function is not None:
                    interface.functions[name] = function
            elif _is_bound(extern):
                if name in interface.types:
                    self._call(extern, interface.types[name])
                else:
                    interface.types[name] = self._define(interface, name, extern)

    def _package(self, name: PackageName) -> Package:
        package = self.resolution.package(name)
        if package is None:
            package = Package(name)
            self.resolution.packages.append(package)
        return package

    def _check_names(self) -> None:
        if len(self.resolution.interfaces) + len(self.resolution.packages) > self._most_names:
            raise TooLongError(
                f"the world has more than {self._most_names:,} packages and interfaces", hint="split the component"
            )

    def _define(self, owner: Owner, name: str, bound: Any) -> TypeDef:
        """The type `name` of an interface or world: a new one, or another name for one that has a name."""
        definition = TypeDef(name, ("component",), owner)
        earlier = None if bound.fresh else self._find(owner, bound.referenced)
        if earlier is not None:
            definition.define(earlier)
            outside = earlier if isinstance(earlier.owner, Interface) else self._outside.get(earlier)
            if outside is not None:
                self._outside[definition] = outside
            self._uses.setdefault((owner, earlier), definition)
        elif isinstance(bound.created.type, ResourceType):
            definition.define(ResourceType(name))
        else:
            self._take(ROOM_OF_TYPE)
            definition.define(self._parts(owner, bound.created))
        self.resolution.types.append(definition)
        self._call(bound, definition)
        return definition

    def _call(self, bound: Any, definition: TypeDef) -> None:
        """Remember what a type index is called; of several names of a resource the first, which has its methods."""
        self._forget()
        self._named[bound.created] = definition
        if isinstance(bound.created.type, ResourceType):
            self._named.setdefault(bound.created.type, definition)

    def _forget(self) -> None:
        """What was found depends on which names there are."""
        self._values.clear()
        self._signatures.clear()

    def _find(self, owner: Owner, index: TypeIndex) -> TypeDef | None:
        """The name of a type that can be used here, if it has one."""
        found = self._named.get(self._renamed.get(index, index))
        if found is None and isinstance(index.type, ResourceType):
            found = self._named.get(index.type)
        if found is None or found.owner is owner or isinstance(found.owner, Interface):
            return found
        return self._outside.get(found)

    def _parts_of(self, index: TypeIndex) -> Sequence[Any]:
        """The parts, which are looked at once for each interface that has the type: they may do it so often."""
        parts = index.parts
        if index in self._seen:
            self._again.spend(len(parts))
            self._take(ROOM_OF_PART * len(parts))
        self._seen.add(index)
        return parts

    def _parts(self, owner: Owner, index: TypeIndex) -> ValType:
        """What a type is, in terms of names, where its parts have one."""
        parts = iter(self._parts_of(index))

        def resource(of: Any) -> Any:
            part = next(parts)
            found = self._find(owner, part)
            return part.type if found is None else self._used(owner, found)

        return model.with_parts(index.type, lambda _: self._value(owner, next(parts)), resource)

    def _value(self, owner: Owner, index: TypeIndex) -> ValType:
        """A type by its name, where it has one."""
        found = self._find(owner, index)
        if found is not None:
            return self._used(owner, found)
        if isinstance(index.type, model.Prim):
            return index.type
        value = self._values.get((owner, index))
        if value is None:
            value = self._values[owner, index] = self._without_name(self._parts(owner, index))
        return value

    def _without_name(self, kind: ValType) -> TypeDef:
        if kind not in self._anonymous:
            self._anonymous[kind] = definition = TypeDef(None, ("component",))
            definition.define(kind)
            self.resolution.types.append(definition)
        return self._anonymous[kind]

    def _used(self, owner: Owner, found: TypeDef) -> TypeDef:
        """`found` where it is of this interface or world; otherwise a `use` of it."""
        if found.owner is owner:
            return found
        used = self._uses.get((owner, found))
        if used is None:
            types: Any = owner.types if isinstance(owner, Interface) else self.world.imports
            name = self._free(owner, found.name or "", types)
            used = self._uses[owner, found] = types[name] = TypeDef(name, ("component",), owner)
            used.define(found)
            self.resolution.types.append(used)
        return used

    def _free(self, owner: Owner, name: str, taken: Container[str]) -> str:
        """The name, or with a word at its end that no other one has."""
        free, number = name, self._suffixes.get((owner, name), 0)
        while free in taken:
            number += 1
            free = f"{name}-x{number if number > 1 else ''}"
        self._suffixes[owner, name] = number
        return free

    def _function(self, owner: Owner, name: str, index: TypeIndex, own: dict[str, TypeDef]) -> Function | None:
        """The function; None where WIT has no such name for one, such as that of an interface."""
        function = Function(name, is_async=index.type.is_async)
        try:
            name_function(function, own, 0)
        except ValidationError:
            return None
        signature = self._signatures.get((owner, index))
        if signature is None:
            signature = self._signatures[owner, index] = self._signature(owner, index)
        function.params, function.result = signature
        return function

    def _signature(self, owner: Owner, index: TypeIndex) -> tuple[list[Param], ValType | None]:
        values = [self._value(owner, part) for part in self._parts_of(index)]
        params = [Param(param.name, value) for param, value in zip(index.type.params, values)]
        return params, None if index.type.result is None else values[-1]
