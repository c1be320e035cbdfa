"""Arguments that several modules of Lua take.

In: plain values from a program. Out: the same, checked; InvalidError says what was given, in Lua's terms.
"""

from __future__ import annotations

from typing import Any

from wippywasm.app.ids import ID_FORM, check_id
from wippywasm.app.words import lua_kind_of
from wippywasm.errors import InvalidError


def text(value: Any, taker: str) -> str:
    """A text in UTF-8; `taker` begins the sentence: `env.get takes`, `a UUID is`."""
    if not isinstance(value, str):
        raise InvalidError(f"{taker} text, got {lua_kind_of(value)}")
    return value


def entry_id(value: Any) -> str:
    """The id of an entry, whether or not there is one."""
    if not isinstance(value, str):
        raise InvalidError(f"{ID_FORM}, got {lua_kind_of(value)}")
    check_id(value)
    return value
