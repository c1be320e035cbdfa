"""`multipart/form-data`, taken apart.

In: a Content-Type and a whole body. Out: values, and files as they were sent. Spec: RFC 7578, RFC 2046.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field as facts

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError

MAX_PARTS = 1000
_MAX_HEAD = 16 << 10
_PARAM = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;"\s]+))')
_BOUNDARY = re.compile(r"[ '()+_,./:=?0-9A-Za-z-]{1,70}")


@dataclass(frozen=True)
class Upload:
    """One file: the `field` it came in, the `name` that it had, its bytes."""

    field: str
    name: str
    headers: Mapping[str, str] = facts(repr=False)
    data: bytes = facts(repr=False)

    def close(self) -> None:
        """There is nothing to close: it is in memory, as far as the body's limit lets it."""


def parse_multipart(content_type: str, body: bytes) -> tuple[dict[str, str], Sequence[Upload]]:
    """The values, the last of each name, and the files in their order; raises InvalidError."""
    values: dict[str, str] = {}
    uploads: list[Upload] = []
    for headers, data in _parts(_boundary(content_type), body):
        params = _params(headers.get("content-disposition", ""))
        if "name" not in params:
            raise InvalidError("a part of the form has no name")
        if "filename" in params:
            uploads.append(Upload(params["name"], params["filename"], headers, data))
        else:
            values[params["name"]] = data.decode("utf-8", "replace")
    return values, uploads


def _boundary(content_type: str) -> bytes:
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise InvalidError(f"the request is no multipart/form-data but {kind[:100] or 'of no type'}")
    boundary = _params(content_type).get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise InvalidError("the Content-Type of the form names no boundary")
    return boundary.encode()


def _parts(boundary: bytes, body: bytes) -> Iterator[tuple[Mapping[str, str], bytes]]:
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 2)
    if len(pieces) > MAX_PARTS + 2:
        raise InvalidError(f"the form has more than {MAX_PARTS} parts")
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise InvalidError("the form is not complete: its last boundary is missing")
    for piece in pieces[1:-1]:
        padding, line, rest = piece.partition(b"\r\n")
        head, blank, data = (b"\r\n" + rest).partition(b"\r\n\r\n")
        if not line or padding.strip(b" \t") or not blank or len(head) > _MAX_HEAD:
            raise InvalidError("a part of the form is not well formed")
        yield _headers(head), data


def _headers(head: bytes) -> Mapping[str, str]:
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _params(field: str) -> dict[str, str]:
    found = _PARAM.finditer(";" + field.partition(";")[2])
    return {match[1].lower(): _unquoted(match[2]) if match[2] is not None else match[3] for match in found}


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
