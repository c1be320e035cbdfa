"""Function bodies → the same with a check at their entry and at every loop head.

In: a code section, the bytes of a check. Out: a code section, and where each piece of the old one is in it.
Instructions are passed over by one regular expression, many at a time; only those that it leaves, loops and those with
a counted list, are looked at one by one.

Spec: WebAssembly core, `binary/instructions`.
"""

from __future__ import annotations

import re

from wippywasm.engine.rewrite.leb import read_u32, sized, skip
from wippywasm.engine.rewrite.offsets import Offsets
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.leb128 import unsigned

LOOP = 0x03
_LEB = rb"[\x80-\xff]*[\x00-\x7f]"
_TOKENS = (
    rb"[\x00\x01\x05\x0b\x0f\x1a\x1b\x45-\xc4\xd1]",
    rb"[\x02\x04\x0c\x0d\x10\x20-\x26\x3f-\x42\xd0\xd2]" + _LEB,
    rb"[\x11\x28-\x3e]" + _LEB * 2,
    rb"\x43.{4}",
    rb"\x44.{8}",
    rb"\xfc[\x00-\x07]",
    rb"\xfc[\x09\x0b\x0d\x0f-\x11]" + _LEB,
    rb"\xfc[\x08\x0a\x0c\x0e]" + _LEB * 2,
    rb"\xfd[\x00-\x0b\x5c\x5d]" + _LEB * 2,
    rb"\xfd[\x54-\x5b]" + _LEB * 2 + rb".",
    rb"\xfd[\x0c\x0d].{16}",
    rb"\xfd[\x15-\x22].",
    rb"\xfd(?:[\x0e-\x14\x23-\x53\x5e-\x7f]|[\x80-\xff][\x01\x02])",
)
_RUN = re.compile(rb"(?:" + rb"|".join(_TOKENS) + rb"){1,4096}", re.DOTALL)
"""Instructions without a counted list, loops left out. The number bounds what the engine of `re` remembers."""


def rewrite_code(section: bytes, check: bytes) -> tuple[bytes, Offsets]:
    """The code section with checks; the offsets count from the start of either section."""
    count, pos = read_u32(section, 0)
    out = [unsigned(count)]
    offsets = Offsets()
    at = len(out[0])
    for _ in range(count):
        size, pos = read_u32(section, pos)
        pieces = _pieces(section[pos : pos + size])
        body = sized(check.join(section[pos + start : pos + end] for start, end in pieces))
        offsets.add_body(at + len(body), pos, pieces, len(check))
        out.append(body)
        at += len(body)
        pos += size
    return b"".join(out), offsets


def _pieces(body: bytes) -> list[tuple[int, int]]:
    """Start and end of the pieces of a body between which checks belong."""
    cuts = [0, _skip_locals(body)]
    pos, end = cuts[1], len(body)
    while pos < end:
        run = _RUN.match(body, pos)
        if run is not None:
            pos = run.end()
            continue
        is_loop = body[pos] == LOOP
        pos = _skip_one(body, pos)
        if is_loop:
            cuts.append(pos)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _skip_one(body: bytes, pos: int) -> int:
    """The position after an instruction that is not in `_RUN`."""
    match body[pos]:
        case 0x03:
            return skip(body, pos + 1)
        case 0x0E:
            count, pos = read_u32(body, pos + 1)
            for _ in range(count + 1):
                pos = skip(body, pos)
            return pos
        case 0x1C:
            count, pos = read_u32(body, pos + 1)
            return pos + count
        case opcode:
            raise UnsupportedFeatureError(
                f"instruction {opcode:#x} in this encoding", "the rewriting of modules", hint="use --engine wasmtime"
            )


def _skip_locals(body: bytes) -> int:
    groups, pos = read_u32(body, 0)
    for _ in range(groups):
        pos = skip(body, pos) + 1
    return pos
