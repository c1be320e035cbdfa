"""Hypothesis strategies: any type, any value of a type, and the specification's own form of a value.

In: nothing. Out: structural types without handles, values as Python has them (SPEC section 5), and translations.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from hypothesis import strategies as st

from wippywasm.abi.reference_strings import host_string
from wippywasm.abi.shapes import RANGES
from wippywasm.layout import MAX_FLAT_PARAMS, elem_size
from wippywasm.model import (
    PRIMS,
    Case,
    EnumType,
    Field,
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
)
from wippywasm.values import Err, Ok, Some, Variant

ENCODINGS = ("utf8", "utf16", "latin1+utf16")
PRIM_TYPES = [p for p in PRIMS.values() if p.name != "error-context"]
KEYS = [p for p in PRIM_TYPES if p.name not in ("f32", "f64")]


def names(count: int) -> tuple[str, ...]:
    return tuple(f"n-{i}" for i in range(count))


def _wider(inner: st.SearchStrategy[ValType]) -> st.SearchStrategy[ValType]:
    some = st.lists(inner, min_size=1, max_size=4)
    maybe = st.one_of(st.none(), inner)
    return st.one_of(
        inner.map(ListType),
        st.tuples(inner, st.integers(1, 20)).map(lambda p: ListType(p[0], p[1])),
        st.tuples(st.sampled_from(KEYS), inner).map(lambda p: MapType(*p)),
        some.map(lambda ts: RecordType(tuple(Field(n, t) for n, t in zip(names(len(ts)), ts)))),
        some.map(lambda ts: TupleType(tuple(ts))),
        st.lists(maybe, min_size=1, max_size=4).map(
            lambda ts: VariantType(tuple(Case(n, t) for n, t in zip(names(len(ts)), ts)))
        ),
        inner.map(OptionType),
        st.tuples(maybe, maybe).map(lambda p: ResultType(*p)),
    )


LEAVES: st.SearchStrategy[ValType] = st.one_of(
    st.sampled_from(PRIM_TYPES),
    st.sampled_from([EnumType(names(n)) for n in (1, 2, 256, 257)]),
    st.sampled_from([FlagsType(names(n)) for n in (1, 8, 9, 16, 17, 32)]),
)
TYPES: st.SearchStrategy[ValType] = st.recursive(LEAVES, _wider, max_leaves=10).filter(lambda t: elem_size(t) < 4096)
FLAT_TYPES = st.lists(TYPES, min_size=0, max_size=MAX_FLAT_PARAMS + 2)


def values(t: ValType) -> st.SearchStrategy[Any]:
    """Values that come out again just as they went in."""
    match t:
        case Prim(name=name):
            return _prims(name)
        case ListType(element=Prim(name="u8"), length=length):
            return st.binary(min_size=length or 0, max_size=length or 9)
        case ListType(element=element, length=length):
            return st.lists(values(element), min_size=length or 0, max_size=length or 4)
        case MapType(key=key, value=value):
            return st.dictionaries(values(key), values(value), max_size=3)
        case RecordType(fields=fields):
            return st.tuples(*[values(f.type) for f in fields]).map(lambda row: dict(zip(names(len(fields)), row)))
        case TupleType(items=items):
            return st.tuples(*map(values, items))
        case VariantType(cases=cases):
            return st.one_of([_payload(c.type).map(partial(Variant, c.name)) for c in cases])
        case EnumType(names=labels):
            return st.sampled_from(labels)
        case FlagsType(names=labels):
            return st.sets(st.sampled_from(labels), max_size=5)
        case OptionType(type=inner):
            some = values(inner).map(Some) if isinstance(inner, OptionType) else values(inner)
            return st.one_of(st.none(), some)
        case ResultType(ok=ok, err=err):
            return st.one_of(_payload(ok).map(Ok), _payload(err).map(Err))
    raise TypeError(t)


def _payload(t: ValType | None) -> st.SearchStrategy[Any]:
    return st.none() if t is None else values(t)


def _prims(name: str) -> st.SearchStrategy[Any]:
    if name in RANGES:
        return st.integers(*RANGES[name])
    match name:
        case "bool":
            return st.booleans()
        case "char":
            return st.characters(exclude_categories=["Cs"])
        case "string":
            return st.text(max_size=70)
    return st.floats(width=32 if name == "f32" else 64, allow_nan=False)


def to_spec(t: ValType, v: Any, encoding: str) -> Any:
    """A Python value as the reference has it."""
    match t:
        case Prim(name="string"):
            return host_string(v, encoding)
        case ListType(element=element):
            return [to_spec(element, x, encoding) for x in v]
        case MapType(key=key, value=value):
            return [{"0": to_spec(key, k, encoding), "1": to_spec(value, x, encoding)} for k, x in v.items()]
        case RecordType(fields=fields):
            return {f.name: to_spec(f.type, v[f.name], encoding) for f in fields}
        case TupleType(items=items):
            return {str(i): to_spec(x, v[i], encoding) for i, x in enumerate(items)}
        case VariantType(cases=cases):
            [payload] = [c.type for c in cases if c.name == v.case]
            return {v.case: _to_payload(payload, v.payload, encoding)}
        case EnumType():
            return {v: None}
        case FlagsType(names=labels):
            return {label: label in v for label in labels}
        case OptionType(type=inner):
            if v is None:
                return {"none": None}
            return {"some": to_spec(inner, v.value if isinstance(inner, OptionType) else v, encoding)}
        case ResultType(ok=ok, err=err):
            label, payload = ("ok", ok) if isinstance(v, Ok) else ("error", err)
            return {label: _to_payload(payload, v.value, encoding)}
    return v


def _to_payload(t: ValType | None, v: Any, encoding: str) -> Any:
    return None if t is None else to_spec(t, v, encoding)


def from_spec(t: ValType, v: Any) -> Any:
    """A value of the reference as Python has it."""
    match t:
        case Prim(name="string"):
            return v[0]
        case ListType(element=element):
            items = [from_spec(element, x) for x in v]
            return bytes(items) if element == PRIMS["u8"] else items
        case MapType(key=key, value=value):
            return {from_spec(key, x["0"]): from_spec(value, x["1"]) for x in v}
        case RecordType(fields=fields):
            return {f.name: from_spec(f.type, v[f.name]) for f in fields}
        case TupleType(items=items):
            return tuple(from_spec(x, v[str(i)]) for i, x in enumerate(items))
        case FlagsType():
            return {label for label, on in v.items() if on}
        case VariantType() | EnumType() | OptionType() | ResultType():
            [(label, payload)] = v.items()
            return _from_case(t, label, payload)
    return v


def _from_case(t: ValType, label: str, v: Any) -> Any:
    match t:
        case EnumType():
            return label
        case OptionType(type=inner):
            if label == "none":
                return None
            return Some(from_spec(inner, v)) if isinstance(inner, OptionType) else from_spec(inner, v)
        case ResultType(ok=ok, err=err):
            payload = ok if label == "ok" else err
            return (Ok if label == "ok" else Err)(None if payload is None else from_spec(payload, v))
        case VariantType(cases=cases):
            [payload] = [c.type for c in cases if c.name == label]
            return Variant(label, None if payload is None else from_spec(payload, v))
    raise TypeError(t)


def same(a: Any, b: Any) -> bool:
    """Equality in which NaN equals NaN, and types and the signs of zeros count."""
    if isinstance(a, float) and a != a:
        return isinstance(b, float) and b != b
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    match a:
        case list() | tuple():
            return len(a) == len(b) and all(map(same, a, b))
        case dict():
            return list(map(repr, a)) == list(map(repr, b)) and all(map(same, a.values(), b.values()))
        case Variant():
            return a.case == b.case and same(a.payload, b.payload)
        case Ok() | Err() | Some():
            return same(a.value, b.value)
    return bool(a == b)
