"""JSON text, read and written.

In: text of any origin. Out: values no deeper than `MAX_DEPTH`. Numbers keep all their digits; there is no `NaN` in the
text that we write.
"""

from __future__ import annotations

import json
from typing import Any

from wippywasm.errors import InvalidError

MAX_DEPTH = 128


def parse_json(text: str, what: str) -> Any:
    """The value of a JSON text; raises `InvalidError` that calls it `what`."""
    try:
        value = json.loads(text)
        is_deep = _is_deeper(value, MAX_DEPTH)
    except RecursionError:
        is_deep = True
    except ValueError as error:
        raise InvalidError(f"{what} is not JSON: {_reason(error)}", hint=_quoting_hint(text)) from None
    if is_deep:
        raise InvalidError(f"{what} is nested deeper than {MAX_DEPTH} levels")
    return value


def dump_json(value: Any, indent: int | None = None) -> str:
    """JSON text, its letters as they are."""
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)


def _is_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for part in level if isinstance(part, dict | list) for child in _children(part)]
        if not level:
            return False
    return True


def _children(part: Any) -> Any:
    return part.values() if isinstance(part, dict) else part


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[0].lower()}{error.msg[1:]} at character {error.pos + 1}"
    return str(error)


def _quoting_hint(text: str) -> str | None:
    if text[:1] in ("", "{", "[", '"'):
        return None
    return f"text is written in quotes: '{json.dumps(text[:60], ensure_ascii=False)}'"
