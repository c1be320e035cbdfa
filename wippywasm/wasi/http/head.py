"""The heads of HTTP/1.1 messages: requests as they are sent, responses as they come in.

In: fields, or bytes. Out: bytes, or fields. What is ambiguous is refused, not guessed: folded lines, bare line feeds,
spaces before colons, several lengths.

Spec: RFC 9112 sections 2 to 6.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wippywasm.dataclass import dataclass
from wippywasm.wasi.http.codes import HttpError, field_size
from wippywasm.wasi.http.fields import Entry
from wippywasm.wasi.http.limits import HttpLimits
from wippywasm.wasi.http.names import is_token, is_value

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\Z")


@dataclass(frozen=True)
class ResponseHead:
    """What comes before a response's body. `minor` is the version's: HTTP/1.0 or 1.1."""

    minor: int
    status: int
    fields: Sequence[Entry]


def render_request(method: str, target: str, authority: str, fields: Sequence[Entry]) -> bytes:
    """A request's head; all its parts were checked before."""
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: " + authority.encode(), b"Connection: close"]
    lines += [name.encode() + b": " + value for name, value in fields]
    return b"\r\n".join([*lines, b"", b""])


def split_head(data: bytes | bytearray, limits: HttpLimits) -> int | None:
    """Where the head ends, with its empty line; None where it has not all come. Raises HttpError."""
    end = data.find(b"\r\n\r\n", 0, limits.head + 4)
    if end >= 0:
        return end + 4
    if len(data) > limits.head:
        raise HttpError("HTTP-response-header-section-size", len(data))
    return None


def parse_response(head: bytes, limits: HttpLimits) -> ResponseHead:
    """A response's head without its empty line. Raises HttpError."""
    first, *lines = head.split(b"\r\n")
    status = _STATUS.match(first)
    if not status:
        raise HttpError("HTTP-protocol-error")
    if len(lines) > limits.fields:
        raise HttpError("HTTP-response-header-size", field_size(None, len(head)))
    return ResponseHead(int(status[1]), int(status[2]), parse_fields(lines))


def parse_fields(lines: Sequence[bytes]) -> list[Entry]:
    """Fields from their lines. Raises HttpError."""
    return [_parse_field(line) for line in lines]


def _parse_field(line: bytes) -> Entry:
    name, colon, value = line.partition(b":")
    text, value = name.decode("latin-1"), value.strip(b" \t")
    if not colon or not is_token(text) or not is_value(value):
        raise HttpError("HTTP-protocol-error")
    return text, value
