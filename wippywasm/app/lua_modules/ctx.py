"""Lua's `ctx`: what goes along with the request. Spec: SPEC sections 10 and 11."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.context import current
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.errors import InvalidError, NotFoundError


def operations() -> Mapping[str, Operation]:
    """What the module asks for."""
    return {"ctx.get": _get, "ctx.all": _all}


def _get(_: LuaCaller, key: str | bytes) -> Any:
    values = current().values
    if isinstance(key, bytes):
        raise InvalidError("ctx.get takes a key, a text in UTF-8")
    if key not in values:
        raise NotFoundError(f"the request carries no '{key!s:.80}'")
    return values[key]


def _all(_: LuaCaller) -> dict[str, Any]:
    return dict(current().values)
