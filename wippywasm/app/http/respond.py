"""From what a function gives to a reply.

In: a result, and the function's signature where it has one. Out: a reply.
Spec: SPEC section 12: text, bytes, nothing, else JSON.
"""

from __future__ import annotations

from typing import Any

from wippywasm.app.http.reply import Reply
from wippywasm.app.json_values.results import error_json, ok_type, result_json
from wippywasm.app.json_values.text import dump_json
from wippywasm.errors import WitError
from wippywasm.model import STRING, U8, FuncType, ListType, structural

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
JSON = "application/json"


async def reply_result(reply: Reply, signature: FuncType | None, result: Any) -> None:
    """Send what a function returned."""
    kind, body = _typed(signature, result) if signature is not None else _plain(result)
    if kind is None:
        reply.set_status(204)
    await reply.send(body, kind)


async def reply_error(reply: Reply, signature: FuncType | None, error: WitError) -> None:
    """Send the function's own `err`."""
    reply.set_status(500)
    await reply.send(dump_json(error_json(signature, error)).encode(), JSON)


def _typed(signature: FuncType, result: Any) -> tuple[str | None, bytes]:
    type = ok_type(signature)
    whole = None if type is None else structural(type)
    if result is None:
        return None, b""
    if whole == STRING:
        return TEXT, result.encode()
    if whole == ListType(U8):
        return BYTES, bytes(result)
    return JSON, dump_json(result_json(signature, result)).encode()


def _plain(result: Any) -> tuple[str | None, bytes]:
    if result is None:
        return None, b""
    if isinstance(result, str):
        return TEXT, result.encode()
    if isinstance(result, bytes):
        return BYTES, result
    return JSON, dump_json(result_json(None, result)).encode()
