"""The Python values that functions give, as JSON.

In: a Python value of SPEC section 5 and its WIT type; or any plain value where there is no type, as from Lua.
Out: dicts, lists, text, numbers, bools and None.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.errors import InvalidError
from wippywasm.model import (
    EnumType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
    structural,
)
from wippywasm.plan.describe import describe
from wippywasm.values import Err, Ok, Some, Variant


def value_to_json(type: ValType | None, value: Any) -> Any:
    """A value of a function's result; None where there is none."""
    return None if type is None else _value(structural(type), value)


def _value(t: ValType, value: Any) -> Any:
    match t:
        case Prim(name=("f32" | "f64") as name):
            return _float(value, is_single=name == "f32")
        case Prim() | EnumType():
            return value
        case ListType(element=element):
            return [_value(element, part) for part in value]
        case RecordType(fields=fields):
            return {f.name: _value(f.type, value[f.name]) for f in fields}
        case TupleType(items=items):
            return [_value(item, part) for item, part in zip(items, value)]
        case VariantType():
            return _variant(t, value)
        case FlagsType(names=names):
            return [name for name in names if name in value]
        case OptionType(type=inner):
            return _option(inner, value)
        case ResultType(ok=ok, err=err):
            return (
                {"ok": value_to_json(ok, value.value)}
                if isinstance(value, Ok)
                else {"err": value_to_json(err, value.value)}
            )
        case MapType():
            return _map(t, value)
        case _:
            raise InvalidError(
                f"the result has a {describe(t)}, which can't be written as JSON", hint="call it from Python"
            )


def _float(value: float, *, is_single: bool) -> float | str:
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return _shortest_single(value) if is_single else value


def _shortest_single(value: float) -> float:
    """The number of fewest digits that is the same f32: 0.1, not 0.10000000149011612."""
    exact = struct.pack("<f", value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if abs(short) <= abs(value) * 2 and _as_single(short) == exact:
            return short
    return value


def _as_single(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return b""


def _variant(t: VariantType, value: Variant) -> dict[str, Any]:
    type = next(c.type for c in t.cases if c.name == value.case)
    return {"tag": value.case} if type is None else {"tag": value.case, "value": _value(type, value.payload)}


def _option(inner: ValType, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(inner, OptionType) and isinstance(value, Some):
        return {"some": _value(inner, value.value)}
    return _value(inner, value)


def _map(t: MapType, value: Mapping[Any, Any]) -> Any:
    if isinstance(t.key, Prim) and t.key.name == "string":
        return {key: _value(t.value, part) for key, part in value.items()}
    return [[_value(t.key, key), _value(t.value, part)] for key, part in value.items()]


def untyped_to_json(value: Any) -> Any:
    """A value that has no WIT type: by what it is."""
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
    return {
        key if isinstance(key, str) else str(untyped_to_json(key)): untyped_to_json(part) for key, part in value.items()
    }


_UNTYPED: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((bool, int, str, type(None)), lambda value: value),
    (float, lambda value: _float(value, is_single=False)),
    ((bytes, bytearray, memoryview), _bytes),
    (Mapping, _mapping),
    ((list, tuple), lambda value: [untyped_to_json(part) for part in value]),
    ((set, frozenset), lambda value: sorted(untyped_to_json(part) for part in value)),
    (Variant, lambda value: {"tag": value.case, "value": untyped_to_json(value.payload)}),
    (Some, lambda value: {"some": untyped_to_json(value.value)}),
    (Ok, lambda value: {"ok": untyped_to_json(value.value)}),
    (Err, lambda value: {"err": untyped_to_json(value.value)}),
)
