"""Lua's `uuid`: identifiers made, and looked into. Spec: SPEC section 11; RFC 9562."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.app.lua.host import Operation
from wippywasm.app.lua_modules.arguments import text
from wippywasm.errors import InvalidError

_VARIANTS = {
    uuid.RESERVED_NCS: "NCS",
    uuid.RFC_4122: "RFC4122",
    uuid.RESERVED_MICROSOFT: "Microsoft",
    uuid.RESERVED_FUTURE: "Reserved",
}
_FORMATS: Mapping[str, Callable[[uuid.UUID], str]] = {
    "standard": str,
    "simple": lambda id: id.hex,
    "urn": lambda id: id.urn,
}
_GREGORIAN = 0x01B21DD213814000
"""From 1582-10-15 to 1970-01-01, in units of 100 ns: what version 1 counts from."""


def operations() -> Mapping[str, Operation]:
    """What the module asks for."""
    made: dict[str, Callable[[Any, Any], Any]] = {
        "v1": lambda *_: str(uuid.uuid1(node=_NODE)),
        "v3": lambda namespace, name: str(uuid.uuid3(_parsed(namespace), _name(name))),
        "v4": lambda *_: str(uuid.uuid4()),
        "v5": lambda namespace, name: str(uuid.uuid5(_parsed(namespace), _name(name))),
        "v7": lambda *_: str(_v7()),
    }
    asked: dict[str, Callable[[Any, Any], Any]] = {
        "validate": lambda id, _: _is_valid(id),
        "version": lambda id, _: _version(_parsed(id)),
        "variant": lambda id, _: _VARIANTS[_parsed(id).variant],
        "parse": lambda id, _: _facts(_parsed(id)),
        "format": _format,
    }
    return {f"uuid.{name}": _operation(function) for name, function in (made | asked).items()}


def _operation(function: Callable[[Any, Any], Any]) -> Operation:
    """An argument that is missing is nil, as in Lua."""
    return lambda _, one=None, two=None: function(one, two)


_NODE = secrets.randbits(48) | 1 << 40
"""Random, with the bit that says so: the machine's own address is nobody's business."""


def _v7() -> uuid.UUID:
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def _is_valid(id: Any) -> bool:
    try:
        _parsed(id)
    except InvalidError:
        return False
    return True


def _version(id: uuid.UUID) -> int:
    if id.version is None:
        raise InvalidError(f"'{id}' has no version: its variant is {_VARIANTS[id.variant]}")
    return id.version


def _facts(id: uuid.UUID) -> Mapping[str, Any]:
    facts: dict[str, Any] = {"version": id.version, "variant": _VARIANTS[id.variant]}
    if id.version == 1:
        facts |= {"timestamp": (id.time - _GREGORIAN) // 10_000_000, "node": f"{id.node:012x}"}
    elif id.version == 7:
        facts["timestamp"] = (id.int >> 80) // 1000
    return facts


def _format(id: Any, form: Any) -> str:
    how = _FORMATS.get("standard" if form is None else form) if isinstance(form, str | None) else None
    if how is None:
        raise InvalidError(f"uuid.format knows {', '.join(_FORMATS)}")
    return how(_parsed(id))


def _parsed(id: Any) -> uuid.UUID:
    given = text(id, "a UUID is")
    try:
        return uuid.UUID(given)
    except ValueError:
        raise InvalidError(f"'{given[:80]}' is no UUID") from None


def _name(name: Any) -> str:
    return text(name, "the name that a UUID is made of is")
