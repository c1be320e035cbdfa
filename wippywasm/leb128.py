"""LEB128, as both binary formats write their numbers.

In: numbers that are not negative. Out: bytes.
Spec: WebAssembly core, `binary/values` (integers).
"""

from __future__ import annotations

_SHORT = tuple([bytes([value]) for value in range(0x80)])
"""The numbers of one byte, which most are."""


def unsigned(value: int) -> bytes:
    """An unsigned number."""
    return _groups(value, 0x7F)


def signed(value: int) -> bytes:
    """A signed number that is not negative, such as a type index where a type code could be."""
    return _groups(value, 0x3F)


def _groups(value: int, last: int) -> bytes:
    """Seven bits at a time, the lowest first, until what is left is at most `last`."""
    if value <= last:
        return _SHORT[value]
    out = bytearray()
    while value > last:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
