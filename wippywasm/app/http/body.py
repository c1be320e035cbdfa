"""The body of a request, read as far as it may go.

In: an aiohttp request. Out: its bytes, piece by piece or at once; never more than the limit, nor for longer than the
time. Spec: SPEC section 12.
"""

from __future__ import annotations

import asyncio

from aiohttp import HttpVersion11, hdrs, web

from wippywasm.app.http.problems import BadRequestError, BodyTooLargeError, SlowBodyError
from wippywasm.dataclass import dataclass

_PIECE = 1 << 16


@dataclass
class Body:
    """`limit` in bytes; `deadline` on the loop's clock, None for no bound."""

    request: web.BaseRequest
    limit: int
    deadline: float | None = None
    taken: int = 0
    _whole: bytes | None = None

    @property
    def is_there(self) -> bool:
        """Whether the request has a body, be it an empty one of unknown length."""
        return self.request.body_exists

    async def read(self, most: int = _PIECE) -> bytes:
        """Up to `most` bytes as soon as some are there, none at the end.

        Raises `BodyTooLargeError`, `SlowBodyError`, and `BadRequestError` where its framing is wrong or it ends early.
        """
        if not self.is_there or self._whole is not None:
            return b""
        await self._ask()
        data = await self._next(most)
        self.taken += len(data)
        if self.taken > self.limit:
            raise BodyTooLargeError(self.limit)
        return data

    async def whole(self) -> bytes:
        """All of it, as often as asked; what was read before is not in it. Raises as `read`."""
        if self._whole is None:
            pieces = []
            while piece := await self.read():
                pieces.append(piece)
            self._whole = b"".join(pieces)
        return self._whole

    async def _ask(self) -> None:
        """Tell a client that waits to be asked for the body."""
        if self.taken or self.request.version != HttpVersion11 or self.request.writer.output_size:
            return
        if self.request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and not self._has_arrived():
            await self.request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.request.writer.output_size = 0

    def _has_arrived(self) -> bool:
        content = self.request.content
        return content.at_eof() or content.total_bytes > 0

    async def _next(self, most: int) -> bytes:
        content = self.request.content
        try:
            if self.deadline is None or content.at_eof():
                return await content.read(most)
            left = self.deadline - asyncio.get_running_loop().time()
            return await asyncio.wait_for(content.read(most), max(left, 0.001))
        except asyncio.TimeoutError:
            raise SlowBodyError from None
        except (web.RequestPayloadError, EOFError) as error:
            raise BadRequestError(f"the request's body is broken: {_line(error)}") from None


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
