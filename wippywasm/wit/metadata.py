"""Documentation and gates beside the binary form of a package.

In: a package, or the content of its custom section `package-docs`. Out: that content, or the package with its
documentation. The format is that of other WIT tools: a version byte, 1, then JSON; sections that make no sense are
refused, parts about items that are not there are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wippywasm.errors import MalformedError
from wippywasm.model import EnumType, FlagsType, RecordType, VariantType
from wippywasm.wit.dump import stability_json
from wippywasm.wit.names import Version
from wippywasm.wit.resolved import (
    Function,
    Interface,
    InterfaceItem,
    Package,
    Stability,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
    key_name,
)

SECTION_NAME = "package-docs"
_VERSION = 1
Json = dict[str, Any]
T = TypeVar("T")


def extract(package: Package) -> bytes:
    """The content of the custom section."""
    found = _present(
        docs=package.docs,
        worlds=_each(package.worlds, _world),
        interfaces=_each(package.interfaces, _interface),
    )
    return bytes([_VERSION]) + json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _present(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None and value != {}}


def _each(items: Mapping[str, T], one: Callable[[T], Json]) -> Json:
    return {name: found for name, item in items.items() if (found := one(item))}


def _gated(item: Function | Interface | World) -> Json:
    return _present(docs=item.docs, stability=stability_json(item.stability))


def _type(t: TypeDef) -> Json:
    items = {name: docs for name, docs in zip(member_names(t), t.member_docs) if docs is not None}
    return _present(docs=t.docs, stability=stability_json(t.stability), items=items)


def member_names(t: TypeDef) -> tuple[str, ...]:
    """The names of the fields, cases or flags of a type."""
    match t.kind:
        case RecordType(fields=members):
            return tuple(m.name for m in members)
        case VariantType(cases=cases):
            return tuple(c.name for c in cases)
        case EnumType(names=names) | FlagsType(names=names):
            return names
    return ()


def _interface(interface: Interface) -> Json:
    return _gated(interface) | _present(funcs=_each(interface.functions, _gated), types=_each(interface.types, _type))


def _world(world: World) -> Json:
    found = _gated(world)
    types = {k: i for k, i in world.imports.items() if isinstance(k, str) and isinstance(i, TypeDef)}
    found |= _present(types=_each(types, _type))
    for direction, items in (("import", world.imports), ("export", world.exports)):
        functions = {k: i for k, i in items.items() if isinstance(k, str) and isinstance(i, Function)}
        interfaces = {key_name(k): i for k, i in items.items() if isinstance(i, InterfaceItem)}
        inline = {name: i.interface for name, i in interfaces.items() if i.interface.name is None}
        outside = {name: i for name, i in interfaces.items() if i.interface.name is not None}
        prefix = "" if direction == "import" else "_exports"
        found |= _present(**{f"func{prefix or 's'}": _each(functions, _gated)})
        found |= _present(**{f"interface{prefix or 's'}": _each(inline, _interface)})
        gates = {name: stability_json(i.stability) for name, i in outside.items() if i.stability is not None}
        docs = {name: i.docs for name, i in outside.items() if i.docs is not None}
        found |= _present(**{f"interface_{direction}_stability": gates, f"interface_{direction}_docs": docs})
    return found


# ---- back ---------------------------------------------------------------------------------------------------------


def inject(package: Package, data: bytes, offset: int) -> None:
    """Puts documentation and gates into `package`. Raises MalformedError; `offset` is where `data` starts."""
    if not data or data[0] > _VERSION:
        raise MalformedError(f"section {SECTION_NAME} has an unknown version", offset)
    try:
        found = json.loads(data[1:].decode("utf-8"))
        _inject(package, found)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise MalformedError(f"section {SECTION_NAME} does not hold what it should: {error}", offset) from None


def _inject(package: Package, found: Json) -> None:
    package.docs = _text(found.get("docs"))
    for name, data in found.get("interfaces", {}).items():
        if name in package.interfaces:
            _inject_interface(package.interfaces[name], data)
    for name, data in found.get("worlds", {}).items():
        if name in package.worlds:
            _inject_world(package.worlds[name], data)


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("documentation is a string")
    return value


def _stability(value: Json | None) -> Stability | None:
    if not value:
        return None
    kind, fields = next(iter(value.items()))
    deprecated = Version.parse(fields["deprecated"]) if fields.get("deprecated") else None
    if kind == "stable":
        return Stability(Version.parse(fields["since"]), None, deprecated)
    return Stability(None, _text(fields["feature"]), deprecated)


def _inject_gated(item: Function | Interface | World | TypeDef, data: Json | str) -> None:
    if isinstance(data, str):
        item.docs = data
        return
    item.docs, item.stability = _text(data.get("docs")), _stability(data.get("stability"))


def _inject_type(t: TypeDef, data: Json) -> None:
    _inject_gated(t, data)
    items = data.get("items", {})
    if items:
        t.member_docs = tuple(_text(items.get(name)) for name in member_names(t))


def _inject_interface(interface: Interface, data: Json) -> None:
    _inject_gated(interface, data)
    for name, found in data.get("funcs", {}).items():
        if name in interface.functions:
            _inject_gated(interface.functions[name], found)
    for name, found in data.get("types", {}).items():
        if name in interface.types:
            _inject_type(interface.types[name], found)


def _inject_world(world: World, data: Json) -> None:
    _inject_gated(world, data)
    for name, found in data.get("types", {}).items():
        item = world.imports.get(name)
        if isinstance(item, TypeDef):
            _inject_type(item, found)
    for prefix, items in (("s", world.imports), ("_exports", world.exports)):
        _inject_items(items, data.get(f"func{prefix}", {}), data.get(f"interface{prefix}", {}))
    for direction, items in (("import", world.imports), ("export", world.exports)):
        named = {key_name(k): i for k, i in items.items() if isinstance(i, InterfaceItem)}
        for name, gate in data.get(f"interface_{direction}_stability", {}).items():
            if name in named:
                named[name].stability = _stability(gate)
        for name, docs in data.get(f"interface_{direction}_docs", {}).items():
            if name in named:
                named[name].docs = _text(docs)


def _inject_items(items: dict[WorldKey, WorldItem], functions: Json, interfaces: Json) -> None:
    for name, found in functions.items():
        item = items.get(name)
        if isinstance(item, Function):
            _inject_gated(item, found)
    for name, found in interfaces.items():
        item = items.get(name)
        if isinstance(item, InterfaceItem):
            _inject_interface(item.interface, found)
            item.stability = item.interface.stability
