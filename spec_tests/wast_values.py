"""Values of components as `.wast` files write them ↔ values as our library takes and gives them.

In: groups like `(u32.const 1)`, the WIT type that is meant. Out: Python values; whether a result is the expected one.
A group that is not a value of its type is a `WastSyntaxError`: nothing can be asserted with it.
Spec: the value syntax of the component-model test suite; SPEC section 5.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Any

from spec_tests.wast_literals import F32, F64, LiteralError, float_bits, integer
from spec_tests.wast_syntax import Atom, Group, Node, String, WastSyntaxError
from wippywasm.model import (
    U8,
    Case,
    EnumType,
    FlagsType,
    FuncType,
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

INTEGERS = re.compile(r"([su])(8|16|32|64)")
NAN_PATTERNS = ("nan:canonical", "nan:arithmetic")


class NoWay(Exception):
    """A value that can be written, but does not pass the interface that the runner calls."""


def arguments(groups: Sequence[Group], type: FuncType, call: Node) -> list[Any]:
    """The arguments of a call."""
    if len(groups) != len(type.params):
        wanted = ", ".join(param.name for param in type.params)
        raise WastSyntaxError(f"the function takes the arguments ({wanted}), not {len(groups)}", call.start)
    return [_Reader(is_expected=False).value(group, param.type) for group, param in zip(groups, type.params)]


def result(groups: Sequence[Group], type: ValType | None, call: Node) -> Any:
    """What is expected of a call; None where the function has no result."""
    if len(groups) != (type is not None):
        wanted = "no result" if type is None else "one result"
        raise WastSyntaxError(f"the function has {wanted}, not {len(groups)}", call.start)
    return None if type is None else _Reader(is_expected=True).value(groups[0], type)


class _Reader:
    """Reads values: arguments, or expected results, which may be patterns."""

    def __init__(self, *, is_expected: bool) -> None:
        self.is_expected = is_expected

    def value(self, item: Node, type: ValType) -> Any:
        if not isinstance(item, Group):
            raise WastSyntaxError("expected a value in parentheses", item.start)
        return self._parts(item, item.items, type)

    def _parts(self, whole: Group, items: Sequence[Node], type: ValType) -> Any:
        """The value that starts with its keyword; in a record's field it may have no parentheses of its own."""
        wanted = _keywords(type)
        first = items[0] if items else whole
        if not isinstance(first, Atom) or first.text not in wanted:
            raise WastSyntaxError(f"expected ({' …) or ('.join(wanted)} …)", first.start)
        rest = items[1:]
        match type:
            case Prim():
                return self._primitive(_only(rest, first), type)
            case ListType():
                return self._list(first, rest, type)
            case MapType():
                return self._map(rest, TupleType((type.key, type.value)))
            case TupleType():
                _count(first, rest, len(type.items), "items")
                return tuple(self.value(item, part) for item, part in zip(rest, type.items))
            case RecordType():
                return self._record(first, rest, type)
            case EnumType():
                return _one_of(_only(rest, first), type.names)
            case FlagsType():
                return set(_distinct(rest, [_one_of(item, type.names) for item in rest]))
            case VariantType():
                return self._variant(first, rest, type)
            case OptionType():
                return self._option(first, rest, type)
            case ResultType():
                is_ok = first.text == "result.ok"
                value = self._payload(first, rest, type.ok if is_ok else type.err)
                return Ok(value) if is_ok else Err(value)
        raise AssertionError(type)

    def _primitive(self, item: Node, type: Prim) -> Any:
        if type.name in ("string", "char"):
            text = _string(item)
            if type.name == "char" and len(text) != 1:
                raise WastSyntaxError(f"expected one character, found {len(text)}", item.start)
            return text
        word = item.text if isinstance(item, Atom) else ""
        if type.name == "bool":
            return _one_of_words(item, word, {"true": True, "false": False})
        try:
            return self._float(word, type) if type.name in ("f32", "f64") else integer(word, *_bounds(type))
        except LiteralError as error:
            raise WastSyntaxError(str(error), item.start) from error

    def _float(self, text: str, type: Prim) -> float:
        """As Python has it; the NaN of components is canonical, so that it is what both patterns mean."""
        if self.is_expected and text in NAN_PATTERNS:
            text = "nan"
        format, code = (F32, "<f") if type.name == "f32" else (F64, "<d")
        bits = float_bits(text, format)
        if bits & (format.sign - 1) > format.infinity:  # through a float of 32 bits, its payload would not stay
            bits, code = _widened(bits, format.fraction) | (bits & format.sign and F64.sign), "<d"
        return float(struct.unpack(code, bits.to_bytes(struct.calcsize(code), "little"))[0])

    def _list(self, first: Atom, rest: Sequence[Node], type: ListType) -> Any:
        if type.length is not None:
            _count(first, rest, type.length, "elements")
        values = [self.value(item, type.element) for item in rest]
        return bytes(values) if type.element == U8 else values

    def _map(self, rest: Sequence[Node], entry: TupleType) -> Any:
        entries = [self.value(item, entry) for item in rest]
        if not self.is_expected:
            return entries
        if len(dict(entries)) != len(entries):
            raise NoWay("a map that has a key twice does not come out of the library as it is")
        return dict(entries)

    def _record(self, first: Atom, rest: Sequence[Node], type: RecordType) -> dict[str, Any]:
        types = {field.name: field.type for field in type.fields}
        names, values = [], []
        for item in rest:
            if not isinstance(item, Group) or item.head != "field" or len(item.items) < 2:
                raise WastSyntaxError('expected (field "name" …)', item.start)
            names.append(_one_of(item.items[1], types))
            parts = item.items[2:]
            is_nested = len(parts) == 1 and isinstance(parts[0], Group)
            field_type = types[names[-1]]
            values.append(self.value(parts[0], field_type) if is_nested else self._parts(item, parts, field_type))
        missing = types.keys() - set(_distinct(rest, names))
        if missing:
            raise WastSyntaxError(f"the field {sorted(missing)[0]!r} is missing", first.start)
        return dict(zip(names, values))

    def _variant(self, first: Atom, rest: Sequence[Node], type: VariantType) -> Variant:
        cases: dict[str, Case] = {case.name: case for case in type.cases}
        if not rest:
            raise WastSyntaxError("expected the name of a case", first.end)
        name = _one_of(rest[0], cases)
        return Variant(name, self._payload(first, rest[1:], cases[name].type))

    def _option(self, first: Atom, rest: Sequence[Node], type: OptionType) -> Any:
        if first.text == "option.none":
            return self._payload(first, rest, None)
        some = self._payload(first, rest, type.type)
        return Some(some) if isinstance(type.type, OptionType) else some

    def _payload(self, first: Atom, rest: Sequence[Node], type: ValType | None) -> Any:
        _count(first, rest, 0 if type is None else 1, "payload")
        return None if type is None else self.value(rest[0], type)


def _keywords(type: ValType) -> tuple[str, ...]:
    match type:
        case Prim(name="string"):
            return ("str.const",)
        case Prim(name=name) if name != "error-context":
            return (f"{name}.const",)
        case ListType():
            return ("list.const",)
        case MapType():
            return ("map.const", "list.const")
        case OptionType():
            return ("option.none", "option.some")
        case ResultType():
            return ("result.ok", "result.err")
        case TupleType() | RecordType() | VariantType() | EnumType() | FlagsType():
            return (f"{type.__class__.__name__.removesuffix('Type').lower()}.const",)
    raise NoWay(f"no value syntax for {type!r}")


def _bounds(type: Prim) -> tuple[int, int]:
    found = INTEGERS.fullmatch(type.name)
    assert found is not None
    bits = int(found[2])
    return (0, (1 << bits) - 1) if found[1] == "u" else (-1 << (bits - 1), (1 << (bits - 1)) - 1)


def _widened(nan: int, fraction: int) -> int:
    """A NaN of a narrower format, as the wider format writes it: its payload at the upper end."""
    return F64.infinity | (nan & ((1 << fraction) - 1)) << (F64.fraction - fraction)


def _count(first: Atom, rest: Sequence[Node], wanted: int, of_what: str) -> None:
    if len(rest) != wanted:
        raise WastSyntaxError(f"{first.text}: expected {wanted or 'no'} {of_what}, found {len(rest)}", first.start)


def _only(rest: Sequence[Node], first: Atom) -> Node:
    _count(first, rest, 1, "literal")
    return rest[0]


def _string(item: Node) -> str:
    if not isinstance(item, String):
        raise WastSyntaxError("expected a string", item.start)
    return item.text


def _one_of(item: Node, names: Sequence[str] | dict[str, Any]) -> str:
    name = _string(item)
    if name not in names:
        raise WastSyntaxError(f"expected one of {', '.join(map(repr, names))}, found {name!r}", item.start)
    return name


def _one_of_words(item: Node, word: str, values: dict[str, Any]) -> Any:
    if word not in values:
        raise WastSyntaxError(f"expected {' or '.join(values)}", item.start)
    return values[word]


def _distinct(items: Sequence[Node], names: Sequence[str]) -> Sequence[str]:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise WastSyntaxError(f"{name!r} is there twice", items[index].start)
    return names


def same(actual: Any, expected: Any) -> bool:
    """Are two results equal? Floats are by their bits: a NaN is equal to the same NaN, and 0.0 is not -0.0."""
    if isinstance(expected, float) and isinstance(actual, float):
        return struct.pack("<d", actual) == struct.pack("<d", expected)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return actual.keys() == expected.keys() and all(same(actual[k], expected[k]) for k in expected)
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return type(actual) is type(expected) and len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(expected, Variant) and isinstance(actual, Variant):
        return actual.case == expected.case and same(actual.payload, expected.payload)
    if isinstance(expected, Some | Ok | Err) and isinstance(actual, expected.__class__):
        return same(actual.value, expected.value)
    return bool(actual == expected) and type(actual) is type(expected)
