"""Lua functions, processes and libraries. Spec: SPEC sections 2 and 11."""

from __future__ import annotations

from wippywasm.app.kinds.lifecycle import LIFECYCLE
from wippywasm.app.kinds.pool import LUA_POOL
from wippywasm.app.kinds.security import IDENTITY
from wippywasm.app.lua.modules import AVAILABLE_MODULES
from wippywasm.app.schema.file_types import SourceText
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.types import Choice, Field, ListOf, MapOf, Ref, Text, required

GLOBALS = ("channel", "coroutine", "errors", "process")
"""Always there; naming them does no harm."""

_LUA = {
    "source": required(SourceText(words="Lua, or file://path")),
    "modules": Field(ListOf(Choice((*sorted(AVAILABLE_MODULES), *GLOBALS)))),
    "imports": Field(MapOf(Ref(("library.lua",)))),
}

_METHOD = required(Text(words="the name of a function that the source defines"))

LUA_KINDS = (
    Kind(
        "function.lua",
        {
            **_LUA,
            "method": _METHOD,
            "pool": LUA_POOL,
            "security": IDENTITY,
        },
    ),
    Kind("process.lua", {**_LUA, "method": _METHOD, "lifecycle": LIFECYCLE, "security": IDENTITY}),
    Kind("library.lua", _LUA),
)
