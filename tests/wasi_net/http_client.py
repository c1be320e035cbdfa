"""Playing a guest that sends HTTP requests, in Python, and peers that answer with whatever bytes a test has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.wasi_net.net_peers import Handler, block, local_network, read_all, write_all
from wippywasm.values import Err, Ok, Variant
from wippywasm.wasi.http import HttpLimits
from wippywasm.wasi.http.bodies import IncomingBody, OutgoingBody
from wippywasm.wasi.http.handler import OutgoingHandler
from wippywasm.wasi.http.responses import IncomingResponse
from wippywasm.wasi.http.types_interface import Types
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.budget import Budget

OK = b"HTTP/1.1 200 OK\r\n"


class Client:
    """A guest's view of `wasi:http`."""

    def __init__(self, network: Network | None = None, **limits: Any) -> None:
        self.network = network or local_network()
        self.limits = HttpLimits(**limits)
        self.fields = Budget(self.network.quotas.field_bytes)
        self.messages = Budget(self.network.quotas.messages)
        self.types = Types(self.messages, self.fields, self.limits)
        self.handler = OutgoingHandler(self.network, self.limits, self.messages, self.fields)

    def request(
        self, authority: str, path: str | None = "/", method: str = "get", scheme: str = "HTTP", **more: Any
    ) -> Any:
        made = self.types.outgoing_request(self.types.fields.from_list(more.get("fields", [])))
        made.set_scheme(Variant(scheme))
        made.set_method(Variant(method))
        made.set_authority(authority)
        made.set_path_with_query(path)
        return made

    def options(self, **seconds: float) -> Any:
        made = self.types.request_options()
        for name, value in seconds.items():
            getattr(made, f"set_{name}_timeout")(int(value * 10**9))
        return made

    async def send(self, request: Any, options: Any = None) -> Any:
        """The response, or the error code."""
        future = self.handler.handle(request, options)
        outcome = await outcome_of(future)
        future.drop()
        return outcome

    async def get(self, port: int, path: str = "/", **more: Any) -> Any:
        return await self.send(self.request(f"127.0.0.1:{port}", path, **more))

    def code_behind(self, failure: Variant) -> Variant:
        """The code behind the failure of a stream."""
        found = self.types.http_error_code(failure.payload)
        assert found is not None
        return found


async def outcome_of(future: Any) -> Any:
    await block(future.subscribe())
    outcome = future.get()
    assert isinstance(outcome, Ok)
    assert future.get() == Err()
    return outcome.value.value


async def body_of(response: IncomingResponse) -> bytes:
    body = response.consume()
    stream = body.stream()
    data = await read_all(stream)
    stream.drop()
    body.drop()
    response.close()
    return data


async def trailers_of(body: IncomingBody) -> Any:
    future = IncomingBody.finish(body)
    body.drop()
    outcome = await outcome_of(future)
    future.drop()
    return outcome


async def write_body(body: OutgoingBody, *parts: bytes) -> None:
    stream = body.write()
    for part in parts:
        await write_all(stream, part)
    stream.drop()
    OutgoingBody.finish(body, None)
    body.drop()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def answering(*parts: bytes | float, seen: list[bytes] | None = None, stay: bool = False) -> Handler:
    """A peer that reads a head and sends these parts; a number is a pause in seconds."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        if seen is not None:
            seen.append(head)
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
        if stay:
            await asyncio.sleep(60)

    return handle


async def upload_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with what came after the head, as it was on the wire."""
    head = await read_head(reader)
    if b"chunked" in head:
        data = b""
        while not (b"\r\n0\r\n" in data[-1000:] and data.endswith(b"\r\n\r\n")):
            more = await reader.read(65536)
            if not more:
                return
            data += more
        data = data[:-2]
    else:
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        data = await reader.readexactly(length)
    writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(data) + data)
    await writer.drain()


def names(entries: Sequence[tuple[str, bytes]]) -> list[str]:
    return [name.lower() for name, _ in entries]
