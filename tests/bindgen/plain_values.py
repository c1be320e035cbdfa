"""What generated classes stand for.

In: a type, and a value with objects of generated classes wherever the type has a name. Out: the value without them.
"""

from __future__ import annotations

from typing import Any

from wippywasm import Err, Ok, Some, Variant
from wippywasm.model import (
    EnumType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)


def is_generated(value: Any) -> bool:
    return type(value).__module__.startswith("bindgen_")


def plain(t: ValType | None, value: Any) -> Any:
    """A value with objects of classes as one without; it has to have them wherever a type has a name."""
    match t:
        case RecordType(fields=fields):
            assert is_generated(value)
            return {f.name: plain(f.type, getattr(value, a)) for f, a in zip(fields, value.__match_args__)}
        case VariantType(cases=cases):
            assert is_generated(value)
            [case] = [c for c in cases if type(value).__name__.endswith(c.name.title().replace("-", ""))]
            return Variant(case.name, None if case.type is None else plain(case.type, value.value))
        case EnumType():
            assert is_generated(value)
            return str(value.value)
        case FlagsType():
            assert all(map(is_generated, value))
            return {str(flag.value) for flag in value}
        case ListType(element=element):
            return value if isinstance(value, bytes) else [plain(element, x) for x in value]
        case TupleType(items=items):
            return tuple(plain(x, y) for x, y in zip(items, value))
        case MapType(value=inner):
            return {key: plain(inner, x) for key, x in value.items()}
        case OptionType(type=inner):
            if isinstance(inner, OptionType):
                return None if value is None else Some(plain(inner, value.value))
            return None if value is None else plain(inner, value)
        case ResultType(ok=ok, err=err):
            return Ok(plain(ok, value.value)) if isinstance(value, Ok) else Err(plain(err, value.value))
    return value
