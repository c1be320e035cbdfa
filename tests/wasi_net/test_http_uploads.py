"""Bodies that guests send: by length, in chunks with trailers, broken off; megabytes both ways."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.wasi_net.http_client import OK, Client, answering, body_of, outcome_of, read_head, upload_echo, write_body
from tests.wasi_net.net_peers import async_code, code, tcp_server, threaded_server, write_all
from wippywasm.errors import Trap
from wippywasm.instance.waiting import run_now
from wippywasm.values import Variant
from wippywasm.wasi.http.bodies import OutgoingBody
from wippywasm.wasi.waitables import settled


async def test_a_body_goes_out_in_chunks_with_trailers() -> None:
    client = Client()
    async with tcp_server(upload_echo) as port:
        request = client.request(f"127.0.0.1:{port}", method="post")
        body = request.body()
        assert code(request.body) is None
        future = client.handler.handle(request, None)
        stream = body.write()
        assert code(body.write) is None
        await write_all(stream, b"abc")
        await write_all(stream, b"defg")
        with pytest.raises(Trap):
            OutgoingBody.finish(body, None)
        stream.drop()
        OutgoingBody.finish(body, client.types.fields.from_list([("X-T", b"1")]))
        sent = await body_of(await outcome_of(future))
        assert sent == b"3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-T: 1\r\n"


async def test_a_body_with_a_length_goes_out_as_it_is() -> None:
    client = Client()
    async with tcp_server(upload_echo) as port:
        request = client.request(f"127.0.0.1:{port}", method="put", fields=[("Content-Length", b"6")])
        body = request.body()
        future = client.handler.handle(request, None)
        await write_body(body, b"abc", b"def")
        assert await body_of(await outcome_of(future)) == b"abcdef"


@pytest.mark.parametrize(("data", "told"), [(b"ab", 2), (b"abcd", 4)])
async def test_a_body_of_another_length_than_was_said(data: bytes, told: int) -> None:
    client = Client()
    async with tcp_server(upload_echo) as port:
        request = client.request(f"127.0.0.1:{port}", method="put", fields=[("Content-Length", b"3")])
        body = request.body()
        future = client.handler.handle(request, None)
        stream = body.write()
        expected = Variant("HTTP-request-body-size", told)
        if told > 3:
            stream.check_write()
            failure = code(stream.write, data)
            assert client.code_behind(failure) == expected
        else:
            await write_all(stream, data)
            stream.drop()
            assert code(OutgoingBody.finish, body, None) == expected
        assert await outcome_of(future) == Variant("HTTP-protocol-error")


async def test_a_body_that_is_dropped_breaks_the_request_off() -> None:
    client = Client()
    async with tcp_server(upload_echo) as port:
        request = client.request(f"127.0.0.1:{port}", method="post")
        body = request.body()
        future = client.handler.handle(request, None)
        body.drop()
        assert await outcome_of(future) == Variant("HTTP-protocol-error")
    assert client.network.sockets.taken == 0


async def test_megabytes_both_ways_at_once() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(OK + b"Content-Length: 2000000\r\n\r\n")
        left = 2_000_000
        while left:
            data = await reader.read(min(left, 65536))
            left -= len(data)
            writer.write(data)
            await writer.drain()

    data = os.urandom(2_000_000)
    client = Client()
    async with tcp_server(echo) as port:
        request = client.request(f"127.0.0.1:{port}", method="post", fields=[("content-length", b"2000000")])
        body = request.body()
        future = client.handler.handle(request, None)

        async def receive() -> bytes:
            return await body_of(await outcome_of(future))

        _, received = await asyncio.gather(write_body(body, data), receive())
        assert received == data


async def test_a_peer_that_reads_nothing_stops_the_guest_and_ends_by_timeout() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(60)

    client = Client()
    async with tcp_server(deaf) as port:
        request = client.request(f"127.0.0.1:{port}", method="post")
        body = request.body()
        future = client.handler.handle(request, client.options(first_byte=0.3))
        stream, written = body.write(), list[int]()

        async def write_on() -> None:
            while True:
                await settled(stream.subscribe().block())
                written.append(stream.check_write())
                stream.write_zeroes(written[-1])

        assert await async_code(write_on()) == Variant("closed")
        assert sum(written) < 32 << 20
        assert await outcome_of(future) == Variant("connection-read-timeout")
    assert client.network.sockets.taken == 0


async def test_a_slow_guest_is_no_slow_peer() -> None:
    client = Client()
    async with tcp_server(upload_echo) as port:
        request = client.request(f"127.0.0.1:{port}", method="post")
        body = request.body()
        options = client.options(first_byte=0.1, between_bytes=0.1)
        future = client.handler.handle(request, options)
        await asyncio.sleep(0.3)
        await write_body(body, b"late")
        response = await outcome_of(future)
        await asyncio.sleep(0.3)
        assert await body_of(response) == b"4\r\nlate\r\n0\r\n"


async def test_a_peer_that_answers_before_it_has_read_all() -> None:
    async with tcp_server(answering(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")) as port:
        client = Client()
        request = client.request(f"127.0.0.1:{port}", method="post")
        body = request.body()
        future = client.handler.handle(request, None)
        response = await outcome_of(future)
        assert response.status() == 413
        stream = body.write()
        assert code(stream.check_write) == Variant("closed")


def test_without_an_event_loop_of_ones_own() -> None:
    """As `Guest.call` does it: each wait has an event loop that is gone when the wait is over."""
    with threaded_server(upload_echo) as port:
        client = Client()
        request = client.request(f"127.0.0.1:{port}", method="post")
        body = request.body()
        future = client.handler.handle(request, None)
        data = os.urandom(300_000)
        run_now(write_body(body, data))
        response = run_now(outcome_of(future))
        incoming = response.consume()
        stream = incoming.stream()
        received = b""
        while data[-100:] not in received[-1000:]:
            received += stream.read(10000) or run_now(stream.blocking_read(10000))
        assert len(received) > len(data)
        stream.drop()
        incoming.drop()
    assert client.network.sockets.taken == 0
