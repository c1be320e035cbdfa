"""The parts of checking a Python value that generated code leaves to functions.

In: values that are not of the commonest class. Out: what generated code goes on with, or any exception: the caller
then lets `fit` find the place and say what is wrong.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wippywasm.layout import MAX_LIST_BYTE_LENGTH

F32_LIMIT = 3.4028235677973366e38
"""Doubles from here on have no f32 that is near."""
NAN: float = struct.unpack("<d", b"\0\0\0\0\0\0\xf8\x7f")[0]
"""The canonical NaN."""


class Misfit(Exception):
    """A value does not fit its type as it is; `fit` knows whether it can be made to, else where and why not."""


def misfit() -> None:
    raise Misfit


def as_float(value: Any) -> float:
    """Ints (not bools) and whatever has `__float__` (not text)."""
    if value.__class__ is bool or isinstance(value, str | bytes | bytearray):
        raise Misfit
    number: float = float(value)
    return number


def edge_f32(value: float) -> float:
    """A float outside the range of f32: the canonical NaN or an infinity."""
    if value != value:
        return NAN
    if math.isinf(value):
        return value
    raise Misfit


def as_sequence(value: Any) -> list[Any]:
    """A list of its own of any sequence, or buffer of any shape that lists itself; not of text, bytes or mappings.

    What is not a list or a tuple itself is what it iterates over, whatever it says of its length.
    """
    if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Iterable):
        raise Misfit
    if hasattr(value, "tolist"):
        value = value.tolist()
    if type(value) is list or type(value) is tuple:
        return [*value]
    if isinstance(value, Sequence):
        return snapshot(value)
    raise Misfit


def snapshot(value: Iterable[Any]) -> list[Any]:
    """A list of its own of what something iterates over; raises Misfit where that changes meanwhile."""
    try:
        return [item for item in value]  # noqa: C416  (`list` asks for a length, which may be anything)
    except RuntimeError as error:
        if "during iteration" not in str(error):  # not of Python's own collections
            raise
    raise Misfit


def as_items(value: Any) -> Sequence[Any]:
    """`as_sequence`, and buffers of bytes."""
    return memoryview(value).tobytes() if isinstance(value, bytes | bytearray) else as_sequence(value)


def as_bytes(value: Any) -> bytes | memoryview:
    """`list<u8>` from any buffer of bytes, or from a sequence of ints."""
    if isinstance(value, bytearray | memoryview):
        view = memoryview(value)
        return view.tobytes() if view.format in ("B", "c") else pack_numbers(value, "B")
    return pack_numbers(value, "B")


def pack_numbers(value: Any, code: str) -> bytes | memoryview:
    """The little-endian bytes of a list of numbers, from a sequence or a buffer; `code` is of `struct`."""
    if value.__class__ is list or value.__class__ is tuple:
        packed = struct.pack(f"<{len(value)}{code}", *value)
        if _may_hold_bool(packed, code, value) and bool in map(type, value):
            raise Misfit
        return packed
    view = _number_view(value, code)
    return pack_numbers(as_sequence(value), code) if view is None else view


_PROBES = dict.fromkeys("bBhHiIqQ", ((0, (0, 1)),)) | {"f": ((3, (0,)), (2, (0x80,))), "d": ((7, (0,)), (6, (0xF0,)))}
"""By item: which byte tells that it may be zero or one, and what that byte may be then."""
_MAX_HITS = 24


def _may_hold_bool(packed: bytes, code: str, value: Sequence[Any]) -> bool:
    """Whether a bool may hide in a packed sequence; only zeros and ones can, and looking for their bytes is fast."""
    size = len(packed) // len(value) if value else 1
    for byte, wanted in _PROBES[code]:
        column = packed[byte::size]
        for one in wanted:
            hits, at = 0, column.find(one)
            while at >= 0:
                hits += 1
                if hits > _MAX_HITS or value[at].__class__ is bool:
                    return True
                at = column.find(one, at + 1)
    return False


def _number_view(value: Any, code: str) -> bytes | memoryview | None:
    """The bytes of a buffer whose items are just those numbers; None where it is not one."""
    try:
        view = memoryview(value)
    except TypeError:
        return None
    same = view.itemsize == struct.calcsize("<" + code) and _kind(view.format) == _kind(code)
    if not same or not view.c_contiguous or view.ndim > 1:
        return None
    return view.tobytes() if isinstance(value, memoryview) else view.cast("B")


def _kind(code: str) -> str:
    """Signed, unsigned or float, of a native `struct` code."""
    code = code.lstrip("@=<")
    if code in "fd":
        return "float"
    return "signed" if code in "bhilqn" else "unsigned" if code in "BHILQN" else "other"


def record_fields(value: Any, names: tuple[str, ...], attributes: tuple[str, ...]) -> list[Any]:
    """The fields of a record given as a mapping (whose keys may be snake_case) or as an object with attributes."""
    if isinstance(value, Mapping):
        if len(value) != len(names):
            raise Misfit
        return [value[n] if n in value else value[a] for n, a in zip(names, attributes)]
    return [getattr(value, a) for a in attributes]


def as_names(value: Any) -> Iterable[Any]:
    """The names of flags, from any iterable of them."""
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise Misfit
    return snapshot(value)


def as_pairs(value: Any) -> list[tuple[Any, Any]]:
    """A map's entries, from a mapping or a sequence of pairs."""
    if isinstance(value, Mapping):
        return snapshot(value.items())
    return [(key, item) for key, item in as_sequence(value)]


def check_length(count: int, size: int) -> None:
    """Refuse what no guest may be given: more bytes than the specification allows in one list."""
    if count * size > MAX_LIST_BYTE_LENGTH:
        raise Misfit


def encode_utf16(value: Any) -> tuple[bytes, int]:
    """A string's bytes and its length in code units."""
    encoded = str.encode(value, "utf-16-le")
    return encoded, len(encoded) >> 1


def encode_latin1_or_utf16(value: Any) -> tuple[bytes, int]:
    """A string's bytes, as latin1 where it has no wider character, and its tagged length in code units."""
    try:
        encoded = str.encode(value, "latin-1")
    except UnicodeEncodeError:
        encoded = str.encode(value, "utf-16-le")
        return encoded, len(encoded) >> 1 | 0x8000_0000
    return encoded, len(encoded)


def new_array(code: str) -> array[Any]:
    """An empty array of that item."""
    return array(code)
