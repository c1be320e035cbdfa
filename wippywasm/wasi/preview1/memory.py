"""A guest's memory as preview 1 sees it: every pointer is checked.

In: pointers and lengths as core values, signed. Out: bytes and numbers; a trap for what lies outside or is misaligned.

Spec: WASI preview 1, "Pointers": a function that needs a bad one traps.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

from wippywasm.engine.port import CoreMemory
from wippywasm.errors import Trap
from wippywasm.wasi.preview1.codes import ErrnoError

MAX_BUFFERS = 1024
"""Of a list of buffers, only so many are used: more is a short read or write."""
MAX_BYTES = 1 << 20
"""One read gives, and one write takes, at most so many bytes."""
_M32 = 0xFFFF_FFFF

Buffers: TypeAlias = Sequence[tuple[int, int]]
"""Pointers and lengths, both unsigned and checked."""


class GuestMemory:
    """The memory of one guest, fetched anew for each use since it may have grown."""

    def __init__(self, memory: Callable[[], CoreMemory]) -> None:
        self._memory = memory

    def check(self, pointer: int, size: int, align: int = 1) -> int:
        """The pointer, unsigned, if `size` (unsigned) bytes are there; traps otherwise."""
        pointer &= _M32
        if pointer % align:
            raise Trap(f"pointer {pointer:#x} is not aligned to {align}", code="misaligned pointer")
        if pointer + size > len(self._view()):
            raise Trap(
                f"{size} bytes at pointer {pointer:#x} are outside of the memory", code="out of bounds memory access"
            )
        return pointer

    def read(self, pointer: int, length: int) -> bytes:
        """`length`, signed as it came, bytes."""
        length &= _M32
        pointer = self.check(pointer, length)
        return bytes(self._view()[pointer : pointer + length])

    def text(self, pointer: int, length: int) -> str:
        """A path; `ilseq` where it is not UTF-8."""
        try:
            return self.read(pointer, length).decode()
        except UnicodeDecodeError:
            raise ErrnoError("ilseq") from None

    def write(self, pointer: int, data: bytes) -> None:
        pointer = self.check(pointer, len(data))
        self._view()[pointer : pointer + len(data)] = data

    def write_u32(self, pointer: int, value: int) -> None:
        self.write(self.check(pointer, 4, 4), struct.pack("<I", value))

    def write_u64(self, pointer: int, value: int) -> None:
        self.write(self.check(pointer, 8, 8), struct.pack("<Q", value))

    def buffers(self, pointer: int, count: int) -> Buffers:
        """A list of buffers (`iovec_array`), all checked, as far as it is used."""
        count &= _M32
        pointer = self.check(pointer, 8 * count, 4)
        used = min(count, MAX_BUFFERS)
        found: list[tuple[int, int]] = []
        left = MAX_BYTES
        for base, size in struct.iter_unpack("<II", self._view()[pointer : pointer + 8 * used]):
            found.append((self.check(base, size), min(size, left)))
            left -= found[-1][1]
        return found

    def gather(self, buffers: Buffers) -> bytes:
        """The bytes in them."""
        view = self._view()
        return b"".join(bytes(view[base : base + size]) for base, size in buffers)

    def scatter(self, buffers: Buffers, data: bytes) -> None:
        """Put bytes into them, which have room for all."""
        at = 0
        for base, size in buffers:
            part = data[at : at + size]
            self.write(base, part)
            at += len(part)

    def _view(self) -> memoryview:
        try:
            return self._memory().view()
        except KeyError:
            raise Trap("the module uses preview 1 and exports no memory", code="no memory") from None


def total(buffers: Buffers) -> int:
    """How many bytes they have room for."""
    return sum(size for _, size in buffers)
