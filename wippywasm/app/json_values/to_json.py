"""The Python values that functions give, as JSON.

In: a Python value of SPEC section 5 and its WIT type.
Out: dicts, lists, text, numbers, bools and None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.json_values.untyped import float_to_json
from wippywasm.errors import InvalidError, with_article
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
from wippywasm.values import Ok, Some, Variant
from wippywasm.wave.numbers import shortest_single


def value_to_json(type: ValType | None, value: Any) -> Any:
    """A value of a function's result; None where there is none."""
    return None if type is None else _value(structural(type), value)


def _value(t: ValType, value: Any) -> Any:
    match t:
        case Prim(name=("f32" | "f64") as name):
            return float_to_json(shortest_single(value) if name == "f32" else value)
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
                f"the result has {with_article(describe(t))}, which can't be written as JSON",
                hint="call it from Python",
            )


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
