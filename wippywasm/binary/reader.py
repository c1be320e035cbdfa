"""Bytes → the small grammar that core and component binaries share: LEB128 integers, vectors, names, slices.

In: the whole file, with the span to read. Positions are offsets in that file, so every error already knows its place.
Out: Python values; `MalformedError` where the bytes end early or break the grammar.

Spec: WebAssembly core, `binary/values` and `binary/conventions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from wippywasm.binary.limits import MAX_NAME
from wippywasm.errors import MalformedError

T = TypeVar("T")


def view_of(data: bytes | bytearray | memoryview) -> memoryview:
    """The bytes of any buffer, copied only where they do not lie in a row."""
    view = memoryview(data)
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())


class Reader:
    """A cursor over `data[pos:end]`; `pos` counts from the start of the outermost file."""

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: memoryview, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """How many bytes remain."""
        return self.end - self.pos

    def malformed(self, message: str, offset: int | None = None) -> MalformedError:
        """The error to raise: at `offset`, else at the cursor."""
        return MalformedError(message, self.pos if offset is None else offset)

    def peek(self) -> int:
        """The next byte, left where it is."""
        if self.pos >= self.end:
            raise self.malformed("unexpected end of the bytes")
        return self.data[self.pos]

    def byte(self) -> int:
        pos = self.pos
        if pos >= self.end:
            raise self.malformed("unexpected end of the bytes")
        self.pos = pos + 1
        return self.data[pos]

    def slice(self, length: int) -> memoryview:
        """The next `length` bytes, not copied."""
        start = self.pos
        if length > self.end - start:
            raise self.malformed(f"unexpected end: {length} bytes are announced, {self.end - start} remain")
        self.pos = start + length
        return self.data[start : start + length]

    def sub(self, length: int) -> Reader:
        """A reader over the next `length` bytes; this one goes on after them."""
        start = self.pos
        end = start + length
        if end > self.end:
            self.slice(length)
        self.pos = end
        return Reader(self.data, start, end)

    def u32(self) -> int:
        pos = self.pos
        if pos < self.end:
            first = self.data[pos]
            if first < 0x80:
                self.pos = pos + 1
                return first
            if pos + 1 < self.end and (second := self.data[pos + 1]) < 0x80:
                self.pos = pos + 2
                return first & 0x7F | second << 7
        return self._unsigned(32)

    def u64(self) -> int:
        return self._unsigned(64)

    def s33(self) -> int:
        return self._signed(33)

    def s32(self) -> int:
        return self._signed(32)

    def s64(self) -> int:
        return self._signed(64)

    def integer(self, bits: int, signed: bool) -> int:
        """A LEB128 integer of so many bits."""
        return self._signed(bits) if signed else self._unsigned(bits)

    def _unsigned(self, bits: int) -> int:
        start, value, shift = self.pos, 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if shift + 7 >= bits:
                if byte & 0x80:
                    raise self.malformed(f"integer representation too long for u{bits}", start)
                if value >> bits:
                    raise self.malformed(f"integer too large for u{bits}", start)
            if not byte & 0x80:
                return value
            shift += 7

    def _signed(self, bits: int) -> int:
        start, value, shift = self.pos, 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift >= bits and byte & 0x80:
                raise self.malformed(f"integer representation too long for s{bits}", start)
            if not byte & 0x80:
                break
        if byte & 0x40:
            value -= 1 << shift
        if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            raise self.malformed(f"integer too large for s{bits}", start)
        return value

    def count(self, what: str = "items") -> int:
        """The length of a vector; every element takes a byte at least, so a longer one than what remains is refused."""
        start = self.pos
        count = self.u32()
        if count > self.end - self.pos:
            raise self.malformed(f"unexpected end: {count} {what} are announced, {self.left} bytes remain", start)
        return count

    def vec(self, read: Callable[[], T], what: str = "items") -> list[T]:
        return [read() for _ in range(self.count(what))]

    def name(self) -> str:
        """A length-prefixed UTF-8 string."""
        length = self.u32()
        start = self.pos
        end = start + length
        if end > self.end:
            self.slice(length)
        if length > MAX_NAME:
            raise self.malformed(
                f"string size out of bounds: the name is too long, {length} bytes of {MAX_NAME}", start
            )
        self.pos = end
        try:
            return str(self.data[start:end], "utf-8")
        except UnicodeDecodeError as error:
            raise self.malformed("malformed UTF-8 encoding of a name", start + error.start) from None

    def optional(self, read: Callable[[], T]) -> T | None:
        """`<T>?`: a byte that tells whether a `T` follows."""
        return read() if self.flag("an optional part") else None

    def flag(self, what: str) -> bool:
        """A byte that must be 0 or 1."""
        start = self.pos
        byte = self.byte()
        if byte > 1:
            raise self.bad_byte(byte, what, start)
        return byte == 1

    def expect_end(self, what: str) -> None:
        if self.pos != self.end:
            raise self.malformed(f"section size mismatch: unexpected data at the end of {what}")

    def bad_byte(self, byte: int, what: str, offset: int) -> MalformedError:
        """The error for a byte that the grammar does not have at this place."""
        return MalformedError(f"invalid leading byte ({byte:#x}) for {what}", offset)
