"""Function bodies → the same with a check at their entry and at every loop head.

In: a code section, what makes checks. Out: a code section, and where each piece of the old one is in it. Instructions
are passed over by one regular expression, many at a time; only those that it leaves, loops, those with a counted list
and those that write as much as their operand says, are looked at one by one.

A guest that does a lot between two checks must not take long for its count. So a check costs by the code that may run
before the next one, counted as all that follows in its function: that needs no search for the ends of loops, and counts
are fitted to the time that they last. What writes as much as its operand says is preceded by a check of its own, which
costs as much.

Spec: WebAssembly core, `binary/instructions`.
"""

from __future__ import annotations

import re
from functools import cached_property

from wippywasm.dataclass import dataclass
from wippywasm.engine.rewrite.leb import read_u32, sized, skip
from wippywasm.engine.rewrite.offsets import Offsets
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.leb128 import signed, unsigned

LOOP = 0x03
PREFIX = 0xFC
_LEB = rb"[\x80-\xff]*[\x00-\x7f]"
_TOKENS = (
    rb"[\x00\x01\x05\x0b\x0f\x1a\x1b\x45-\xc4\xd1]",
    rb"[\x02\x04\x0c\x0d\x10\x20-\x26\x3f-\x42\xd0\xd2]" + _LEB,
    rb"[\x11\x28-\x3e]" + _LEB * 2,
    rb"\x43.{4}",
    rb"\x44.{8}",
    rb"\xfc[\x00-\x07]",
    rb"\xfc[\x09\x0d\x10]" + _LEB,
    rb"\xfd[\x00-\x0b\x5c\x5d]" + _LEB * 2,
    rb"\xfd[\x54-\x5b]" + _LEB * 2 + rb".",
    rb"\xfd[\x0c\x0d].{16}",
    rb"\xfd[\x15-\x22].",
    rb"\xfd(?:[\x0e-\x14\x23-\x53\x5e-\x7f]|[\x80-\xff][\x01\x02])",
)
_RUN = re.compile(rb"(?:" + rb"|".join(_TOKENS) + rb"){1,4096}", re.DOTALL)
"""Instructions without a counted list, loops and bulk left out. The number bounds what the engine of `re` remembers."""
_BULK = {0x08: 4, 0x0A: 4, 0x0B: 4, 0x0C: 0, 0x0E: 0, 0x0F: 0, 0x11: 0}
"""What comes after 0xFC in `memory.init`, `.copy`, `.fill`, `table.init`, `.copy`, `.grow`, `.fill`; and how far their
last operand is shifted to count them: 16 bytes are one, and so is a table's element."""
_ONE_INDEX = (0x0B, 0x0F, 0x11)
_CODE_SHIFT = 6
"""64 bytes of code count as one; they take 0.2 µs where they do nothing but divide (see `wasmer_ticks.MOST`)."""


@dataclass(frozen=True)
class Checks:
    """The code of checks: `count` and `operand` are numbers of globals, `tick` gives the next count."""

    count: int
    operand: int
    tick: bytes

    @cached_property
    def _plain(self) -> dict[int, bytes]:
        return {}

    def plain(self, size: int) -> bytes:
        """The check in front of so many bytes of code."""
        cost = 1 + (size >> _CODE_SHIFT)
        made = self._plain.get(cost)
        if made is None:
            made = self._plain[cost] = self._spend(b"\x41" + signed(cost))
        return made

    def bulk(self, shift: int) -> bytes:
        """The check in front of an instruction whose last operand says how much it does."""
        keep, again = b"\x24" + unsigned(self.operand), b"\x23" + unsigned(self.operand)
        return keep + self._spend(again + b"\x41" + signed(shift) + b"\x76") + again

    def _spend(self, cost: bytes) -> bytes:
        """`count -= cost; if count <= 0 { count = tick() }`."""
        get, set = b"\x23" + unsigned(self.count), b"\x24" + unsigned(self.count)
        return get + cost + b"\x6b" + set + get + b"\x41\0\x4c\x04\x40" + self.tick + set + b"\x0b"


def rewrite_code(section: bytes, checks: Checks) -> tuple[bytes, Offsets]:
    """The code section with checks; the offsets count from the start of either section."""
    count, pos = read_u32(section, 0)
    out = [unsigned(count)]
    offsets = Offsets()
    at = len(out[0])
    for _ in range(count):
        size, pos = read_u32(section, pos)
        body = section[pos : pos + size]
        cuts = _cuts(body, checks)
        ends = [cut for cut, _ in cuts[1:]] + [size]
        new = sized(b"".join(check + body[cut:end] for (cut, check), end in zip(cuts, ends, strict=True)))
        at += len(new)
        offsets.add_body(at, pos, size, [(cut, len(check)) for cut, check in cuts])
        out.append(new)
        pos += size
    return b"".join(out), offsets


def _cuts(body: bytes, checks: Checks) -> list[tuple[int, bytes]]:
    """Where pieces of a body start, with the check that belongs before each."""
    pos, end = _skip_locals(body), len(body)
    cuts = [(0, b""), (pos, checks.plain(end - pos))]
    while pos < end:
        run = _RUN.match(body, pos)
        if run is not None:
            pos = run.end()
            continue
        before, pos = pos, _skip_one(body, pos)
        if body[before] == LOOP:
            cuts.append((pos, checks.plain(end - pos)))
        elif body[before] == PREFIX:
            cuts.append((before, checks.bulk(_BULK[body[before + 1]])))
    return cuts


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
        case 0xFC if body[pos + 1] in _BULK:
            past = skip(body, pos + 2)
            return past if body[pos + 1] in _ONE_INDEX else skip(body, past)
        case opcode:
            raise UnsupportedFeatureError(
                f"instruction {opcode:#x} in this encoding", "the rewriting of modules", hint="use --engine wasmtime"
            )


def _skip_locals(body: bytes) -> int:
    groups, pos = read_u32(body, 0)
    for _ in range(groups):
        pos = skip(body, pos) + 1
    return pos
