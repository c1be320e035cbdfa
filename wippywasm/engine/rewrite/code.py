"""Function bodies → the same with a check at their entry and at every loop head.

In: a code section, the bytes of a check. Out: a code section. Instructions are passed over by one regular expression,
many at a time; only those that it leaves, loops and those with a counted list, are looked at one by one.

Spec: WebAssembly core, `binary/instructions`.
"""

from __future__ import annotations

import re

from wippywasm.engine.rewrite.leb import read_u32, sized, skip
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


def rewrite_code(section: bytes, check: bytes) -> bytes:
    """The code section with checks."""
    count, pos = read_u32(section, 0)
    out = [unsigned(count)]
    for _ in range(count):
        size, pos = read_u32(section, pos)
        out.append(sized(_rewrite_body(section[pos : pos + size], check)))
        pos += size
    return b"".join(out)


def _rewrite_body(body: bytes, check: bytes) -> bytes:
    start = _skip_locals(body)
    out = [body[:start], check]
    pos, end = start, len(body)
    while pos < end:
        run = _RUN.match(body, pos)
        if run is not None:
            pos = run.end()
            continue
        is_loop = body[pos] == LOOP
        pos = _skip_one(body, pos)
        if is_loop:
            out += (body[start:pos], check)
            start = pos
    out.append(body[start:])
    return b"".join(out)


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
