"""How a response's body is told from what comes after it: by a length, in chunks, or by the end of the connection.

In: bytes as they come in. Out: the body's own bytes, then its end and trailers.

Spec: RFC 9112 sections 6 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from wippywasm.wasi.http.codes import HttpError, field_size
from wippywasm.wasi.http.fields import Entry
from wippywasm.wasi.http.head import parse_fields
from wippywasm.wasi.http.limits import HttpLimits

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?\Z")
_MAX_CHUNK_LINE = 4096


class Decoder(Protocol):
    """`done` once the body has ended; `trailers` then."""

    trailers: Sequence[Entry]

    @property
    def done(self) -> bool: ...

    def feed(self, data: bytes) -> bytes:
        """Some more came in; gives what of it is the body's. Raises HttpError."""
        ...

    def end(self) -> None:
        """The connection has ended. Raises HttpError where the body has not."""
        ...


class Empty:
    """No body."""

    done = True
    trailers: Sequence[Entry] = ()

    def feed(self, data: bytes) -> bytes:
        return b""

    def end(self) -> None: ...


class WithLength:
    """So many bytes."""

    trailers: Sequence[Entry] = ()

    def __init__(self, length: int, limits: HttpLimits) -> None:
        if length > limits.response:
            raise HttpError("HTTP-response-body-size", length)
        self._left = length

    @property
    def done(self) -> bool:
        return not self._left

    def feed(self, data: bytes) -> bytes:
        found = data[: self._left]
        self._left -= len(found)
        return found

    def end(self) -> None:
        if self._left:
            raise HttpError("HTTP-response-incomplete")


class UntilEnd:
    """Whatever comes, until the connection ends."""

    trailers: Sequence[Entry] = ()

    def __init__(self, limits: HttpLimits) -> None:
        self.done = False
        self._limit = limits.response
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        self._size += len(data)
        if self._size > self._limit:
            raise HttpError("HTTP-response-body-size", self._size)
        return data

    def end(self) -> None:
        self.done = True


class Chunked:
    """Chunks with their sizes, an empty one, trailers."""

    def __init__(self, limits: HttpLimits) -> None:
        self.done = False
        self.trailers: Sequence[Entry] = ()
        self._limits = limits
        self._size = 0
        self._left = 0
        self._rest = bytearray()
        self._state = self._in_size

    def feed(self, data: bytes) -> bytes:
        self._rest += data
        found = bytearray()
        while not self.done and self._state(found):
            pass
        return bytes(found)

    def end(self) -> None:
        if not self.done:
            raise HttpError("HTTP-response-incomplete")

    def _in_size(self, found: bytearray) -> bool:
        line = self._line(_MAX_CHUNK_LINE)
        if line is None:
            return False
        match = _CHUNK.match(line)
        if not match:
            raise HttpError("HTTP-protocol-error")
        self._left = int(match[1], 16)
        self._size += self._left
        if self._size > self._limits.response:
            raise HttpError("HTTP-response-body-size", min(self._size, (1 << 64) - 1))
        self._state = self._in_data if self._left else self._in_trailers
        return True

    def _in_data(self, found: bytearray) -> bool:
        data = self._rest[: self._left]
        del self._rest[: len(data)]
        self._left -= len(data)
        found += data
        if not self._left:
            self._state = self._after_data
        return not self._left

    def _after_data(self, found: bytearray) -> bool:
        if len(self._rest) < 2:
            return False
        if self._rest[:2] != b"\r\n":
            raise HttpError("HTTP-protocol-error")
        del self._rest[:2]
        self._state = self._in_size
        return True

    def _in_trailers(self, found: bytearray) -> bool:
        if self._rest.startswith(b"\r\n"):
            self.done = True
            return True
        end = self._rest.find(b"\r\n\r\n")
        if max(end, len(self._rest) if end < 0 else 0) > self._limits.head:
            raise HttpError("HTTP-response-trailer-section-size", len(self._rest))
        if end < 0:
            return False
        lines = bytes(self._rest[:end]).split(b"\r\n")
        if len(lines) > self._limits.fields:
            raise HttpError("HTTP-response-trailer-size", field_size(None, len(self._rest)))
        self.trailers, self.done = parse_fields(lines), True
        return True

    def _line(self, limit: int) -> bytes | None:
        end = self._rest.find(b"\r\n", 0, limit)
        if end < 0:
            if len(self._rest) >= limit:
                raise HttpError("HTTP-protocol-error")
            return None
        line = bytes(self._rest[:end])
        del self._rest[: end + 2]
        return line
