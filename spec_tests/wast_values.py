"""Values as `.wast` files write them ↔ values as our library takes and gives them.

In: groups like `(u32.const 1)`, the WIT type that is meant. Out: Python values; whether a result is the expected one.
Spec: the value syntax of the component-model test suite; SPEC section 5.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from typing import Any

from spec_tests.wast_syntax import Atom, Group, Node, String, WastSyntaxError
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
)
from wippywasm.values import Err, Ok, Some, Variant

INTEGERS = re.compile(r"[su](?:8|16|32|64)\Z")


def to_python(group: Group, type: ValType) -> Any:
    """The value of a group, for a parameter or result of that type."""
    return _value(group.items, type)


def _value(items: Sequence[Node], type: ValType) -> Any:
    """The value that starts with its keyword; in a record's field it has no parentheses of its own."""
    rest = items[1:]
    match type:
        case Prim():
            return _primitive(rest[0], type)
        case ListType():
            values = [_inner(item, type.element) for item in rest]
            return bytes(values) if type.element == Prim("u8") and type.length is None else values
        case MapType():
            return [_inner(item, TupleType((type.key, type.value))) for item in rest]
        case TupleType():
            return tuple(_inner(item, part) for item, part in zip(rest, type.items))
        case RecordType():
            types = {f.name: f.type for f in type.fields}
            fields = [_field(item) for item in rest]
            return {name: _value(parts, types[name]) for name, parts in fields}
        case EnumType():
            return _text(rest[0])
        case FlagsType():
            return {_text(item) for item in rest}
        case VariantType() | OptionType() | ResultType():
            return _case(items, type)
        case _:
            raise WastSyntaxError(f"no value syntax for {type!r}", items[0].start)


def _case(items: Sequence[Node], type: VariantType | OptionType | ResultType) -> Any:
    if isinstance(type, VariantType):
        name = _text(items[1])
        payload = next(c.type for c in type.cases if c.name == name)
        return Variant(name, None if payload is None else _inner(items[2], payload))
    keyword = _text(items[0])
    if isinstance(type, OptionType):
        if keyword == "option.none":
            return None
        some = _inner(items[1], type.type)
        return Some(some) if isinstance(type.type, OptionType) else some
    ok = keyword == "result.ok"
    payload = type.ok if ok else type.err
    value = None if payload is None else _inner(items[1], payload)
    return Ok(value) if ok else Err(value)


def _field(item: Node) -> tuple[str, Sequence[Node]]:
    """A field's name, and the items of its value."""
    if not isinstance(item, Group) or item.head != "field":
        raise WastSyntaxError("expected (field …)", item.start)
    value = item.items[2]
    return _text(item.items[1]), value.items if isinstance(value, Group) else item.items[2:]


def _inner(item: Node, type: ValType) -> Any:
    if not isinstance(item, Group):
        raise WastSyntaxError("expected a parenthesised value", item.start)
    return _value(item.items, type)


def _text(item: Node) -> str:
    if isinstance(item, Group):
        raise WastSyntaxError("expected a word or a string", item.start)
    return item.text


def _primitive(item: Node, type: Prim) -> Any:
    text = _text(item)
    if type.name == "bool":
        return text == "true"
    if type.name in ("f32", "f64"):
        return single(number(text)) if type.name == "f32" else number(text)
    return int(text.replace("_", ""), 0) if INTEGERS.match(type.name) else text


def number(text: str) -> float:
    """A float literal of the text format; every NaN is the one that components have."""
    text = text.replace("_", "")
    if "nan" in text:
        return math.nan
    if "0x" in text:
        return float.fromhex(text)
    return float(text)


def single(value: float) -> float:
    """The nearest 32-bit float."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def same(actual: Any, expected: Any) -> bool:
    """Are two results equal? A NaN is equal to a NaN, and 0.0 is not -0.0."""
    if isinstance(expected, float) and isinstance(actual, float):
        if math.isnan(expected):
            return math.isnan(actual)
        return actual == expected and math.copysign(1, actual) == math.copysign(1, expected)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return actual.keys() == expected.keys() and all(same(actual[k], expected[k]) for k in expected)
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(expected, Variant) and isinstance(actual, Variant):
        return actual.case == expected.case and same(actual.payload, expected.payload)
    if isinstance(expected, Some | Ok | Err) and isinstance(actual, expected.__class__):
        return same(actual.value, expected.value)
    return bool(actual == expected) and type(actual) is type(expected)


def core_value(group: Group) -> int | float | None:
    """A core number, integers signed, as engines give them; None for a null reference.

    WastSyntaxError for what the engine port does not pass: vectors and references to something.
    """
    kind, _, _ = group.head.partition(".")
    if group.head == "ref.null":
        return None
    if kind not in ("i32", "i64", "f32", "f64"):
        raise WastSyntaxError(f"values like `({group.head} …)` do not pass the engine port", group.start)
    text = _text(group.items[1])
    if kind in ("i32", "i64"):
        bits = int(kind[1:])
        value = int(text.replace("_", ""), 0) & ((1 << bits) - 1)
        return value - (1 << bits) if value >> (bits - 1) else value
    return single(number(text)) if kind == "f32" else number(text)


def core_match(actual: Sequence[Any], expected: Sequence[Group]) -> bool:
    """Are core results what is expected, one by one?"""
    return len(actual) == len(expected) and all(map(_core_same, actual, expected))


def _core_same(actual: Any, expected: Group) -> bool:
    if expected.head == "either":
        return any(_core_same(actual, item) for item in expected.items[1:] if isinstance(item, Group))
    return same(actual, core_value(expected))


def describe(group: Group, source: str) -> str:
    """A value as the file has it, for messages."""
    return source[group.start : group.end]


__all__ = ["Atom", "String", "core_match", "core_value", "describe", "same", "to_python"]
