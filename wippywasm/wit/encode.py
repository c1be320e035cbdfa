"""A WIT package to its component binary form.

In: a package of a resolution. Out: bytes of a component that exports one type for each interface and world.
Documentation and gates, which the binary format has no place for, go into the custom section that other WIT tools use.
Spec: `WIT.md`, "Package Format"; `Binary.md`, type definitions.
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.leb128 import unsigned
from wippywasm.wit.encode_types import Declarations, TypeEncoder, extern_name, name_bytes
from wippywasm.wit.metadata import SECTION_NAME, extract
from wippywasm.wit.resolved import (
    Function,
    Interface,
    InterfaceItem,
    Package,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
    direct_dependencies,
    key_name,
)

MAX_ITEMS = 250_000
"""Types and functions of the interfaces in all worlds of a package; each world spells out what it imports."""
PREAMBLE = b"\0asm\x0d\x00\x01\x00"
_CUSTOM, _TYPES, _EXPORTS = 0, 7, 11
_FUNC, _TYPE, _COMPONENT, _INSTANCE = b"\x01", b"\x03", b"\x04", b"\x05"


def encode(package: Package) -> bytes:
    """The package as a component, which `decode` reads back.

    Raises InvalidError for what the binary form does not have, such as a package without interfaces and worlds, a
    record without fields, or two names that differ only in the case of letters.
    """
    if not package.interfaces and not package.worlds:
        hint = "give it an interface or a world: nothing else in there says the package's name"
        raise InvalidError(f"package `{package.name}` is empty, and so has no binary form", hint=hint)
    names = Declarations()
    room = _Room()
    definitions = [(name, _encode_interface(i, room)) for name, i in package.interfaces.items()]
    definitions += [(name, _encode_named_world(w, room)) for name, w in package.worlds.items()]
    sections = [PREAMBLE]
    for i, (name, definition) in enumerate(definitions):
        names.claim(b"\x04", name)
        # An exported type has an index of its own, so definitions have the even ones.
        export = b"\x00" + name_bytes(name) + _TYPE + unsigned(2 * i) + b"\x00"
        sections += [_section(_TYPES, unsigned(1) + definition), _section(_EXPORTS, unsigned(1) + export)]
    sections.append(_section(_CUSTOM, name_bytes(SECTION_NAME) + extract(package)))
    return b"".join(sections)


def _section(id: int, content: bytes) -> bytes:
    return bytes([id]) + unsigned(len(content)) + content


class _Room:
    """How many more items may be written: many worlds of one large interface make far more bytes than text."""

    def __init__(self) -> None:
        self._left = MAX_ITEMS

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise InvalidError(f"the worlds have more than {MAX_ITEMS:,} items in total", hint="split the package")


def _encode_interface(interface: Interface, room: _Room) -> bytes:
    """A component type that exports the interface and imports the ones that it uses, types only."""
    scope = _Scope(room)
    for used in _used_interfaces(interface):
        assert used.id is not None
        if used is interface:
            scope.extern(b"\x04", used.id, _INSTANCE + unsigned(scope.instance(used)))
        else:
            scope.extern(b"\x03", used.id, _INSTANCE + unsigned(scope.instance(used, functions=False)))
        scope.bind(used)
    return scope.outer.component()


def _used_interfaces(interface: Interface) -> list[Interface]:
    """The interfaces that this one's types come from, each behind those that it uses, and itself as the last one."""
    order: dict[Interface, None] = {}
    stack = [(interface, iter(dict.fromkeys(direct_dependencies(interface))))]
    entered = {interface}
    while stack:
        current, needed = stack[-1]
        following = next((n for n in needed if n not in entered), None)
        if following is None:
            order[current] = None
            stack.pop()
        else:
            entered.add(following)
            stack.append((following, iter(dict.fromkeys(direct_dependencies(following)))))
    return list(order)


def _encode_named_world(world: World, room: _Room) -> bytes:
    wrapper = Declarations()
    index = wrapper.define(_encode_world(world, room))
    wrapper.claim(b"\x04", world.id)
    wrapper.add(b"\x04" + b"\x00" + name_bytes(world.id) + _COMPONENT + unsigned(index))
    return wrapper.component()


def encode_world(world: World) -> bytes:
    """The component type of a world. Raises InvalidError, as `encode` does."""
    return _encode_world(world, _Room())


def _encode_world(world: World, room: _Room) -> bytes:
    scope = _Scope(room)
    for key, item in world.imports.items():
        scope.item(b"\x03", key, item)
    for key, item in world.exports.items():
        scope.item(b"\x04", key, item)
    return scope.outer.component()


@dataclass(frozen=True)
class EncodedImports:
    """The imports of a world as the first sections of a component.

    `items` has the sort and index of each import by its name; `counts` how many items of each sort there are now.
    """

    sections: bytes
    items: Mapping[str, tuple[str, int]]
    counts: Mapping[str, int]


_SECTIONS = {0x01: _TYPES, 0x02: 6, 0x03: 10}
"""The section that has the same form as a declaration: of a type, an alias, an import."""


def encode_imports(world: World) -> EncodedImports:
    """What a component of a world begins with. Raises InvalidError, as `encode` does."""
    scope = _Scope(_Room())
    items: dict[str, tuple[str, int]] = {}
    counts = {"func": 0, "type": 0, "instance": 0}
    for key, item in world.imports.items():
        sort = "type" if isinstance(item, TypeDef) else "func" if isinstance(item, Function) else "instance"
        index = scope.item(b"\x03", key, item)
        items[key_name(key)] = sort, counts[sort] if index is None else index
        counts[sort] += 1
    sections = [_section(_SECTIONS[d[0]], unsigned(1) + d[1:]) for d in scope.outer.declarations]
    return EncodedImports(b"".join(sections), items, {**counts, "type": scope.outer.types})


class _Scope:
    """A component type in the making: its own types, and the instances that it has so far."""

    def __init__(self, room: _Room) -> None:
        self.room = room
        self.outer = Declarations()
        self.types = TypeEncoder(self.outer, None, self._foreign)
        self.instances: dict[Interface, int] = {}
        self._aliases: dict[tuple[int, TypeDef], int] = {}
        self._count = 0

    def bind(self, interface: Interface) -> None:
        """The next instance index is that of `interface`."""
        self.instances[interface] = self._count
        self._count += 1

    def _foreign(self, t: TypeDef) -> int:
        """The index, here, of a type of an instance."""
        assert isinstance(t.owner, Interface)
        key = (self.instances[t.owner], t)
        if key not in self._aliases:
            self._aliases[key] = self.outer.alias_type(key[0], t.name or "")
        return self._aliases[key]

    def instance(self, interface: Interface, *, functions: bool = True) -> int:
        """Defines the instance type of an interface; its index."""
        inner = Declarations()
        self.room.take(1 + len(interface.types) + len(interface.functions))

        def foreign(t: TypeDef) -> int:
            return inner.alias_outer_type(self._foreign(t))

        types = TypeEncoder(inner, interface, foreign)
        for definition in interface.types.values():
            types.named(definition)
        for function in interface.functions.values() if functions else ():
            index = types.function(function)
            inner.claim(b"\x04", function.name)
            inner.add(b"\x04" + extern_name(function.name, external_id=function.external_id) + _FUNC + unsigned(index))
        return self.outer.define(inner.instance())

    def extern(self, direction: bytes, name: str, kind: bytes) -> None:
        self.outer.claim(direction, name)
        self.outer.add(direction + b"\x00" + name_bytes(name) + kind)

    def item(self, direction: bytes, key: WorldKey, item: WorldItem) -> int | None:
        """Add an import or export; the index of a type."""
        if isinstance(item, TypeDef):
            return self.types.named(item, direction)
        if isinstance(item, Function):
            kind, implements = _FUNC + unsigned(self.types.function(item)), None
        else:
            kind, implements = _INSTANCE + unsigned(self.instance(item.interface)), _implements(key, item)
        name = extern_name(key_name(key), implements=implements, external_id=item.external_id)
        self.outer.claim(direction, key_name(key))
        self.outer.add(direction + name + kind)
        if isinstance(item, InterfaceItem):
            self.bind(item.interface)
        return None


def _implements(key: WorldKey, item: InterfaceItem) -> str | None:
    """The interface that stands under a plain name."""
    return item.interface.id if isinstance(key, str) else None
