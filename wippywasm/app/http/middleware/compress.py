"""`compress`: gzip for replies that gain by it.

In: replies to clients that take gzip. Out: the same, compressed on their way. What has an encoding already, and parts
of a file, stay as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from wippywasm.app.http.exchange import Exchange, Handler
from wippywasm.app.http.reply import Reply

_LEVELS = {"fastest": 1, "default": 6, "best": 9}
_GZIP = 16 + zlib.MAX_WBITS
_DENSE = ("image/", "video/", "audio/", "font/woff", "application/zip", "application/gzip")
_WORTHY = ("image/svg", "image/bmp")


class Gzip:
    """An encoder of one reply."""

    def __init__(self, level: int) -> None:
        self._zlib = zlib.compressobj(level, zlib.DEFLATED, _GZIP)

    def encode(self, data: bytes) -> bytes:
        return self._zlib.compress(data)

    def flush(self) -> bytes:
        return self._zlib.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._zlib.flush()


class Compress:
    """Compresses from `min.length` bytes on; what is streamed has a length that nobody knows, and is."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._level = _LEVELS[options["level"]]
        self._least: int = options["min.length"]

    async def __call__(self, exchange: Exchange, following: Handler) -> None:
        accepts = _accepts_gzip(exchange.header("Accept-Encoding") or "")
        exchange.reply.hooks.append(lambda reply, length: self._start(reply, length, accepts))
        await following(exchange)

    def _start(self, reply: Reply, length: int | None, accepts: bool) -> None:
        if _is_dense(reply):
            return
        reply.fields.add("Vary", "Accept-Encoding")
        declared = reply.fields.get("Content-Length")
        size = int(declared) if length is None and declared else length
        if not accepts or reply.is_bare or (size is not None and size < self._least):
            return
        reply.encoder = Gzip(self._level)
        reply.fields["Content-Encoding"] = "gzip"
        tag = reply.fields.get("ETag", "")
        if tag.startswith('"'):
            reply.fields["ETag"] = f"W/{tag}"


def _is_dense(reply: Reply) -> bool:
    kind = reply.fields.get("Content-Type", "")
    if reply.status == 206 or "Content-Encoding" in reply.fields:
        return True
    return kind.startswith(_DENSE) and not kind.startswith(_WORTHY)


def _accepts_gzip(field: str) -> bool:
    for part in field.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
