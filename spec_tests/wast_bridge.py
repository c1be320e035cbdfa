"""Core functions and globals → functions of which only integers cross the engine's port.

In: an item of a core instance, its type. Out: the text of a module that imports it and exports such a function; the
values of the item's types as that function's integers, and back. The port has floats of 64 bits for both formats, in
which the payloads of many NaNs get lost; it has no vectors, and of references only null.

A value is its bits: an integer, unsigned. A vector has 128 of them, lane 0 the lowest. A reference is 0 where it is
null, else 1; as an argument it is always null.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.engine.port import CoreGlobal, CoreItem

WIDTHS = {"i32": 32, "i64": 64, "f32": 32, "f64": 64, "v128": 128}
INTEGERS = {"f32": "i32", "f64": "i64"}
HEAPS = {"funcref": "func", "externref": "extern"}
BRIDGED = frozenset({*WIDTHS, *HEAPS})
"""The types that a bridge can be written for."""


def bridge(item: CoreItem, type: CoreFuncType) -> str:
    """The text of a module; a global is a function without parameters."""
    lines = [_import(item, type), '(func (export "")']
    lines += [f"(param {each})" for of in type.params for each in _crossing(of) if of not in HEAPS]
    lines += [f"(result {each})" for of in type.results for each in _crossing(of)]
    lines += [f"(local $r{i} {of})" for i, of in enumerate(type.results)]
    index = 0
    for of in type.params:
        lines.append(_made(of, index))
        index += 0 if of in HEAPS else len(_crossing(of))
    lines.append("global.get $it" if isinstance(item, CoreGlobal) else "call $it")
    lines += [f"local.set $r{i}" for i in reversed(range(len(type.results)))]
    lines += [_taken_apart(of, f"local.get $r{i}") for i, of in enumerate(type.results)]
    return f"(module {' '.join(lines)}))"


def _import(item: CoreItem, type: CoreFuncType) -> str:
    if isinstance(item, CoreGlobal):
        of = f"(mut {item.type.value})" if item.type.mutable else item.type.value
        return f'(import "" "" (global $it {of}))'
    return f'(import "" "" (func $it (param {" ".join(type.params)}) (result {" ".join(type.results)})))'


def _crossing(type: CoreValType) -> tuple[CoreValType, ...]:
    """The integers that cross the port for a value."""
    if type == "v128":
        return ("i64", "i64")
    return ("i32",) if type in HEAPS else (INTEGERS.get(type, type),)


def _made(type: CoreValType, index: int) -> str:
    """A value from the parameters at `index`."""
    if type in HEAPS:
        return f"ref.null {HEAPS[type]}"
    if type == "v128":
        return f"local.get {index} i64x2.splat local.get {index + 1} i64x2.replace_lane 1"
    return f"local.get {index}" + (f" {type}.reinterpret_{INTEGERS[type]}" if type in INTEGERS else "")


def _taken_apart(type: CoreValType, value: str) -> str:
    if type in HEAPS:
        return f"{value} ref.is_null i32.eqz"
    if type == "v128":
        return f"{value} i64x2.extract_lane 0 {value} i64x2.extract_lane 1"
    return value + (f" {INTEGERS[type]}.reinterpret_{type}" if type in INTEGERS else "")


def to_port(values: Sequence[int], types: Sequence[CoreValType]) -> Iterator[int]:
    """Arguments as the port wants them: signed."""
    for bits, type in zip(values, types):
        if type not in HEAPS:
            for each in _crossing(type):
                width = WIDTHS[each]
                part = bits % (1 << width)
                yield part - (1 << width) if part >> (width - 1) else part
                bits >>= width


def from_port(values: Sequence[int], types: Sequence[CoreValType]) -> list[int]:
    """Results from what crossed the port."""
    parts, results = iter(values), []
    for type in types:
        bits, at = 0, 0
        for each in _crossing(type):
            bits |= next(parts) % (1 << WIDTHS[each]) << at
            at += WIDTHS[each]
        results.append(bits)
    return results
