"""Lua's `http`: the request that the program serves, and its response. Spec: SPEC section 11.

In: the running exchange. Out: what the request says at once, its body when asked for; the response as it is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from wippywasm.app.http.exchange import Exchange, current_exchange
from wippywasm.app.http.multipart import Upload, parse_multipart
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.errors import InternalError, InvalidError


def operations() -> Mapping[str, Operation]:
    """What the module asks for."""
    return {
        "http.request": _request,
        "http.body": _body,
        "http.read": _read,
        "http.multipart": _multipart,
        "http.read_file": _read_file,
        "http.response": _response,
        "http.set_status": _set_status,
        "http.set_header": _set_header,
        "http.stream": _stream,
        "http.write": _write,
        "http.flush": _flush,
    }


def _exchange() -> Exchange:
    exchange = current_exchange()
    if exchange is None:
        raise InternalError("there is no HTTP request here", hint="an http.endpoint calls the function with one")
    return exchange


# ---- the request


def _request(_: LuaCaller, timeout: float | None, max_body: int | None) -> dict[str, Any]:
    """What it says; `timeout` in milliseconds and `max_body` in bytes bound its body further."""
    exchange = _exchange()
    body, request = exchange.body, exchange.request
    if max_body is not None:
        body.limit = min(body.limit, _positive(max_body, "max_body"))
    if timeout is not None:
        until = asyncio.get_running_loop().time() + _positive(timeout, "timeout") / 1000
        body.deadline = until if body.deadline is None else min(body.deadline, until)
    query = request.query
    return {
        "method": request.method,
        "path": _text(exchange.target.path),
        "headers": {name.lower(): _text(exchange.header(name) or "") for name in request.headers},
        "query": {name: _text(query[name]) for name in query},
        "query_params": {name: _text(",".join(query.getall(name))) for name in query},
        "params": dict(exchange.params),
        "remote": _remote(exchange),
        "length": request.content_length,
        "has_body": body.is_there and request.content_length != 0,
    }


def _remote(exchange: Exchange) -> str:
    """Address and port; the port is the connection's."""
    peer = exchange.request.transport.get_extra_info("peername") if exchange.request.transport else None
    host = f"[{exchange.remote}]" if ":" in exchange.remote else exchange.remote
    return f"{host}:{peer[1]}" if peer else host


async def _body(_: LuaCaller) -> bytes:
    return await _exchange().body.whole()


async def _read(_: LuaCaller, most: int) -> bytes | None:
    return await _exchange().body.read(most) or None


async def _multipart(caller: LuaCaller) -> dict[str, Any]:
    exchange = _exchange()
    values, uploads = parse_multipart(exchange.header("Content-Type") or "", await exchange.body.whole())
    files: dict[str, list[dict[str, Any]]] = {}
    for upload in uploads:
        files.setdefault(upload.field, []).append(_file(caller, upload))
    return {"values": values, "files": files}


def _file(caller: LuaCaller, upload: Upload) -> dict[str, Any]:
    number = caller.handles.add(upload)
    return {"number": number, "name": upload.name, "size": len(upload.data), "headers": dict(upload.headers)}


def _read_file(caller: LuaCaller, number: int, at: int, most: int) -> bytes | None:
    """Bytes of an uploaded file from `at` on; `most` of 0 is all that is left."""
    data = caller.handles.get(number, Upload).data
    return data[at : at + most if most else None] or None


# ---- the response


def _response(_: LuaCaller) -> bool:
    _exchange().answered = True
    return True


def _set_status(_: LuaCaller, status: int) -> bool:
    _exchange().reply.set_status(status)
    return True


def _set_header(_: LuaCaller, name: str, value: str | bytes) -> bool:
    text = value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")
    _exchange().reply.set(name, text)
    return True


def _stream(_: LuaCaller, kind: str) -> bool:
    """Send what is written as a stream; `sse` is one of events."""
    reply = _exchange().reply
    if kind == "sse" and not reply.started:
        reply.set("Content-Type", "text/event-stream")
        reply.set("Cache-Control", "no-cache")
    reply.streams = True
    return True


async def _write(_: LuaCaller, data: str | bytes, kind: str | None) -> bool:
    """Write a part of the body; `kind` is its type where none is set."""
    reply = _exchange().reply
    if kind is not None and not reply.started:
        reply.fields.setdefault("Content-Type", kind)
    await reply.write(data.encode() if isinstance(data, str) else data)
    return True


async def _flush(_: LuaCaller) -> bool:
    await _exchange().reply.flush()
    return True


# ---- values


def _text(value: str) -> str | bytes:
    """Text, or the bytes of what is none."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")
    return value


def _positive(value: Any, name: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise InvalidError(f"http.request: {name} must be a number above 0")
    return value
