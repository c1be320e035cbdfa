"""Responses as they come from real peers: with a length, in chunks, until the end; endless ones."""

from __future__ import annotations

import asyncio

import pytest

from tests.wasi_net.http_client import OK, Client, answering, body_of, names, read_head, trailers_of
from tests.wasi_net.net_peers import async_code, code, read_all, tcp_server
from wippywasm.errors import Trap
from wippywasm.values import Variant
from wippywasm.wasi.http import RequestHead
from wippywasm.wasi.http.incoming import IncomingRequest, ServedBody
from wippywasm.wasi.network.budget import Budget
from wippywasm.wasi.sources import BytesSource


async def test_a_response_with_a_length() -> None:
    seen: list[bytes] = []
    answer = OK + b"Content-Length: 5\r\nX-A: 1\r\nx-a: 2\r\nConnection: close\r\n\r\nhello and more"
    client = Client()
    async with tcp_server(answering(answer, seen=seen)) as port:
        response = await client.get(port, "/a?b=c", fields=[("X-Custom", b"v\xff")])
        assert response.status() == 200
        headers = response.headers()
        assert headers.get("X-A") == [b"1", b"2"]
        assert names(headers.entries()) == ["content-length", "x-a", "x-a"]
        assert code(headers.append, "x", b"y") == Variant("immutable")
        with pytest.raises(Trap):
            response.drop()
        headers.drop()
        assert await body_of(response) == b"hello"
    assert seen == [
        f"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n".encode() + b"X-Custom: v\xff\r\n\r\n"
    ]
    assert client.network.sockets.taken == client.messages.taken == client.fields.taken == 0


async def test_fields_that_connection_names_are_not_the_guests_to_see() -> None:
    answer = (
        OK + b"Connection: X-B, close\r\nX-A: 1\r\nx-b: 2\r\nconnection:\tx-c\r\nX-C: 3\r\nContent-Length: 0\r\n\r\n"
    )
    async with tcp_server(answering(answer)) as port:
        response = await Client().get(port)
        headers = response.headers()
        assert headers.entries() == [("X-A", b"1"), ("Content-Length", b"0")]
        assert headers.get("x-b") == []
        headers.drop()
        response.drop()


def test_nor_are_those_of_a_request_that_a_guest_serves() -> None:
    fields = [("Connection", b"X-B"), ("X-B", b"2"), ("X-C", b"3")]
    request = IncomingRequest(
        RequestHead("GET", "/", "http", "localhost", fields), ServedBody(BytesSource()), Budget(1000)
    )
    assert request.headers().entries() == [("X-C", b"3")]


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_chunks_however_they_are_cut(size: int) -> None:
    answer = (
        OK + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n00a\r\n0123456789\r\n0\r\nX-Sum: 7\r\nHost: x\r\n\r\n"
    )
    parts = [answer[i : i + size] for i in range(0, len(answer), size)]
    async with tcp_server(answering(*parts)) as port:
        response = await Client().get(port)
        assert response.headers().entries() == []
        body = response.consume()
        stream = body.stream()
        assert await read_all(stream, 4) == b"abc0123456789"
        stream.drop()
        trailers = await trailers_of(body)
        assert trailers.entries() == [("X-Sum", b"7")]


async def test_a_body_until_the_end_of_the_connection() -> None:
    async with tcp_server(answering(b"HTTP/1.0 404\r\n\r\n", b"gone", 0.01, b" away")) as port:
        response = await Client().get(port)
        assert response.status() == 404
        assert await body_of(response) == b"gone away"


@pytest.mark.parametrize("first", [b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 304 Not\r\n\r\n"])
async def test_responses_without_a_body(first: bytes) -> None:
    async with tcp_server(answering(first, stay=True)) as port:
        assert await body_of(await Client().get(port)) == b""


async def test_head_has_a_length_and_no_body() -> None:
    async with tcp_server(answering(OK + b"Content-Length: 500\r\n\r\n", stay=True)) as port:
        response = await Client().get(port, method="head")
        assert response.headers().get("content-length") == [b"500"]
        assert await body_of(response) == b""


async def test_interim_responses_are_passed_over() -> None:
    ahead = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    async with tcp_server(answering(ahead, 0.01, ahead + OK + b"Content-Length: 1\r\n\r\nx")) as port:
        assert await body_of(await Client().get(port)) == b"x"


async def test_redirects_are_the_guests() -> None:
    async with tcp_server(
        answering(b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n")
    ) as port:
        response = await Client().get(port)
        assert response.status() == 302


async def test_an_endless_body_stops_where_nobody_reads_it() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_head(reader)
        writer.write(OK + b"\r\n")
        while True:
            writer.write(bytes(65536))
            sent += 65536
            await writer.drain()

    client = Client(response=40 << 20)
    async with tcp_server(endless) as port:
        response = await client.get(port)
        body = response.consume()
        stream = body.stream()
        await asyncio.sleep(0.2)
        assert sent < 20 << 20
        with pytest.raises(Trap, match="depend on it"):
            body.drop()
        failure = await async_code(read_all(stream))
        assert client.code_behind(failure).case == "HTTP-response-body-size"
    assert client.network.sockets.taken == 0


async def test_dropping_a_response_ends_its_connection() -> None:
    ended = asyncio.Event()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(OK + b"Content-Length: 100\r\n\r\nabc")
        await reader.read()
        ended.set()

    client = Client()
    async with tcp_server(watch) as port:
        response = await client.get(port)
        assert client.network.sockets.taken == 1
        response.drop()
        await asyncio.wait_for(ended.wait(), 5)
        ended.clear()
        client.handler.handle(client.request(f"127.0.0.1:{port}"), None).drop()
    assert client.network.sockets.taken == 0
