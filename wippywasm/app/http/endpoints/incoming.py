"""Endpoints that are components with `wasi:http/incoming-handler`: they get the request as it is and stream the
response.

In: an exchange. Out: a reply at the pace of the client; a body at the pace of the guest. When the client goes, the
handler is cancelled, and the guest with it. Spec: SPEC section 12; `wasi:http/incoming-handler`.
"""

from __future__ import annotations

from typing import Any

from wippywasm.app.http.callee import Callee
from wippywasm.app.http.exchange import Exchange
from wippywasm.app.http.reply import Reply
from wippywasm.wasi.http import RequestHead, ServedResponse, serve_request


class _Pooled:
    """The guests of a function, as one to call: whichever of its pool is free serves the request."""

    def __init__(self, app: Callee, func: str) -> None:
        self._app = app
        self._func = func

    async def call_async(self, name: str, *args: Any) -> Any:
        return await self._app.call(self._func, *args)


class IncomingEndpoint:
    """Hands requests to a component."""

    def __init__(self, app: Callee, func: str) -> None:
        self._app = app
        self._func = func
        self._guest = _Pooled(app, func)

    async def __call__(self, exchange: Exchange) -> None:
        self._app.check_room(self._func)
        body = exchange.body.read if exchange.body.is_there else b""
        async with await serve_request(self._guest, _head(exchange), body) as served:
            await _copy(served, exchange.reply)
            await exchange.reply.end()
            await served.wait()


async def _copy(served: ServedResponse, reply: Reply) -> None:
    reply.set_status(served.status)
    for name, value in served.fields:
        reply.add(name, value.decode("utf-8", "surrogateescape"))
    await reply.flush()
    async for piece in served.body():
        await reply.write(piece)
        await reply.flush()


def _head(exchange: Exchange) -> RequestHead:
    request = exchange.request
    return RequestHead(
        method=request.method,
        path_with_query=request.raw_path,
        scheme="http",
        authority=request.headers.get("Host"),
        fields=[(name.decode("latin-1"), value) for name, value in request.raw_headers],
    )
