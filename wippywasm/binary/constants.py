"""Whether a core module computes in its constant expressions, which not every engine can.

In: a valid module. Out: a bool. The validator that tells of all other proposals has no switch for this one.

Spec: WebAssembly core, `binary/modules` (global, element and data sections); the proposal "extended constant
expressions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from wippywasm.binary.const_expr import skip_const_expr
from wippywasm.binary.core_types import CoreTypeReader, CoreTypes
from wippywasm.binary.limits import budget_of
from wippywasm.binary.preamble import read_preamble
from wippywasm.binary.reader import Reader, view_of
from wippywasm.budget import Budget
from wippywasm.errors import BinaryError

_GLOBAL, _ELEMENT, _DATA = 6, 9, 11
_PASSIVE, _EXPLICIT, _EXPRESSIONS = 1, 2, 4
"""Bits of an element segment's kind."""

_CONTINUED = bytes(range(0x80, 0x100))
"""The bytes of a number that are not its last."""


def has_extended_const(wasm: bytes | memoryview) -> bool:
    """Whether the value of a global, or the place of a segment, is computed. Stops at types that are not of 2.0."""
    reader = Reader(view_of(wasm))
    budget = budget_of(reader.left)
    try:
        read_preamble(reader)
        while reader.left:
            section = reader.byte()
            body = reader.sub(reader.u32())
            read = _SECTIONS.get(section)
            budget.grant(body.left)
            if read is not None and any(read(body, budget)):
                return True
    except BinaryError:
        return False
    return False


def _globals(body: Reader, budget: Budget) -> Iterator[bool]:
    types = CoreTypeReader(body, CoreTypes(), budget)
    for _ in range(body.count("globals")):
        types.global_type()
        yield skip_const_expr(body, budget)


def _elements(body: Reader, budget: Budget) -> Iterator[bool]:
    types = CoreTypeReader(body, CoreTypes(), budget)
    for _ in range(body.count("elements")):
        kind = body.u32()
        if not kind & _PASSIVE:
            if kind & _EXPLICIT:
                body.u32()
            yield skip_const_expr(body, budget)
        if kind & (_PASSIVE | _EXPLICIT):
            types.ref_type() if kind & _EXPRESSIONS else body.byte()
        items = body.count("items")
        if kind & _EXPRESSIONS:
            for _ in range(items):
                yield skip_const_expr(body, budget)
        else:
            _skip_numbers(body, items)


def _skip_numbers(body: Reader, count: int) -> None:
    """Pass over so many LEB128 numbers by counting their last bytes, many at once."""
    while count:
        count -= len(bytes(body.slice(count)).translate(None, _CONTINUED))


def _data(body: Reader, budget: Budget) -> Iterator[bool]:
    for _ in range(body.count("segments")):
        kind = body.u32()
        if kind != _PASSIVE:
            if kind & _EXPLICIT:
                body.u32()
            yield skip_const_expr(body, budget)
        body.slice(body.u32())


_SECTIONS: Mapping[int, Callable[[Reader, Budget], Iterator[bool]]] = {
    _GLOBAL: _globals,
    _ELEMENT: _elements,
    _DATA: _data,
}
