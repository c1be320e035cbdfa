"""Messages across the border of a sandbox: a few byte strings, never objects.

In: lists of numbers and strings. Out: the streams that `prelude/wire.lua` reads and writes, and the other way round.
A message has integers, floats, text and bytes, each in one run; a value's type, or its tags, say what is taken from
which run. So a large value costs a handful of crossings, and no Lua object is ever held by Python or the reverse.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

Streams: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
"""From Lua: integers, floats, lengths of texts, texts, lengths of byte strings, byte strings."""


class Reader:
    """What a message from Lua holds, each run taken from its front: `integer()`, `float()`, `text()`, `blob()`."""

    __slots__ = ("blob", "float", "integer", "text")

    def __init__(self, streams: Streams) -> None:
        integers, floats, text_sizes, texts, blob_sizes, blobs = streams
        self.integer: Callable[[], int] = iter(struct.unpack(f"<{len(integers) // 8}q", integers)).__next__
        self.float: Callable[[], float] = iter(struct.unpack(f"<{len(floats) // 8}d", floats)).__next__
        self.text: Callable[[], str] = _texts(text_sizes, texts).__next__
        self.blob: Callable[[], bytes] = _pieces(blob_sizes, blobs).__next__


def _spans(sizes: bytes) -> Iterator[tuple[int, int]]:
    return pairwise(accumulate(struct.unpack(f"<{len(sizes) // 4}I", sizes), initial=0))


def _pieces(sizes: bytes, run: bytes) -> Iterator[bytes]:
    return iter([run[start:end] for start, end in _spans(sizes)])


def _texts(sizes: bytes, run: bytes) -> Iterator[str]:
    if run.isascii():
        text = run.decode("ascii")
        return iter([text[start:end] for start, end in _spans(sizes)])
    return iter([run[start:end].decode() for start, end in _spans(sizes)])


class Writer:
    """What a message to Lua is made of. `integer` takes signed 64 bits; the size of a string goes before its bytes."""

    __slots__ = ("blob", "blobs", "float", "floats", "integer", "integers")

    def __init__(self) -> None:
        self.integers: list[int] = []
        self.floats: list[float] = []
        self.blobs: list[Any] = []
        self.integer = self.integers.append
        self.float = self.floats.append
        self.blob = self.blobs.append

    def string(self, data: bytes) -> None:
        """A byte string with its size."""
        self.integer(len(data))
        self.blob(data)

    def append(self, other: Writer) -> None:
        """All that `other` has, after what is here."""
        self.integers.extend(other.integers)
        self.floats.extend(other.floats)
        self.blobs.extend(other.blobs)

    def streams(self) -> tuple[bytes, bytes, bytes]:
        """Integers, floats, and all strings in one run."""
        return (
            struct.pack(f"<{len(self.integers)}q", *self.integers),
            struct.pack(f"<{len(self.floats)}d", *self.floats),
            b"".join(self.blobs),
        )
