"""Codecs: how the arguments and results of one signature cross the border of a sandbox.

In: a function type. Out: its two halves, compiled once and shared by all workers. Spec: SPEC section 5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from wippywasm.app.lua.codec_lua import LuaCodecSource
from wippywasm.app.lua.codec_python import compile_reader, compile_writer
from wippywasm.app.lua.type_names import refuse_unsupported
from wippywasm.app.lua.wire import Reader, Writer
from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType, ResultType, structural_func


@dataclass(frozen=True, slots=True)
class Codec:
    """`lua_source` is the half in Lua; the others read its arguments and write a value or an `err` payload to it."""

    lua_source: bytes
    read_args: Callable[[Reader], list[Any]]
    write_value: Callable[[Writer, Any], None]
    write_err: Callable[[Writer, Any], None]


@lru_cache(maxsize=1024)
def codec_for(signature: FuncType) -> Codec:
    """The codec of a signature; raises InvalidError where Lua has no form for one of its types."""
    ft = structural_func(signature)
    refuse_unsupported(ft)
    ok, err = (ft.result.ok, ft.result.err) if isinstance(ft.result, ResultType) else (ft.result, None)
    return Codec(
        LuaCodecSource().text(ft).encode(),
        compile_reader([param.type for param in ft.params]),
        compile_writer(ok),
        compile_writer(err),
    )
