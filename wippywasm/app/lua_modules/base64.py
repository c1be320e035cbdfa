"""Lua's `base64`: bytes as text of the standard alphabet, with padding."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.errors import InvalidError


def operations() -> Mapping[str, Operation]:
    """What the module asks for."""
    return {"base64.encode": _encode, "base64.decode": _decode}


def _encode(_: LuaCaller, data: str | bytes) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode("ascii")


def _decode(_: LuaCaller, text: str | bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(f"not base64: {error}") from None
