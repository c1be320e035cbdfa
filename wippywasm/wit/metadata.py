"""Documentation and gates beside the binary form of a package.

In: a package, or the content of its custom section `package-docs`. Out: that content, or the package with its
documentation. The format is that of other WIT tools: a version byte, 1, then JSON; what these don't know, or what is
about items that are not there, is refused.
"""

from __future__ import annotations

import json
import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wippywasm.errors import MalformedError
from wippywasm.model import EnumType, FlagsType, RecordType, VariantType
from wippywasm.wit.dump import stability_json
from wippywasm.wit.names import Version, identifier_fault, shortened, utf8, words
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
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
Json = dict[str, Any]
T = TypeVar("T")


def extract(package: Package) -> bytes:
    """The content of the custom section."""
    found = _present(
        docs=package.docs,
        worlds=_each(package.worlds, _world),
        interfaces=_each(package.interfaces, _interface),
    )
    return bytes([_VERSION]) + utf8(json.dumps(found, ensure_ascii=False, separators=(",", ":")))


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
    """Puts documentation and gates into `package`; those of another one, which say so, are passed over.

    Raises MalformedError for what is not that: `offset` is where `data` starts.
    """
    if not data or data[0] > _VERSION:
        raise MalformedError(f"section {SECTION_NAME} has an unknown version", offset)
    try:
        found = _object(_parsed(data[1:].decode("utf-8")), "package docs worlds interfaces")
        if found.get("package") in (None, str(package.name)):
            _inject(package, found)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedError(f"section {SECTION_NAME} does not hold what it should: {error}", offset) from None


def _parsed(text: str) -> object:
    """The value of a JSON text; ValueError also for half of a surrogate pair, which no text that we write can hold."""
    found = json.loads(text)
    if _SURROGATE.search(text):
        try:
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"{error.object[error.start]!r} is half of a surrogate pair") from None
    return found


def _object(value: object, fields: str) -> Json:
    """`value`, which has to be an object with some of these fields: one that is not known may gate something."""
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {shortened(repr(value))}")
    if unknown := value.keys() - words(fields):
        raise ValueError(f"{shortened(repr(min(unknown)))} is not one of {fields}")
    return value


def _map(data: Json, field: str) -> Json:
    """The items that a field has by their names; none where it is not there."""
    found = data.get(field, {})
    if not isinstance(found, dict):
        raise TypeError(f"expected names in {field}, got {shortened(repr(found))}")
    return found


def _item(items: Mapping[Any, Any], name: str, kind: type[T]) -> T:
    """The item that something is said of."""
    item = items.get(name)
    if not isinstance(item, kind):
        raise ValueError(f"it is about {shortened(repr(name))}, which is not there")
    return item


def _inject(package: Package, found: Json) -> None:
    package.docs = _text(found.get("docs"))
    for name, data in _map(found, "interfaces").items():
        _inject_interface(_item(package.interfaces, name, Interface), data)
    for name, data in _map(found, "worlds").items():
        _inject_world(_item(package.worlds, name, World), data)


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("documentation is a string")
    return value


def _version(value: object) -> Version | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("a version is a string")
    return None if value is None else Version.parse(value)


def _stability(value: object) -> Stability | None:
    if value in (None, "unknown"):
        return None
    variants = _object(value, "stable unstable")
    if len(variants) != 1:
        raise ValueError("a gate is either stable or unstable")
    if "stable" in variants:
        fields = _object(variants["stable"], "since deprecated")
        return Stability(_version(fields["since"] or ""), None, _version(fields.get("deprecated")))
    fields = _object(variants["unstable"], "feature deprecated")
    feature = _text(fields["feature"]) or ""
    if fault := identifier_fault(feature):
        raise ValueError(fault)
    return Stability(None, feature, _version(fields.get("deprecated")))


def _inject_gated(item: Function | Interface | World | TypeDef, data: Json) -> None:
    item.docs, item.stability = _text(data.get("docs")), _stability(data.get("stability"))


def _inject_function(function: Function, data: object) -> None:
    """`data` may be the documentation alone, as in older sections."""
    if data is None or isinstance(data, str):
        function.docs = data
    else:
        _inject_gated(function, _object(data, "docs stability"))


def _inject_type(t: TypeDef, data: object) -> None:
    found = _object(data, "docs stability items")
    _inject_gated(t, found)
    items, names = _map(found, "items"), member_names(t)
    if strangers := items.keys() - set(names):
        raise ValueError(f"it is about {shortened(repr(min(strangers)))}, which `{t.name}` has not")
    if items:
        t.member_docs = tuple(_text(items.get(name)) for name in names)


def _inject_interface(interface: Interface, data: object) -> None:
    found = _object(data, "docs stability funcs types")
    _inject_gated(interface, found)
    for name, function in _map(found, "funcs").items():
        _inject_function(_item(interface.functions, name, Function), function)
    for name, definition in _map(found, "types").items():
        _inject_type(_item(interface.types, name, TypeDef), definition)


_SIDES = ("import", "export")
_WORLD_FIELDS = "docs stability types funcs func_exports interfaces interface_exports " + " ".join(
    f"interface_{side}_{what}" for side in _SIDES for what in ("stability", "docs")
)


def _inject_world(world: World, data: object) -> None:
    found = _object(data, _WORLD_FIELDS)
    _inject_gated(world, found)
    for name, definition in _map(found, "types").items():
        _inject_type(_item(world.imports, name, TypeDef), definition)
    # Older sections have exports among the imports, where no import has that name.
    _inject_items(ChainMap(world.imports, world.exports), _map(found, "funcs"), _map(found, "interfaces"))
    _inject_items(world.exports, _map(found, "func_exports"), _map(found, "interface_exports"))
    for side, items in zip(_SIDES, (world.imports, world.exports)):
        named = {key_name(k): i for k, i in items.items() if isinstance(i, InterfaceItem)}
        for name, gate in _map(found, f"interface_{side}_stability").items():
            _item(named, name, InterfaceItem).stability = _stability(gate)
        for name, docs in _map(found, f"interface_{side}_docs").items():
            _item(named, name, InterfaceItem).docs = _text(docs)


def _inject_items(items: Mapping[WorldKey, WorldItem], functions: Json, interfaces: Json) -> None:
    for name, found in functions.items():
        _inject_function(_item(items, name, Function), found)
    for name, found in interfaces.items():
        item = _item(items, name, InterfaceItem)
        _inject_interface(item.interface, found)
        item.stability = item.interface.stability
