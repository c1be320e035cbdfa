"""A client that sends exactly the bytes it is told to, and reads one response after another.

In: a URL and bytes. Out: `Answer`s.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from wippywasm.app import App

T = TypeVar("T")
WAIT = 20.0


@dataclass(frozen=True)
class Answer:
    """A response; several fields of one name are joined by `, `."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> Any:
        assert self.fields["content-type"] == "application/problem+json"
        assert self.json["status"] == self.status
        return self.json


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes | str) -> None:
        self.writer.write(data if isinstance(data, bytes) else data.encode())
        await self.writer.drain()

    async def ask(self, method: str, path: str, body: bytes | str = b"", **fields: str) -> Answer:
        """A request and its response; `_` in names of fields is `-`."""
        data = body if isinstance(body, bytes) else body.encode()
        named = {"Host": "test", **{name.replace("_", "-"): value for name, value in fields.items()}}
        if data:
            named["Content-Length"] = str(len(data))
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        await self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
        return await self.answer(is_bare=method == "HEAD")

    async def head(self) -> tuple[int, dict[str, str]]:
        lines = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT)).decode().split("\r\n")
        fields: dict[str, str] = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            name = name.lower()
            fields[name] = f"{fields[name]}, {value.strip()}" if name in fields else value.strip()
        return int(lines[0].split(" ")[1]), fields

    async def answer(self, *, is_bare: bool = False) -> Answer:
        status, fields = await self.head()
        while status == 100:
            status, fields = await self.head()
        if is_bare or status in (204, 304):
            return Answer(status, fields, b"")
        return Answer(status, fields, await asyncio.wait_for(self._body(fields), WAIT))

    async def _body(self, fields: dict[str, str]) -> bytes:
        if "content-length" in fields:
            return await self.reader.readexactly(int(fields["content-length"]))
        if fields.get("transfer-encoding") != "chunked":
            return await self.reader.read()
        body = b""
        while piece := await self.chunk():
            body += piece
        return body

    async def chunk(self) -> bytes:
        """The next chunk of a streamed body, none at its end."""
        size = int(await asyncio.wait_for(self.reader.readline(), WAIT), 16)
        data = await asyncio.wait_for(self.reader.readexactly(size + 2), WAIT)
        return data[:-2]

    async def is_closed(self) -> bool:
        """Wait for the server to end the connection; False where it sends more."""
        try:
            return await asyncio.wait_for(self.reader.read(1), WAIT) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """A connection to the server of a URL."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


def served(app: App, work: Callable[[Client], Awaitable[T]]) -> T:
    """Start an app, do something with a connection to its only service, and stop it."""

    async def main() -> T:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                return await work(client)

    return asyncio.run(main())


def ask(app: App, method: str, path: str, body: bytes | str = b"", **fields: str) -> Answer:
    """The response to one request."""

    async def work(client: Client) -> Answer:
        return await client.ask(method, path, body, **fields)

    return served(app, work)
