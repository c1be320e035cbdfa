"""What is refused: malformed and oversized answers of peers, and requests that can't be sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wasi_net.http_client import OK, Client, answering
from tests.wasi_net.net_peers import async_code, code, read_all, tcp_server
from wippywasm.values import Variant

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
