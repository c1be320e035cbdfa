"""Skipping of constant expressions, which stand between the types of globals and tables.

In: a `Reader` at the expression. Out: nothing, the reader stands behind its `end`. Instructions are only
recognised, not checked: the engine validates code.

Spec: WebAssembly core, `valid/instructions` (constant instructions), with extended constants and GC.
"""

from __future__ import annotations

from collections.abc import Callable

from wippywasm.binary.limits import INSTRUCTION, Budget
from wippywasm.binary.reader import Reader

END = 0x0B
GC_PREFIX = 0xFB
VECTOR_PREFIX = 0xFD
V128_CONST = 12
_ARITHMETIC = (0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E)
"""add, sub, mul."""

_PLAIN: dict[int, Callable[[Reader], object]] = {
    0x23: Reader.u32,  # global.get
    0x41: Reader.s32,
    0x42: Reader.s64,
    0x43: lambda reader: reader.slice(4),
    0x44: lambda reader: reader.slice(8),
    0xD0: Reader.s33,  # ref.null
    0xD2: Reader.u32,  # ref.func
    **dict.fromkeys(_ARITHMETIC, lambda reader: None),
}
_GC_IMMEDIATES = {0: 1, 1: 1, 6: 1, 7: 1, 8: 2, 26: 0, 27: 0, 28: 0}
"""struct.new, struct.new_default, array.new, array.new_default, array.new_fixed, the two conversions, ref.i31."""


def skip_const_expr(reader: Reader, budget: Budget) -> bool:
    """Move the reader behind the expression's `end`; whether something is computed in it."""
    computes = False
    while True:
        start = reader.pos
        budget.spend(INSTRUCTION, start)
        opcode = reader.byte()
        if opcode == END:
            return computes
        computes = computes or opcode in _ARITHMETIC
        if opcode in (GC_PREFIX, VECTOR_PREFIX):
            _skip_prefixed(reader, opcode, start)
            continue
        skip = _PLAIN.get(opcode)
        if skip is None:
            raise reader.malformed(f"instruction {opcode:#04x} in a constant expression", start)
        skip(reader)


def _skip_prefixed(reader: Reader, prefix: int, start: int) -> None:
    code = reader.u32()
    if prefix == VECTOR_PREFIX and code == V128_CONST:
        reader.slice(16)
        return
    immediates = _GC_IMMEDIATES.get(code) if prefix == GC_PREFIX else None
    if immediates is None:
        raise reader.malformed(f"instruction {prefix:#04x} {code} in a constant expression", start)
    for _ in range(immediates):
        reader.u32()
