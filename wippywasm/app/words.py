"""What a value is, in words for messages that don't show it.

In: plain values. Out: a noun with its article: in English, for whoever may be reading; in Lua's terms, for programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.errors import WippyError, with_article

_BYTES = (bytes, bytearray, memoryview)


def kind_of(value: Any) -> str:
    """`a number`, `a list`, `nothing`: what people call it in either language."""
    if isinstance(value, str):
        return "a text"
    if isinstance(value, list | tuple):
        return "a list"
    return "bytes" if isinstance(value, _BYTES) else "a mapping" if isinstance(value, Mapping) else _common(value)


def lua_kind_of(value: Any) -> str:
    """`a number`, `a table`, `nothing`: what Lua calls a value that came from a program."""
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list | tuple | Mapping):
        return "a table"
    return "a string that is not UTF-8" if isinstance(value, _BYTES) else _common(value)


def _common(value: Any) -> str:
    """What both call the same; of another object its class, which only Python can have given."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    return "an error" if isinstance(value, WippyError) else with_article(type(value).__name__)
