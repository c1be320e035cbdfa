"""Function bodies → the same with a check at their entry and at every loop head, or with code around growth.

In: a code section, what makes checks and the code around growth. Out: a code section, and where each piece of the old
one is in it.

A guest that does a lot between two checks must not take long for its count. So a check costs by the code that may run
before the next one, counted as all that follows in its function: that needs no search for the ends of loops, and counts
are fitted to the time that they last. What writes as much as its operand says is preceded by a check of its own, which
costs as much.

Spec: WebAssembly core, `binary/instructions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from wippywasm.dataclass import dataclass
from wippywasm.engine.rewrite.around import Around
from wippywasm.engine.rewrite.instructions import BULK, LOOP, read_opcode, skip_locals, skip_one, skip_plain
from wippywasm.engine.rewrite.leb import read_u32, sized
from wippywasm.engine.rewrite.offsets import Offsets
from wippywasm.leb128 import signed, unsigned

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


def rewrite_code(section: bytes, checks: Checks | None, growth: Around) -> tuple[bytes, Offsets]:
    """The code section with what was asked for; the offsets count from the start of either section."""
    count, pos = read_u32(section, 0)
    out = [unsigned(count)]
    offsets = Offsets()
    at, kept = len(out[0]), pos

    def keep(end: int) -> None:
        """Put in what there is up to here as it is."""
        nonlocal at
        if kept < end:
            at += end - kept
            offsets.add_body(at, kept, end - kept, [(0, 0)])
            out.append(section[kept:end])

    for _ in range(count):
        start = pos
        size, pos = read_u32(section, pos)
        if checks is not None or growth.may_be_in(section, pos, pos + size):
            keep(start)
            body = section[pos : pos + size]
            cuts = list(_cuts(body, checks, growth))
            ends = [cut for cut, _ in cuts[1:]] + [size]
            new = sized(b"".join(check + body[cut:end] for (cut, check), end in zip(cuts, ends, strict=True)))
            at += len(new)
            offsets.add_body(at, pos, size, [(cut, len(check)) for cut, check in cuts])
            out.append(new)
            kept = pos + size
        pos += size
    keep(pos)
    return b"".join(out), offsets


def _cuts(body: bytes, checks: Checks | None, growth: Around) -> Iterator[tuple[int, bytes]]:
    """Where pieces of a body start, with the code that belongs before each."""
    pos, end = skip_locals(body), len(body)
    yield 0, b""
    if checks is not None:
        yield pos, checks.plain(end - pos)
    while pos < end:
        before, pos = pos, skip_plain(body, pos)
        if before != pos:
            continue
        pos = skip_one(body, before)
        opcode, _ = read_opcode(body, before)
        if checks is not None and opcode == LOOP:
            yield pos, checks.plain(end - pos)
        elif checks is not None and opcode in BULK:
            yield before, checks.bulk(BULK[opcode])
        around = growth.around(body, before)
        if around is not None:
            yield before, around[0]
            yield pos, around[1]
