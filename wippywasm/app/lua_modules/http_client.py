"""Lua's `http_client`: requests to other servers. Spec: SPEC section 11.

In: methods, URLs, options. Out: responses as tables; a body that is streamed as a handle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote_plus, unquote_to_bytes

from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.observe import Observers
from wippywasm.app.security import Guard
from wippywasm.errors import InvalidError, WippyError

if TYPE_CHECKING:
    from wippywasm.app.http_client.client import Response
    from wippywasm.app.http_client.options import RequestOptions

MAX_BATCH = 100
_AT_ONCE = 16


class App(Protocol):
    """The part of an app that says what may be reached."""

    @property
    def guard(self) -> Guard: ...
    @property
    def observers(self) -> Observers: ...


def operations(app: App) -> Mapping[str, Operation]:
    """What the module asks for."""

    async def request(caller: LuaCaller, method: str, url: str, options: Any) -> dict[str, Any]:
        return await _request(app, caller, method, url, options)

    async def request_batch(caller: LuaCaller, requests: Any) -> dict[str, Any]:
        return await _batch(app, caller, requests)

    return {
        "http_client.request": request,
        "http_client.request_batch": request_batch,
        "http_client.read": _read,
        "http_client.close": _close,
        "http_client.encode_uri": _encode,
        "http_client.decode_uri": _decode,
    }


async def _request(app: App, caller: LuaCaller, method: str | bytes, url: str | bytes, given: Any) -> dict[str, Any]:
    from wippywasm.app.http_client.options import read_options

    if isinstance(method, bytes) or isinstance(url, bytes):
        raise InvalidError("http_client: a method and a URL are text in UTF-8, got other bytes")
    options = read_options(given)
    response = await _sent(app, method, url, options)
    if options.stream:
        return {**response.facts, "body_size": -1, "number": caller.handles.add(response)}
    try:
        body = b"" if method == "HEAD" else await response.whole()
    finally:
        await response.close()
    return {**response.facts, "body": body, "body_size": len(body)}


async def _sent(app: App, method: str, url: str, options: RequestOptions) -> Response:
    """The response; where spans are on, the request has one, and takes its `traceparent` along."""
    from wippywasm.app.http_client.client import send  # loads aiohttp

    spans = app.observers.spans
    if spans is None:
        return await send(app.guard, method, url, options)
    headers: dict[str, str] = {}
    facts = {"http.request.method": method, "url.full": url.partition("?")[0]}
    with spans.sent(f"{method} http_client", facts, headers) as span:
        response = await send(app.guard, method, url, replace(options, headers={**headers, **options.headers}))
        span.set_attribute("http.response.status_code", response.answer.status)
        return response


async def _batch(app: App, caller: LuaCaller, requests: Any) -> dict[str, Any]:
    """All at the same time, as far as that goes; each its response or its error, by place."""
    if not isinstance(requests, list) or len(requests) > MAX_BATCH:
        raise InvalidError(f"http_client.request_batch takes an array of at most {MAX_BATCH} requests")
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(request: Any) -> dict[str, Any]:
        try:
            method, url, options = _batched(request)
            async with gate:
                return {"response": await _request(app, caller, method, url, options)}
        except WippyError as error:
            return {"error": error}

    return {"results": await asyncio.gather(*map(one, requests))}


def _batched(request: Any) -> tuple[str, str, Any]:
    if not isinstance(request, list) or not 2 <= len(request) <= 3 or not all(isinstance(r, str) for r in request[:2]):
        raise InvalidError("http_client.request_batch: a request is {method, url, options}")
    options = request[2] if len(request) == 3 else None
    if isinstance(options, dict) and options.get("stream"):
        raise InvalidError("http_client.request_batch: responses of a batch can't be streamed")
    return request[0], request[1], options


async def _read(caller: LuaCaller, number: int, most: int) -> bytes | None:
    return await _response(caller, number).read(most) or None


async def _close(caller: LuaCaller, number: int) -> bool:
    await caller.handles.drop(number)
    return True


def _response(caller: LuaCaller, number: int) -> Response:
    from wippywasm.app.http_client.client import Response

    return caller.handles.get(number, Response)


def _encode(_: LuaCaller, text: str | bytes) -> str:
    return quote_plus(text)


def _decode(_: LuaCaller, text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    if any(len(part) < 2 or not _is_hex(part[:2]) for part in data.split(b"%")[1:]):
        raise InvalidError("http_client.decode_uri: a '%' is not followed by two hexadecimal digits")
    return unquote_to_bytes(data.replace(b"+", b" "))


def _is_hex(digits: bytes) -> bool:
    return all(digit in b"0123456789abcdefABCDEF" for digit in digits)
