"""The reply to a request, as it grows: a status, fields, a body.

In: what a handler writes. Out: HTTP on the connection. What fits a buffer and is not flushed goes out at once, with its
length; all else is streamed, at the client's pace. A client that takes nothing for too long is cut off.
Spec: SPEC section 12.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import web
from multidict import CIMultiDict

from wippywasm.app.http.problems import CONTENT_TYPE, Problem
from wippywasm.errors import InvalidError
from wippywasm.wasi.http.names import FORBIDDEN, is_token, is_value

MAX_PENDING = 64 << 10
SERVER = "wippywasm"
_STALL = 60.0
"""Seconds in which a client must take something of what is written."""


class Encoder(Protocol):
    """Changes a body on its way, as compression does."""

    def encode(self, data: bytes) -> bytes: ...
    def flush(self) -> bytes:
        """What is needed for all so far to be read."""
        ...

    def end(self) -> bytes: ...


class CutOffError(ConnectionError):
    """The connection was ended in the middle of a reply."""


class Reply:
    """`hooks` are called before the head is sent, with the body's length where that is known."""

    def __init__(self, request: web.BaseRequest) -> None:
        self.status = 200
        self.fields: CIMultiDict[str] = CIMultiDict()
        self.hooks: list[Callable[[Reply, int | None], None]] = []
        self.encoder: Encoder | None = None
        self.streams = False
        """Whether even what fits the buffer is sent without a length."""
        self.ended = False
        self._request = request
        self._pending = bytearray()
        self._response: web.StreamResponse | None = None
        self._left: int | None = None

    @property
    def started(self) -> bool:
        """Whether the head is on its way."""
        return self._response is not None

    @property
    def is_bare(self) -> bool:
        """Whether there can be no body."""
        return self._request.method == "HEAD" or self.status in (204, 304)

    def set_status(self, status: int) -> None:
        """Raises InvalidError for what is no status of a reply, and where the head is on its way."""
        self._require_head()
        if not 200 <= status <= 599:
            raise InvalidError(f"{status} is no status of a response: they go from 200 to 599")
        self.status = status

    def set(self, name: str, value: str) -> None:
        """Set a field. Raises as `set_status`, for names and values that can't be sent, and for framing."""
        self._check(name, value)
        self.fields[name] = value

    def add(self, name: str, value: str) -> None:
        """Add a field to those of its name; raises as `set`."""
        self._check(name, value)
        self.fields.add(name, value)

    async def write(self, data: bytes) -> None:
        """Write a part of the body; raises `CutOffError` where the client is gone."""
        self._require_open()
        if not self.started and len(self._pending) + len(data) <= MAX_PENDING:
            self._pending += data
            return
        await self._flow()
        await self._stream(data)

    async def flush(self) -> None:
        """Send what is written so far; raises as `write`."""
        self._require_open()
        await self._flow()
        if self.encoder is not None:
            await self._send(self.encoder.flush())

    async def end(self) -> web.StreamResponse:
        """Send what is left, and give the response; harmless to repeat."""
        if not self.ended:
            if self.streams:
                await self._flow()
            self.ended = True
            await (self._end_stream() if self.started else self._send_whole())
        assert self._response is not None
        return self._response

    async def send(self, body: bytes, content_type: str | None = None) -> web.StreamResponse:
        """A whole body at once."""
        if content_type is not None:
            self.fields["Content-Type"] = content_type
        self._pending = bytearray(body)
        return await self.end()

    async def fail(self, problem: Problem) -> web.StreamResponse:
        """Say what went wrong; where a reply has begun, cut it off, so that nobody takes it for a whole one."""
        if self.started:
            self.abort()
            raise CutOffError("the reply failed after it had begun")
        self.status, self.encoder, self.streams = problem.status, None, False
        self.fields.clear()
        self.fields.update(problem.fields)
        return await self.send(problem.body, CONTENT_TYPE)

    def abort(self) -> None:
        """End the connection at once."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def _require_open(self) -> None:
        if self.ended:
            raise InvalidError("the response is complete")

    def _require_head(self) -> None:
        if self.started:
            raise InvalidError("the head of the response is on its way already")

    def _check(self, name: str, value: str) -> None:
        self._require_head()
        if not is_token(name):
            raise InvalidError(f"{name!r:.100} is no name of a header")
        if name.lower() in FORBIDDEN:
            raise InvalidError(f"'{name}' belongs to the connection, which is not the handler's")
        if not is_value(value.encode("utf-8", "surrogateescape")):
            raise InvalidError(f"the value of '{name}' has a line break or another control character")
        if name.lower() == "content-length" and not (value.isascii() and value.isdigit() and len(value) < 16):
            raise InvalidError(f"{value!r:.100} is no length")

    def _hook(self, length: int | None) -> None:
        self.fields.setdefault("Server", SERVER)
        while self.hooks:
            self.hooks.pop(0)(self, length)

    async def _send_whole(self) -> None:
        body = bytes(self._pending)
        self._hook(len(body))
        if self.encoder is not None:
            body = await asyncio.to_thread(_encoded, self.encoder, body)
        if not self.is_bare:
            self.fields["Content-Length"] = str(len(body))
        elif self._request.method == "HEAD":
            self.fields.setdefault("Content-Length", str(len(body)))
        self._response = web.Response(status=self.status, headers=self.fields, body=None if self.is_bare else body)
        await self._waiting(self._response.prepare(self._request))
        await self._waiting(self._response.write_eof())

    async def _flow(self) -> None:
        """Start streaming, and send what was kept."""
        if not self.started:
            self._hook(None)
            if self.encoder is not None:
                self.fields.popall("Content-Length", None)
            declared = self.fields.get("Content-Length")
            self._left = None if declared is None else int(declared)
            self._response = web.StreamResponse(status=self.status, headers=self.fields)
            await self._waiting(self._response.prepare(self._request))
        if self._pending:
            data, self._pending = bytes(self._pending), bytearray()
            await self._stream(data)

    async def _stream(self, data: bytes) -> None:
        await self._send(data if self.encoder is None else self.encoder.encode(data))

    async def _send(self, data: bytes) -> None:
        if not data or self.is_bare:
            return
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise InvalidError("the body is longer than its Content-Length says")
        assert self._response is not None
        await self._waiting(self._response.write(data))

    async def _end_stream(self) -> None:
        if self.encoder is not None:
            await self._send(self.encoder.end())
        if self._left and not self.is_bare:
            self.abort()
            raise CutOffError("the body is shorter than its Content-Length says")
        assert self._response is not None
        await self._waiting(self._response.write_eof())

    async def _waiting(self, sending: object) -> None:
        """Await what goes to the client, for as long as it takes something."""
        cut = asyncio.get_running_loop().call_later(_STALL, self.abort)
        try:
            await sending  # type: ignore[misc]
        except ConnectionError as error:
            raise CutOffError(str(error)) from error
        finally:
            cut.cancel()


def _encoded(encoder: Encoder, body: bytes) -> bytes:
    return encoder.encode(body) + encoder.end()
