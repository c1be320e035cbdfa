"""Core values as `.wast` files write them, as bits.

In: groups like `(i32.const 1)`, the core type that is meant. Out: the bits of a value (see `wast_bridge`); patterns of
results, such as any NaN.
Spec: the `const` and `result_pat` of the script format of the WebAssembly test suite's interpreter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from spec_tests.wast_bridge import HEAPS, WIDTHS
from spec_tests.wast_literals import F32, F64, FloatFormat, LiteralError, float_bits, integer
from spec_tests.wast_syntax import Atom, Group, Node, WastSyntaxError
from spec_tests.wast_values import NAN_PATTERNS, NoWay

FLOATS = {"f32": F32, "f64": F64}
NULLS = {"funcref": ("func", "nofunc"), "externref": ("extern", "noextern")}
"""The heap types that a null of these types may be written with."""
SHAPE = re.compile("(i8x16|i16x8|i32x4|i64x2|f32x4|f64x2)")


@dataclass(frozen=True)
class Nan:
    """Any NaN of a format: a canonical one, or one that has the canonical bit."""

    format: FloatFormat
    is_canonical: bool

    def matches(self, bits: int) -> bool:
        least = self.format.infinity | self.format.canonical
        magnitude = bits & (self.format.sign - 1)
        return magnitude == least if self.is_canonical else magnitude >= least


@dataclass(frozen=True)
class Exactly:
    """One value."""

    bits: int

    def matches(self, bits: int) -> bool:
        return bits == self.bits


@dataclass(frozen=True)
class Lanes:
    """A vector, by its lanes."""

    width: int
    lanes: tuple[Pattern, ...]

    def matches(self, bits: int) -> bool:
        return all(
            lane.matches(bits >> (i * self.width) & ((1 << self.width) - 1)) for i, lane in enumerate(self.lanes)
        )


@dataclass(frozen=True)
class Either:
    """What the specification leaves open."""

    patterns: tuple[Pattern, ...]

    def matches(self, bits: int) -> bool:
        return any(pattern.matches(bits) for pattern in self.patterns)


Pattern: TypeAlias = Nan | Exactly | Lanes | Either


def arguments(groups: Sequence[Group], types: Sequence[str], call: Node) -> list[int]:
    """The arguments of a call."""
    _count(groups, types, "arguments", call)
    return [_constant(group, type) for group, type in zip(groups, types)]


def patterns(groups: Sequence[Group], types: Sequence[str], call: Node) -> list[Pattern]:
    """What is expected of a call."""
    _count(groups, types, "results", call)
    return [_pattern(group, type) for group, type in zip(groups, types)]


def _count(groups: Sequence[Group], types: Sequence[str], what: str, call: Node) -> None:
    if len(groups) != len(types):
        raise WastSyntaxError(f"it has {what} of the types ({' '.join(types)}), not {len(groups)}", call.start)


def _pattern(item: Node, type: str) -> Pattern:
    if not isinstance(item, Group):
        raise WastSyntaxError(f"expected a value of type {type}", item.start)
    if item.head == "either" and len(item.items) > 1:
        return Either(tuple(_pattern(each, type) for each in item.items[1:]))
    if item.head.startswith("ref.") and len(item.items) == 1 and _is_reference(type):
        return _any_reference(item, type)
    if item.head == f"{type}.const":
        return _vector(item) if type == "v128" else _number_pattern(_literal(item), type)
    return Exactly(_constant(item, type))


def _any_reference(item: Group, type: str) -> Pattern:
    """`(ref.null)` is any null, `(ref.func)` any function, `(ref.extern)` anything of the host's."""
    if item.head == "ref.null":
        return Exactly(0)
    if type not in HEAPS:
        raise NoWay(f"values of type {type} do not pass the engine port")
    if item.head != f"ref.{HEAPS[type]}":
        raise WastSyntaxError(f"expected a value of type {type}", item.start)
    return Exactly(1)


def _vector(item: Group) -> Lanes:
    words = item.items[1:]
    shape = words[0].text if words and isinstance(words[0], Atom) else ""
    if not SHAPE.fullmatch(shape):
        raise WastSyntaxError("expected the shape of a vector", item.start)
    lane, _, count = shape.partition("x")
    if len(words) != 1 + int(count):
        raise WastSyntaxError(f"expected {count} lanes, found {len(words) - 1}", item.start)
    return Lanes(int(lane[1:]), tuple(_number_pattern(word, lane) for word in words[1:]))


def _number_pattern(item: Node, type: str) -> Pattern:
    if isinstance(item, Atom) and item.text in NAN_PATTERNS and type in FLOATS:
        return Nan(FLOATS[type], item.text == "nan:canonical")
    return Exactly(_number(item, type))


def _number(item: Node, type: str) -> int:
    word, bits = item.text if isinstance(item, Atom) else "", int(type[1:])
    try:
        if type in FLOATS:
            return float_bits(word, FLOATS[type])
        return integer(word, -1 << (bits - 1), (1 << bits) - 1) % (1 << bits)
    except LiteralError as error:
        raise WastSyntaxError(str(error), item.start) from error


def _constant(item: Group, type: str) -> int:
    if item.head == "v128.const" == f"{type}.const":
        return _bits(_vector(item), item)
    if item.head == f"{type}.const" and type in WIDTHS:
        return _number(_literal(item), type)
    if not item.head.startswith("ref.") or not _is_reference(type):
        raise WastSyntaxError(f"expected a value of type {type}", item.start)
    if item.head != "ref.null":
        raise NoWay(f"values like `({item.head} …)` do not pass the engine port")
    heap = _literal(item)
    if not isinstance(heap, Atom) or heap.text not in NULLS.get(type, (heap.text,)):
        raise WastSyntaxError(f"expected a null of type {type}", item.start)
    return 0


def _bits(vector: Lanes, item: Group) -> int:
    bits = 0
    for i, lane in enumerate(vector.lanes):
        if not isinstance(lane, Exactly):
            raise WastSyntaxError("expected numbers, not patterns", item.start)
        bits |= lane.bits << (i * vector.width)
    return bits


def _is_reference(type: str) -> bool:
    return type not in WIDTHS


def _literal(item: Group) -> Node:
    if len(item.items) != 2:
        raise WastSyntaxError(f"expected ({item.head} and one literal)", item.start)
    return item.items[1]


def show(values: Sequence[int], types: Sequence[str]) -> str:
    """Results as a message has them: what a file could have expected."""
    return " ".join(map(_shown, values, types)) or "nothing"


def _shown(bits: int, type: str) -> str:
    if _is_reference(type):
        return f"(ref.{HEAPS.get(type, 'any')})" if bits else "(ref.null)"
    if type == "v128":
        return "(v128.const i32x4 " + " ".join(f"{bits >> at & 0xFFFFFFFF:#010x}" for at in range(0, 128, 32)) + ")"
    if type in FLOATS:
        return f"({type}.const {_shown_float(bits, FLOATS[type])})"
    return f"({type}.const {bits - (1 << WIDTHS[type]) if bits >> (WIDTHS[type] - 1) else bits})"


def _shown_float(bits: int, format: FloatFormat) -> str:
    sign, magnitude = "-" if bits & format.sign else "", bits & (format.sign - 1)
    if magnitude > format.infinity:
        return f"{sign}nan:{magnitude - format.infinity:#x}"
    if magnitude == format.infinity:
        return f"{sign}inf"
    exponent, fraction = divmod(magnitude, 1 << format.fraction)
    digits = fraction + ((1 << format.fraction) if exponent else 0)
    value = digits * 2.0 ** (max(exponent, 1) - 1 + format.smallest)
    return f"{sign}{value!r}"
