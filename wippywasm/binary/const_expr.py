"""Skipping of constant expressions, which stand between the types of globals and tables.

In: a `Reader` at the expression. Out: nothing, the reader stands behind its `end`. Instructions are only
recognised, not checked: the engine validates code. Those that are not constant are refused, as their immediates are
not known here.

Spec: WebAssembly core, `valid/instructions` (constant instructions), with extended constants and GC;
`binary/instructions`, with wide arithmetic and threads.
"""

from __future__ import annotations

from collections.abc import Callable

from wippywasm.binary.limits import INSTRUCTION
from wippywasm.binary.reader import Reader
from wippywasm.budget import Budget
from wippywasm.errors import BinaryError, MalformedError, ValidationError

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
_INSTRUCTIONS: dict[int, tuple[tuple[int, int], ...]] = {
    0: ((0x00, 0x04), (0x08, 0x08), (0x0A, 0x0A), (0x0C, 0x15), (0x1A, 0x1C), (0x1F, 0x26), (0x28, 0xC4), (0xD0, 0xD6)),
    GC_PREFIX: ((0, 30),),
    0xFC: ((0, 17), (19, 22)),
    VECTOR_PREFIX: (
        *((0, 153), (155, 161), (163, 164), (167, 174), (177, 177), (181, 186), (188, 193), (195, 196), (199, 206)),
        *((209, 209), (213, 225), (227, 237), (239, 275)),
    ),
    0xFE: ((0, 3), (16, 78)),
}
"""The instructions that there are, with a prefix or without (0), constant ones included: first and last of each run."""


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
        if opcode in _INSTRUCTIONS and opcode:
            _skip_prefixed(reader, opcode, start)
            continue
        skip = _PLAIN.get(opcode)
        if skip is None:
            raise _not_constant(0, opcode, start)
        skip(reader)


def _skip_prefixed(reader: Reader, prefix: int, start: int) -> None:
    code = reader.u32()
    if prefix == VECTOR_PREFIX and code == V128_CONST:
        reader.slice(16)
        return
    immediates = _GC_IMMEDIATES.get(code) if prefix == GC_PREFIX else None
    if immediates is None:
        raise _not_constant(prefix, code, start)
    for _ in range(immediates):
        reader.u32()


def _not_constant(prefix: int, code: int, offset: int) -> BinaryError:
    """The error for an instruction that is not constant, or that is none at all."""
    what = f"{prefix:#04x} {code}" if prefix else f"{code:#04x}"
    if any(first <= code <= last for first, last in _INSTRUCTIONS[prefix]):
        return ValidationError(f"constant expression required: instruction {what} is not constant", offset)
    return MalformedError(f"illegal opcode {what} in a constant expression", offset)
