"""Lua functions and libraries. Spec: SPEC sections 2 and 11."""

from __future__ import annotations

from wippywasm.app.kinds.pool import POOL
from wippywasm.app.schema.file_types import SourceText
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.types import Choice, Field, ListOf, MapOf, Ref, Struct, Text, required

MODULES = ("funcs",)
LATER_MODULES = (
    "time",
    "ctx",
    "security",
    "env",
    "fs",
    "json",
    "http",
    "http_client",
    "logger",
    "registry",
    "uuid",
    "base64",
    "process",
    "channel",
)
"""Modules of SPEC section 11 that come later."""
GLOBALS = ("errors", "coroutine")
"""Always there; naming them does no harm."""

_LUA = {
    "source": required(SourceText(words="Lua, or file://path")),
    "modules": Field(ListOf(Choice((*MODULES, *GLOBALS), later=LATER_MODULES))),
    "imports": Field(MapOf(Ref(("library.lua",)))),
}

LUA_KINDS = (
    Kind(
        "function.lua",
        {
            **_LUA,
            "method": required(Text(words="the name of a function that the source defines")),
            "pool": POOL,
            "security": Field(Struct({}), later="'security'"),
        },
    ),
    Kind("library.lua", _LUA),
)
