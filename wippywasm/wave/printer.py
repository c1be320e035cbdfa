"""Values to text that parses to the same values.

In: a value of SPEC section 5 and its type. Out: one line of text.

Spec: WAVE, "Encoding".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

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
from wippywasm.values import Ok, Some
from wippywasm.wave.numbers import shortest_single
from wippywasm.wave.strings import quoted
from wippywasm.wave.tokens import KEYWORDS


def print_value(value: Any, type: ValType | None) -> str:
    """The text of a value; `()` for that of a function without result. Raises InvalidError for a resource."""
    return "()" if type is None else _value(structural(type), value)


def _value(t: ValType, value: Any) -> str:
    match t:
        case Prim(name=name):
            return _prim(name, value, t)
        case EnumType():
            return _case(value)
        case VariantType(cases=cases):
            type = next(c.type for c in cases if c.name == value.case)
            return _with_payload(_case(value.case), type, value.payload)
        case FlagsType(names=names):
            return f"{{{', '.join(name for name in names if name in value)}}}"
        case RecordType(fields=()):
            return "{:}"
        case RecordType(fields=fields):
            return f"{{{', '.join(f'{f.name}: {_value(f.type, value[f.name])}' for f in fields)}}}"
        case TupleType(items=items):
            return _between("()", (_value(item, part) for item, part in zip(items, value, strict=True)))
        case ListType(element=element):
            return _between("[]", (_value(element, part) for part in value))
        case _:
            return _wrapper(t, value)


def _wrapper(t: ValType, value: Any) -> str:
    match t:
        case OptionType() if value is None:
            return "none"
        case OptionType(type=inner):
            is_nested = isinstance(inner, OptionType) and isinstance(value, Some)
            return _with_payload("some", inner, value.value if is_nested else value)
        case ResultType(ok=ok, err=err):
            return _with_payload(*(("ok", ok) if isinstance(value, Ok) else ("err", err)), value.value)
        case MapType(key=key, value=inner):
            return _between("[]", (f"({_value(key, k)}, {_value(inner, v)})" for k, v in value.items()))
        case _:
            raise _no_form(t)


def _prim(name: str, value: Any, t: Prim) -> str:
    match name:
        case "bool":
            return "true" if value else "false"
        case "char":
            return quoted(value, "'")
        case "string":
            return quoted(value, '"')
        case "f32" | "f64":
            return _float(shortest_single(value) if name == "f32" else value)
        case "error-context":
            raise _no_form(t)
        case _:
            return str(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(value)


def _case(name: str) -> str:
    return f"%{name}" if name in KEYWORDS else name


def _with_payload(name: str, t: ValType | None, value: Any) -> str:
    return name if t is None else f"{name}({_value(t, value)})"


def _between(brackets: str, parts: Iterable[str]) -> str:
    return f"{brackets[0]}{', '.join(parts)}{brackets[1]}"


def _no_form(t: ValType) -> InvalidError:
    return InvalidError(f"{with_article(describe(t))} has no text form", hint="call it from Python")
