"""Whom requests of guests may reach, how long that may take, how many at once; TLS."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.wasi_net.http_client import OK, Client, answering, body_of
from tests.wasi_net.net_peers import async_code, code, local_network, tcp_server
from wippywasm.values import Variant
from wippywasm.wasi.network import Decision, Network, Quotas

PEM = Path(__file__).parent / "localhost.pem"


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


DRIPS = [part for _ in range(4000) for part in (0.01, b"a")]


@pytest.mark.parametrize(
    "parts",
    [
        (OK + b"Content-Length: 100000\r\n\r\n", *DRIPS),
        (OK + b"\r\n", *DRIPS),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", *(b"1\r\na\r\n" if p == b"a" else p for p in DRIPS)),
        (OK, *(b"A: b\r\n" if p == b"a" else p for p in DRIPS)),
    ],
)
async def test_a_peer_that_goes_on_and_on_ends_by_timeout(parts: Any) -> None:
    client = Client(total_timeout=0.3, first_byte_timeout=60.0, fields=10_000)
    async with tcp_server(answering(*parts)) as port:
        outcome = await asyncio.wait_for(client.get(port), 30)
        if not isinstance(outcome, Variant):
            outcome = client.code_behind(await asyncio.wait_for(async_code(body_of(outcome)), 30))
        assert outcome == Variant("HTTP-response-timeout")
    assert client.network.sockets.taken == 0


async def test_a_guest_that_never_ends_its_request_ends_by_timeout() -> None:
    client = Client(total_timeout=0.3)
    async with tcp_server(answering(b"", stay=True)) as port:
        request = client.request(f"127.0.0.1:{port}", method="post")
        body = request.body()
        assert await asyncio.wait_for(client.send(request), 30) == Variant("HTTP-response-timeout")
        body.drop()
    assert client.network.sockets.taken == 0


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


async def test_connections_are_counted() -> None:
    client = Client(local_network(quotas=Quotas(sockets=1)))
    async with tcp_server(answering(OK + b"Content-Length: 9\r\n\r\n", stay=True)) as port:
        response = await client.get(port)
        refused = client.request(f"127.0.0.1:{port}")
        assert code(client.handler.handle, refused, None) == Variant("connection-limit-reached")
        response.drop()
        (await client.get(port)).drop()


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


async def test_a_hundred_requests_at_once_share_the_loop() -> None:
    client = Client()
    answer = OK + b"Content-Length: 3\r\n\r\nabc"
    async with tcp_server(answering(0.05, answer)) as port:

        async def one() -> bytes:
            return await body_of(await client.get(port))

        assert await asyncio.gather(*(one() for _ in range(100))) == [b"abc"] * 100
    assert client.network.sockets.taken == 0
