"""Values that have no WIT type, as from Lua, as JSON: by what they are.

In: plain Python values and those of `wippywasm.values`. Out: dicts, lists, text, numbers, bools and None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.errors import InvalidError
from wippywasm.values import Err, Ok, Some, Variant


def float_to_json(value: float) -> float | str:
    """A number, or the word for one that JSON does not have."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def untyped_to_json(value: Any) -> Any:
    """A value that has no WIT type: by what it is. Raises `InvalidError` for what JSON has no word for."""
    for classes, convert in _UNTYPED:
        if isinstance(value, classes):
            return convert(value)
    raise InvalidError(f"the result has a value of type {type(value).__name__}, which can't be written as JSON")


def _bytes(value: Any) -> Any:
    data = bytes(value)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return list(data)


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    """By key in order of its text: a Lua table has no order of its own."""
    named = {key if isinstance(key, str) else str(untyped_to_json(key)): part for key, part in value.items()}
    return {key: untyped_to_json(named[key]) for key in sorted(named)}


_UNTYPED: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((bool, int, str, type(None)), lambda value: value),
    (float, float_to_json),
    ((bytes, bytearray, memoryview), _bytes),
    (Mapping, _mapping),
    ((list, tuple), lambda value: [untyped_to_json(part) for part in value]),
    ((set, frozenset), lambda value: sorted(untyped_to_json(part) for part in value)),
    (Variant, lambda value: {"tag": value.case, "value": untyped_to_json(value.payload)}),
    (Some, lambda value: {"some": untyped_to_json(value.value)}),
    (Ok, lambda value: {"ok": untyped_to_json(value.value)}),
    (Err, lambda value: {"err": untyped_to_json(value.value)}),
)
