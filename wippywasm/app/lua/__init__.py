"""Lua entries: programs in a sandbox, which call everything else by its id.

In: Lua sources with their modules and imports, a host. Out: workers whose calls are awaited. Lua itself is loaded when
the first of these names is used. Spec: SPEC sections 5, 6 and 11.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wippywasm.app.lua.compiler import check_syntax
    from wippywasm.app.lua.function import LuaFunction
    from wippywasm.app.lua.host import LuaHost
    from wippywasm.app.lua.limits import LuaLimits
    from wippywasm.app.lua.modules import AVAILABLE_MODULES
    from wippywasm.app.lua.program import LuaLibrary, LuaProgram
    from wippywasm.app.lua.source import LuaSource
    from wippywasm.app.lua.worker import LuaWorker

__all__ = [
    "AVAILABLE_MODULES",
    "LuaFunction",
    "LuaHost",
    "LuaLibrary",
    "LuaLimits",
    "LuaProgram",
    "LuaSource",
    "LuaWorker",
    "check_syntax",
]

_HOMES = {
    "AVAILABLE_MODULES": "modules",
    "LuaFunction": "function",
    "LuaHost": "host",
    "LuaLibrary": "program",
    "LuaLimits": "limits",
    "LuaProgram": "program",
    "LuaSource": "source",
    "LuaWorker": "worker",
    "check_syntax": "compiler",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
