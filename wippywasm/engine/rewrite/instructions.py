"""Passing over instructions: where the next one starts that a rewriter has to look at.

In: the bytes of a valid function body. Out: positions. One regular expression takes many instructions at a time and
stops before those that have a counted list, loops, bulk instructions and `memory.grow`, which are taken one by one.

Spec: WebAssembly core 3.0, `binary/instructions`; threads, relaxed SIMD, wide arithmetic.
"""

from __future__ import annotations

import re

from wippywasm.engine.rewrite.leb import read_u32, skip
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.leb128 import unsigned

LOOP, MEMORY_GROW, TABLE_GROW = 0x03, 0x40, 0xFC0F
"""Opcodes as `read_opcode` gives them."""
_PREFIX, _PREFIXES = 0xFC, (0xFB, 0xFC, 0xFD, 0xFE)
_CONCRETE = (0x63, 0x64)
"""What starts a reference type whose heap type follows."""
_LEB = rb"[\x80-\xff]*[\x00-\x7f]"
_BLOCK_TYPE = rb"(?:[\x63\x64]" + _LEB + rb"|(?![\x63\x64])" + _LEB + rb")"
_ARGUMENT = (
    rb"(?:(?:[\x00-\x3f]|[\x80-\xbf]" + _LEB + rb")|(?:[\x40-\x7f]|[\xc0-\xff]" + _LEB + rb")" + _LEB + rb")" + _LEB
)
"""Alignment, the memory where bit 6 of that says so, and offset."""
_TOKENS = (
    rb"[\x00\x01\x05\x0a\x0b\x0f\x1a\x1b\x45-\xc4\xd1\xd3\xd4]",
    rb"[\x08\x0c\x0d\x10\x12\x14\x15\x20-\x26\x3f\x41\x42\xd0\xd2\xd5\xd6]" + _LEB,
    rb"[\x02\x04]" + _BLOCK_TYPE,
    rb"[\x28-\x3e]" + _ARGUMENT,
    rb"[\x11\x13]" + _LEB * 2,
    rb"\x43.{4}",
    rb"\x44.{8}",
    rb"\xfc[\x00-\x07\x13-\x16]",
    rb"\xfc[\x09\x0d\x10]" + _LEB,
    rb"\xfd[\x00-\x0b\x5c\x5d]" + _ARGUMENT,
    rb"\xfd[\x54-\x5b]" + _ARGUMENT + rb".",
    rb"\xfd[\x0c\x0d].{16}",
    rb"\xfd[\x15-\x22].",
    rb"\xfd(?:[\x0e-\x14\x23-\x53\x5e-\x7f]|[\x80-\xff][\x01\x02])",
    rb"\xfb[\x0f\x1a-\x1e]",
    rb"\xfb[\x00\x01\x06\x07\x0b-\x0e\x10\x14-\x17]" + _LEB,
    rb"\xfb[\x02-\x05\x08-\x0a\x11-\x13]" + _LEB * 2,
    rb"\xfb[\x18\x19]." + _LEB * 3,
    rb"\xfe(?:\x03.|[\x00-\x02\x10-\x4e]" + _ARGUMENT + rb")",
)
_RUN = re.compile(rb"(?:" + rb"|".join(_TOKENS) + rb"){1,4096}", re.DOTALL)
"""The number bounds what the engine of `re` remembers."""
BULK = {0xFC08: 4, 0xFC0A: 4, 0xFC0B: 4, 0xFC0C: 0, 0xFC0E: 0, 0xFC0F: 0, 0xFC11: 0}
"""`memory.init`, `.copy`, `.fill`, `table.init`, `.copy`, `.grow`, `.fill`; and how far their last operand is shifted
to count them: 16 bytes are one, and so is a table's element."""
_ONE_INDEX = (0xFC0B, 0xFC0F, 0xFC11)
_LONGEST = 32
"""No instruction without a list has more bytes after its opcode."""


def skip_plain(body: bytes, pos: int) -> int:
    """The position after as many instructions as one look takes that are of no interest; `pos` where there are none."""
    run = _RUN.match(body, pos)
    return pos if run is None else run.end()


def read_opcode(body: bytes, pos: int) -> tuple[int, int]:
    """An opcode, together with what follows 0xFC, and the position after it."""
    if body[pos] != _PREFIX:
        return body[pos], pos + 1
    number, pos = read_u32(body, pos + 1)
    return _PREFIX << 8 | number, pos


def skip_one(body: bytes, pos: int) -> int:
    """The position after an instruction that `skip_plain` stops at, and perhaps some plain ones."""
    match body[pos]:
        case 0x03:
            return _skip_type(body, pos + 1)
        case 0x0E:
            return _skip_indices(body, pos + 1, more=1)
        case 0x1C:
            return _skip_types(body, pos + 1)
        case 0x1F:
            return _skip_catches(body, _skip_type(body, pos + 1))
        case 0x40:
            return skip(body, pos + 1)
        case 0xFC if (opcode := read_opcode(body, pos))[0] in BULK:
            past = skip(body, opcode[1])
            return past if opcode[0] in _ONE_INDEX else skip(body, past)
        case _:
            return _skip_padded(body, pos)


def _skip_padded(body: bytes, pos: int) -> int:
    """An instruction whose number behind the prefix has more bytes than it takes."""
    number, operands = read_u32(body, pos + 1)
    opcode = body[pos : pos + 1] + unsigned(number)
    size = skip_plain(opcode + body[operands : operands + _LONGEST], 0)
    if body[pos] not in _PREFIXES or not size:
        raise UnsupportedFeatureError(f"instruction {body[pos]:#x} in this encoding", "the rewriting of modules")
    return operands + size - len(opcode)


def skip_locals(body: bytes) -> int:
    """Where the instructions of a body start."""
    groups, pos = read_u32(body, 0)
    for _ in range(groups):
        pos = _skip_type(body, skip(body, pos))
    return pos


def _skip_type(body: bytes, pos: int) -> int:
    """A value type, or a block's type."""
    return skip(body, pos + (body[pos] in _CONCRETE))


def _skip_types(body: bytes, pos: int) -> int:
    count, pos = read_u32(body, pos)
    for _ in range(count):
        pos = _skip_type(body, pos)
    return pos


def _skip_indices(body: bytes, pos: int, more: int) -> int:
    """A counted list, and so many more indices."""
    count, pos = read_u32(body, pos)
    for _ in range(count + more):
        pos = skip(body, pos)
    return pos


def _skip_catches(body: bytes, pos: int) -> int:
    """The clauses of a `try_table`: those for one tag have its index, too."""
    count, pos = read_u32(body, pos)
    for _ in range(count):
        pos = skip(body, pos + 1) if body[pos] > 1 else skip(body, skip(body, pos + 1))
    return pos
