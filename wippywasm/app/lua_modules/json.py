"""Lua's `json`, as far as it is not made in Lua: values and the schemas that they are to fit. Spec: SPEC section 11."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache, partial

from wippywasm.app.json_schema import Problem, Schema
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.errors import InvalidError

SMALL = 4096
"""Characters of a schema and a value that are looked at without changing threads."""
_KEPT = 256
"""Schemas that stay compiled."""


def operations() -> Mapping[str, Operation]:
    """What the module asks for."""
    return {"json.validate": _validate}


async def _validate(_: LuaCaller, schema: str | bytes, text: str | bytes, is_loose: bool) -> bool:
    """Raises InvalidError, with the problems in its details, for a value that does not fit."""
    look = partial(_problems, schema, text, is_loose)
    problems = look() if len(schema) + len(text) <= SMALL else await asyncio.to_thread(look)
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        error = InvalidError(f"the value does not fit: {problems[0]}{more}")
        error.details["problems"] = [str(problem) for problem in problems]
        raise error
    return True


def _problems(schema: str | bytes, text: str | bytes, is_loose: bool) -> list[Problem]:
    return _compiled(_text(schema)).problems(_text(text), is_loose=is_loose)


@lru_cache(_KEPT)
def _compiled(text: str) -> Schema:
    return Schema(text)


def _text(text: str | bytes) -> str:
    if isinstance(text, bytes):
        raise InvalidError("JSON text is UTF-8, and this is not")
    return text
