"""`wasi:http/outgoing-handler` against real peers: slow, endless, chunked, broken off, and malformed answers."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.wasi_net.http_client import (
    Client,
    answering,
    body_of,
    names,
    outcome_of,
    read_head,
    trailers_of,
    write_body,
)
from tests.wasi_net.net_peers import (
    async_code,
    code,
    local_network,
    read_all,
    tcp_server,
    threaded_server,
    write_all,
)
from wippywasm.errors import Trap
from wippywasm.instance.waiting import run_now
from wippywasm.values import Variant
from wippywasm.wasi.http.bodies import OutgoingBody
from wippywasm.wasi.network import Decision, Network, Quotas

OK = b"HTTP/1.1 200 OK\r\n"
PEM = Path(__file__).parent / "localhost.pem"


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


LONG = b"x" * 70000


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", "connection-terminated"),
        (b"HTTP/1.1 200", "HTTP-response-incomplete"),
        (b"nonsense\r\n\r\n", "HTTP-protocol-error"),
        (b"HTTP/2 200 OK\r\n\r\n", "HTTP-protocol-error"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "HTTP-protocol-error"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"No colon\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"Space : x\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"A: x\r\n folded\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"A: x\ny: z\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"A: \0\r\n\r\n", "HTTP-protocol-error"),
        (OK + b": x\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"Content-Length: -1\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"Content-Length: 1_0\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP-protocol-error"),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP-protocol-error"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "HTTP-response-transfer-coding"),
        (OK + b"Content-Length: 999999999999\r\n\r\n", "HTTP-response-body-size"),
        (OK + b"A: " + LONG + b"\r\n\r\n", "HTTP-response-header-section-size"),
        (LONG, "HTTP-response-header-section-size"),
        (OK + b"a: b\r\n" * 300 + b"\r\n", "HTTP-response-header-size"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "HTTP-upgrade-failed"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20, "HTTP-protocol-error"),
    ],
)
async def test_heads_that_are_refused(answer: bytes, expected: str) -> None:
    client = Client()
    async with tcp_server(answering(answer)) as port:
        assert (await client.get(port)).case == expected
    assert client.network.sockets.taken == 0


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK + b"Content-Length: 10\r\n\r\nshort", "HTTP-response-incomplete"),
        (CHUNKED + b"5\r\nab", "HTTP-response-incomplete"),
        (CHUNKED + b"2\r\nab\r\n", "HTTP-response-incomplete"),
        (CHUNKED + b"2\r\nabcd\r\n", "HTTP-protocol-error"),
        (CHUNKED + b"0x2\r\nab\r\n", "HTTP-protocol-error"),
        (CHUNKED + b"-2\r\nab\r\n", "HTTP-protocol-error"),
        (CHUNKED + b"+2\r\nab\r\n", "HTTP-protocol-error"),
        (CHUNKED + b"ffffffffffffffff\r\nab\r\n", "HTTP-response-body-size"),
        (CHUNKED + b"1;" + LONG, "HTTP-protocol-error"),
        (CHUNKED + b"0\r\nbad trailer\r\n\r\n", "HTTP-protocol-error"),
        (CHUNKED + b"0\r\nA: " + LONG, "HTTP-response-trailer-section-size"),
        (CHUNKED + b"0\r\n" + b"a: b\r\n" * 300 + b"\r\n", "HTTP-response-trailer-size"),
    ],
)
async def test_bodies_that_are_refused(answer: bytes, expected: str) -> None:
    client = Client()
    async with tcp_server(answering(answer)) as port:
        response = await client.get(port)
        if isinstance(response, Variant):
            assert response.case == expected
            return
        body = response.consume()
        stream = body.stream()
        failure = await async_code(read_all(stream))
        assert client.code_behind(failure).case == expected
        stream.drop()


@pytest.mark.parametrize(
    ("parts", "options"),
    [
        ((10.0,), {"first_byte": 0.1}),
        ((OK + b"Content-Le", 10.0), {"first_byte": 0.1}),
        ((OK, *(part for _ in range(40) for part in (0.05, b"a: b\r\n"))), {"first_byte": 0.2}),
        ((OK + b"Content-Length: 10\r\n\r\nabc", 10.0), {"between_bytes": 0.1}),
    ],
)
async def test_slow_peers_end_by_timeout(parts: Any, options: Any) -> None:
    client = Client()
    async with tcp_server(answering(*parts)) as port:
        outcome = await client.send(client.request(f"127.0.0.1:{port}"), client.options(**options))
        if not isinstance(outcome, Variant):
            failure = await async_code(body_of(outcome))
            outcome = client.code_behind(failure)
        assert outcome == Variant("connection-read-timeout")
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


async def test_nobody_there() -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert await Client().get(port) == Variant("connection-refused")


async def test_connecting_takes_too_long() -> None:
    # A name whose lookup hangs: what comes before the connection counts, too.
    def resolve(name: str) -> list[str]:
        import time

        time.sleep(1)
        return []

    client = Client(Network(["slow.example:80"], resolver=resolve))
    request = client.request("slow.example")
    assert await client.send(request, client.options(connect=0.05)) == Variant("DNS-timeout")


async def test_rules_decide_where_requests_go() -> None:
    seen: list[Decision] = []
    addresses = {"good.example": ["127.0.0.1"], "evil.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
    async with tcp_server(answering(OK + b"Content-Length: 2\r\n\r\nhi")) as port:
        rules = [f"good.example:{port}", f"evil.example:{port + 1}"]
        network = Network(rules, resolver=lambda name: addresses[name], audit=seen.append)
        client = Client(network)
        assert await client.send(client.request(f"good.example:{port}")) == Variant("destination-IP-prohibited")
        assert await client.send(client.request(f"evil.example:{port}")) == Variant("destination-IP-prohibited")
        assert await client.send(client.request(f"other.example:{port}")) == Variant("HTTP-request-denied")
        assert await client.send(client.request(f"127.0.0.1:{port}")) == Variant("destination-IP-prohibited")
        assert [d.action for d in seen if not d.allowed] == ["connect", "connect", "resolve", "connect"]
        both = Client(Network([*rules, f"127.0.0.1:{port}"], resolver=lambda name: addresses[name]))
        assert await body_of(await both.send(both.request(f"good.example:{port}"))) == b"hi"


async def test_localhost_by_name() -> None:
    async with tcp_server(answering(OK + b"Content-Length: 2\r\n\r\nhi")) as port:
        client = Client(Network([f"localhost:{port}"]))
        assert await body_of(await client.send(client.request(f"LocalHost:{port}"))) == b"hi"


@pytest.mark.parametrize(
    "authority",
    ["", "a b", "user@host", "host:", "host:0", "host:99999", "[::1", "[::1]x", "a\r\nb", "host/path", "bücher.de"],
)
def test_authorities_that_are_none(authority: str) -> None:
    assert code(Client().request, authority) is None


def test_what_can_not_be_sent() -> None:
    client = Client()

    def refused(**more: Any) -> Any:
        return code(client.handler.handle, client.request("127.0.0.1:1", **more), None).case

    request = client.request("127.0.0.1:1")
    request.set_authority(None)
    assert code(client.handler.handle, request, None).case == "HTTP-request-URI-invalid"
    assert refused(method="connect") == "HTTP-request-method-invalid"
    assert refused(path="*") == "HTTP-request-URI-invalid"
    assert refused(fields=[("Content-Length", b"5")]) == "HTTP-request-body-size"
    assert refused(fields=[("Content-Length", b"x")]) == "HTTP-protocol-error"
    assert refused(fields=[("a", b"b")] * 300) == "HTTP-request-header-size"
    assert refused(fields=[("a", bytes(b"x" * 66000))]) == "HTTP-request-header-section-size"
    request = client.request("127.0.0.1:1")
    request.set_scheme(Variant("other", "gopher"))
    assert code(client.handler.handle, request, None).case == "HTTP-protocol-error"
    for path in ("no-slash", "/a b", "/a\r\nX: y", "/#f", "/ä", "/" + "x" * 40000):
        assert code(client.request, "127.0.0.1:1", path) is None
    for method in ("", "A B", "A\r\n"):
        assert code(client.request("127.0.0.1:1").set_method, Variant("other", method)) is None
    assert client.network.sockets.taken == 0


async def test_connections_are_counted() -> None:
    client = Client(local_network(quotas=Quotas(sockets=1)))
    async with tcp_server(answering(OK + b"Content-Length: 9\r\n\r\n", stay=True)) as port:
        response = await client.get(port)
        refused = client.request(f"127.0.0.1:{port}")
        assert code(client.handler.handle, refused, None) == Variant("connection-limit-reached")
        response.drop()
        (await client.get(port)).drop()


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


@pytest.mark.parametrize("trusted", [True, False])
async def test_tls(trusted: bool) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(PEM)
    answer = OK + b"Content-Length: 100000\r\n\r\n" + bytes(100000)

    def context() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(PEM)) if trusted else ssl.create_default_context()

    async with tcp_server(answering(answer), ssl=served) as port:
        client = Client(Network([f"localhost:{port}"], tls=context))
        outcome = await client.send(client.request(f"localhost:{port}", scheme="HTTPS"))
        if trusted:
            assert await body_of(outcome) == bytes(100000)
        else:
            assert outcome == Variant("TLS-certificate-error")
    assert client.network.sockets.taken == 0


async def test_a_certificate_for_another_name() -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(PEM)
    async with tcp_server(answering(OK), ssl=served) as port:
        client = Client(Network(["127.0.0.1:*"], tls=lambda: ssl.create_default_context(cafile=str(PEM))))
        request = client.request(f"127.0.0.1:{port}", scheme="HTTPS")
        assert await client.send(request) == Variant("TLS-certificate-error")


async def test_tls_with_a_peer_that_speaks_none() -> None:
    async with tcp_server(answering(OK, stay=True)) as port:
        client = Client(Network([f"localhost:{port}"], tls=lambda: ssl.create_default_context(cafile=str(PEM))))
        request = client.request(f"localhost:{port}", scheme="HTTPS")
        assert (await client.send(request, client.options(connect=0.3))).case == "connection-timeout"


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


async def test_a_hundred_requests_at_once_share_the_loop() -> None:
    client = Client()
    answer = OK + b"Content-Length: 3\r\n\r\nabc"
    async with tcp_server(answering(0.05, answer)) as port:

        async def one() -> bytes:
            return await body_of(await client.get(port))

        assert await asyncio.gather(*(one() for _ in range(100))) == [b"abc"] * 100
    assert client.network.sockets.taken == 0
