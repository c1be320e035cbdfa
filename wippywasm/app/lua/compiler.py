"""Compiling Lua text, outside of any app.

In: Lua text with its place. Out: a precompiled chunk, or a `LuaError` with file and line. Only text is taken: a
precompiled chunk made elsewhere could break the interpreter. Spec: SPEC section 11.
"""

from __future__ import annotations

from lupa.lua54 import LuaError as LupaError
from lupa.lua54 import LuaMemoryError, LuaRuntime

from wippywasm.app.lua.source import LuaSource
from wippywasm.errors import LuaError

_COMPILER_MEMORY = 256 << 20
_SOURCE_BYTES = 16 << 20

_COMPILE = """
local load, dump = load, string.dump
return function(text, name)
  local chunk, message = load(text, name, "t")
  if not chunk then return nil, message end
  return dump(chunk)
end
"""


def check_syntax(source: str, chunk_name: str, line: int = 1) -> LuaError | None:
    """The error in a Lua text that starts on line `line` of `chunk_name`, or None where it parses."""
    try:
        compile_source(LuaSource(source, chunk_name, line))
    except LuaError as error:
        return error
    return None


def compile_source(source: LuaSource) -> bytes:
    """A precompiled chunk that keeps names and lines; raises `LuaError` with file and line."""
    text = source.padded()
    if len(text) > _SOURCE_BYTES:
        raise LuaError(f"{source.chunk_name}: a Lua source may have at most {_SOURCE_BYTES >> 20} MiB")
    lua = LuaRuntime(encoding=None, register_eval=False, register_builtins=False, max_memory=_COMPILER_MEMORY)
    try:
        chunk, message = lua.execute(_COMPILE)(text, b"@" + source.chunk_name.encode(errors="backslashreplace")), None
    except LuaMemoryError:
        raise LuaError(f"{source.chunk_name}: the source is too large to compile") from None
    except LupaError as error:
        raise LuaError(f"{source.chunk_name}: {error}") from error
    if isinstance(chunk, tuple):
        chunk, message = chunk
    if chunk is None:
        raise LuaError((message or b"").decode("utf-8", "replace"))
    return bytes(chunk)
