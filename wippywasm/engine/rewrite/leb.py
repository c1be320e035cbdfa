"""Reading LEB128 integers, and counted vectors, of the binary format, as far as rewriting reads and writes them.

In: bytes of a valid module. Out: numbers and positions; bytes.
"""

from __future__ import annotations

from wippywasm.leb128 import unsigned


def read_u32(data: bytes, pos: int) -> tuple[int, int]:
    """The unsigned number at `pos`, and the position after it."""
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7


def skip(data: bytes, pos: int) -> int:
    """The position after the number at `pos`."""
    while data[pos] & 0x80:
        pos += 1
    return pos + 1


def sized(content: bytes) -> bytes:
    """Bytes behind their number, as sections and function bodies are."""
    return unsigned(len(content)) + content


def append(vector: bytes | None, item: bytes) -> bytes:
    """A section that is a vector, with one more item; None is an absent one."""
    if vector is None:
        return b"\1" + item
    count, pos = read_u32(vector, 0)
    return unsigned(count + 1) + vector[pos:] + item
