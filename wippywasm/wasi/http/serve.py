"""Serving HTTP by a guest that exports `wasi:http/incoming-handler`.

In: a guest and a request. Out: the response as soon as the guest has given it; its body as the guest writes it.

The guest may go on after its response is complete: `ServedResponse.wait` is for that. `close` ends it.

Spec: `wasi:http/incoming-handler`; SPEC section 12.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias

from wippywasm.errors import InternalError
from wippywasm.values import Variant
from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.http.fields import Entry
from wippywasm.wasi.http.incoming import IncomingRequest, RequestHead, ResponseOutparam, ServedBody
from wippywasm.wasi.http.pipe import Pipe
from wippywasm.wasi.http.responses import OutgoingResponse
from wippywasm.wasi.network.budget import Budget, Quotas
from wippywasm.wasi.sources import BytesSource, CallbackSource
from wippywasm.wasi.waitables import wait_any

HANDLE = "wasi:http/incoming-handler#handle"
_CHUNK = 1 << 16

RequestBody: TypeAlias = "bytes | Callable[[int], Awaitable[bytes]]"
"""A request's body: all of it, or a function that gives at most so many bytes of it, none at the end."""
_Answer: TypeAlias = "OutgoingResponse | Variant | None"


class AsyncGuest(Protocol):
    """What is needed of a guest."""

    async def call_async(self, name: str, *args: Any) -> Any: ...


class ServedResponse:
    """A response of a guest. `informational` are those that it has sent ahead, with their status."""

    def __init__(
        self, response: OutgoingResponse, call: asyncio.Task[Any], informational: Sequence[tuple[int, Sequence[Entry]]]
    ) -> None:
        self.status = response.status
        self.fields: Sequence[Entry] = response.fields
        self.informational = informational
        self._pipe: Pipe | None = response.pipe
        self._call = call

    @property
    def trailers(self) -> Sequence[Entry]:
        """What comes after the body, once all of that was read."""
        return () if self._pipe is None else self._pipe.trailers

    async def body(self) -> AsyncIterator[bytes]:
        """The body's bytes. Raises what the guest failed with, or InternalError where it did not finish its body."""
        pipe = self._pipe
        while pipe is not None and not pipe.at_end:
            changed, over = pipe.changed.next(), self._call.done()
            data = pipe.take(_CHUNK)
            if data:
                yield data
            elif pipe.broken or over:
                await self.wait()
                raise InternalError("the guest did not finish the body of its response")
            else:
                await wait_any([changed, _Ended(self._call)])

    async def read(self) -> bytes:
        """All of the body; raises as `body`."""
        return b"".join([data async for data in self.body()])

    async def wait(self) -> None:
        """Until the guest's call has ended; raises what it failed with."""
        await asyncio.shield(self._call)

    async def close(self) -> None:
        """End the call, if it has not ended."""
        if self._pipe is not None:
            self._pipe.stop()
        await _end(self._call)

    async def __aenter__(self) -> ServedResponse:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()


class _Ended:
    """A call as something to wait for."""

    def __init__(self, call: asyncio.Task[Any]) -> None:
        self._call = call

    def is_ready(self) -> bool:
        return self._call.done()

    async def ready(self) -> None:
        await asyncio.wait({self._call})


async def serve_request(
    guest: AsyncGuest, head: RequestHead, body: RequestBody = b"", *, field_budget: Budget | None = None
) -> ServedResponse:
    """The guest's response to a request, as soon as it is there; `async with` it, so that the guest's call ends.

    Raises HttpError for the error code that the guest gave instead, what its call failed with, and InternalError where
    it gave neither.
    """
    loop = asyncio.get_running_loop()
    given: asyncio.Future[_Answer] = loop.create_future()
    informational: list[tuple[int, Sequence[Entry]]] = []

    def answer(value: _Answer) -> None:
        loop.call_soon_threadsafe(_settle, given, value)

    budget = field_budget or Budget(Quotas().field_bytes)
    source = BytesSource(body) if isinstance(body, bytes) else CallbackSource(body)
    request = IncomingRequest(head, ServedBody(source), budget)
    out = ResponseOutparam(answer, lambda status, fields: informational.append((status, fields)))
    call = loop.create_task(guest.call_async(HANDLE, request, out))
    try:
        await asyncio.wait({call, given}, return_when=asyncio.FIRST_COMPLETED)
        return ServedResponse(await _response(call, given), call, informational)
    except BaseException:
        await _end(call)
        raise


async def _response(call: asyncio.Task[Any], given: asyncio.Future[_Answer]) -> OutgoingResponse:
    if not given.done():
        await call
        await asyncio.sleep(0)  # what the guest gave last is still on its way
    value = given.result() if given.done() else None
    if isinstance(value, OutgoingResponse):
        return value
    if value is not None:
        raise HttpError(value.case, value.payload)
    await call
    raise InternalError("the guest returned without a response", hint="call response-outparam.set in `handle`")


def _settle(given: asyncio.Future[_Answer], value: _Answer) -> None:
    if not given.done():
        given.set_result(value)


async def _end(call: asyncio.Task[Any]) -> None:
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
