"""Core values as `.wast` files write them, as bits.

In: groups like `(i32.const 1)`, the core type that is meant. Out: the bits of a value, which is what an instance takes
and gives here (`wast_core`); patterns of results, such as any NaN. A null reference is None.
Spec: the `const` and `result_pat` of the script format of the WebAssembly test suite's interpreter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from spec_tests.wast_literals import F32, F64, FloatFormat, LiteralError, float_bits, integer
from spec_tests.wast_syntax import Atom, Group, Node, WastSyntaxError
from spec_tests.wast_values import NAN_PATTERNS, NoWay

WIDTHS = {"i32": 32, "i64": 64, "f32": 32, "f64": 64}
FLOATS = {"f32": F32, "f64": F64}
HEAPS = {"funcref": ("func", "nofunc"), "externref": ("extern", "noextern")}
"""The heap types that a null of these types may be written with."""
OPAQUE = ("v128.const", "ref.func", "ref.extern", "ref.host", "ref.any", "ref.eq", "ref.i31", "ref.struct", "ref.array")
"""Values that do not pass the engine port."""


@dataclass(frozen=True)
class Nan:
    """Any NaN of a format: a canonical one, or one that has the canonical bit."""

    format: FloatFormat
    is_canonical: bool

    def matches(self, bits: Any) -> bool:
        least = self.format.infinity | self.format.canonical
        magnitude = bits & (self.format.sign - 1)
        return bool(magnitude == least if self.is_canonical else magnitude >= least)


@dataclass(frozen=True)
class Exactly:
    """One value."""

    bits: int | None

    def matches(self, bits: Any) -> bool:
        return (self.bits is None and bits is None) or (isinstance(bits, int) and bits == self.bits)


@dataclass(frozen=True)
class Either:
    """What the specification leaves open."""

    patterns: tuple[Pattern, ...]

    def matches(self, bits: Any) -> bool:
        return any(pattern.matches(bits) for pattern in self.patterns)


Pattern: TypeAlias = Nan | Exactly | Either


def arguments(groups: Sequence[Group], types: Sequence[str], call: Node) -> list[int | None]:
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
    if isinstance(item, Group) and item.head == "either" and len(item.items) > 1:
        return Either(tuple(_pattern(each, type) for each in item.items[1:]))
    if isinstance(item, Group) and item.head == f"{type}.const" and type in FLOATS:
        word = _literal(item)
        if word in NAN_PATTERNS:
            return Nan(FLOATS[type], word == "nan:canonical")
    if isinstance(item, Group) and item.head == "ref.null" and len(item.items) == 1 and type not in WIDTHS:
        return Exactly(None)
    return Exactly(_constant(item, type))


def _constant(item: Node, type: str) -> int | None:
    head = item.head if isinstance(item, Group) else ""
    fits = head == f"{type}.const" or (head.startswith("ref.") and type not in WIDTHS and type != "v128")
    if not isinstance(item, Group) or not fits:
        raise WastSyntaxError(f"expected a value of type {type}", item.start)
    if head in OPAQUE:
        raise NoWay(f"values like `({head} …)` do not pass the engine port")
    if head == "ref.null":
        _check_null(item, type)
        return None
    if type not in WIDTHS:
        raise WastSyntaxError(f"expected a value of type {type}", item.start)
    return _number(item, type)


def _number(item: Group, type: str) -> int:
    word, bits = _literal(item), WIDTHS[type]
    try:
        if type in FLOATS:
            return float_bits(word, FLOATS[type])
        return integer(word, -1 << (bits - 1), (1 << bits) - 1) % (1 << bits)
    except LiteralError as error:
        raise WastSyntaxError(str(error), item.start) from error


def _check_null(item: Group, type: str) -> None:
    heap = _literal(item)
    if heap not in HEAPS.get(type, (heap,)):
        raise WastSyntaxError(f"expected a null of type {type}", item.start)


def _literal(item: Group) -> str:
    if len(item.items) != 2 or not isinstance(item.items[1], Atom):
        raise WastSyntaxError(f"expected ({item.head} and one literal)", item.start)
    return item.items[1].text


def show(values: Sequence[int | None], types: Sequence[str]) -> str:
    """Results as a message has them: what a file could have expected."""
    return " ".join(map(_shown, values, types)) or "nothing"


def _shown(bits: int | None, type: str) -> str:
    if bits is None or type not in WIDTHS:
        return "(ref.null)" if bits is None else f"a {type}"
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
