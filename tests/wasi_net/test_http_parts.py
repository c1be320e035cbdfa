"""The parts of `wasi:http`: fields, requests, bodies, and what arbitrary bytes from a peer do."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wasi_net.http_client import OK, Client, answering
from tests.wasi_net.net_peers import code, local_network, tcp_server
from wippywasm.errors import Trap
from wippywasm.values import Err, Variant
from wippywasm.wasi.http import HttpLimits
from wippywasm.wasi.http.bodies import IncomingBody
from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.http.download import Download
from wippywasm.wasi.http.incoming import MAX_INFORMATIONAL, ResponseOutparam
from wippywasm.wasi.http.names import FORBIDDEN, Authority, parse_authority
from wippywasm.wasi.http.transport import Transport
from wippywasm.wasi.network import Quotas

SYNTAX, DENIED, FIXED = Variant("invalid-syntax"), Variant("forbidden"), Variant("immutable")


def fields(*entries: tuple[str, bytes]) -> Any:
    return Client().types.fields.from_list(entries)


def test_fields_compare_without_case_and_keep_their_spelling() -> None:
    f = fields(("Accept", b"a"), ("X-B", b""), ("accept", b"b"))
    assert f.get("ACCEPT") == [b"a", b"b"]
    assert f.get("x-b") == [b""]
    assert f.get("nothing") == f.get("not a name") == []
    assert f.has("x-B")
    assert not f.has("\n")
    assert f.entries() == [("Accept", b"a"), ("X-B", b""), ("accept", b"b")]
    f.set("aCCept", [b"c", b"d"])
    f.append("X-B", b"\xff\t")
    assert f.entries() == [("X-B", b""), ("aCCept", b"c"), ("aCCept", b"d"), ("X-B", b"\xff\t")]
    f.delete("x-b")
    f.delete("missing")
    f.set("accept", [])
    assert f.entries() == []


def test_a_clone_can_be_changed_and_is_another() -> None:
    client = Client()
    request = client.types.outgoing_request(client.types.fields.from_list([("a", b"1")]))
    headers = request.headers()
    copy = headers.clone()
    copy.append("a", b"2")
    assert headers.entries() == [("a", b"1")]
    for change in (lambda: headers.append("b", b""), lambda: headers.set("b", []), lambda: headers.delete("a")):
        assert code(change) == FIXED
    with pytest.raises(Trap, match="depend on it"):
        request.drop()
    for handle in (headers, copy, request):
        handle.drop()
    assert client.fields.taken == client.messages.taken == 0


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä", "a\0", "(x)", "x" * 2000])
def test_names_that_are_none(name: str) -> None:
    f = fields()
    for call in (
        lambda: f.append(name, b""),
        lambda: f.set(name, []),
        lambda: f.delete(name),
        lambda: fields((name, b"")),
    ):
        assert code(call) == SYNTAX


@pytest.mark.parametrize("value", [b"a\r\nb", b"\n", b"\0", b"\x7f", b"\x1b"])
def test_values_that_are_none(value: bytes) -> None:
    f = fields()
    for call in (lambda: f.append("a", value), lambda: f.set("a", [b"fine", value]), lambda: fields(("a", value))):
        assert code(call) == SYNTAX
    assert f.entries() == []


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_names_that_belong_to_connections(name: str) -> None:
    f = fields()
    for call in (lambda: f.append(name.title(), b""), lambda: f.set(name, []), lambda: fields((name.upper(), b""))):
        assert code(call) == DENIED


def test_fields_are_bounded() -> None:
    f = fields()
    with pytest.raises(Trap, match="more HTTP fields"):
        f.set("a", [b"x"] * 1025)
    with pytest.raises(Trap, match="more HTTP fields"):
        fields(*[("not a name", b"")] * 1025)
    with pytest.raises(Trap, match="more HTTP fields"):
        f.append("a", bytes(b"x" * 200_000))
    client = Client(local_network(quotas=Quotas(field_bytes=300_000)))
    kept = [client.types.fields.from_list([("a", b"x" * 100_000)]) for _ in range(2)]
    with pytest.raises(Trap, match="more HTTP fields"):
        kept[0].clone()
    kept.pop().drop()
    kept[0].clone()


def test_messages_are_bounded() -> None:
    client = Client(local_network(quotas=Quotas(messages=2)))
    first = client.types.outgoing_request(client.types.fields())
    client.types.outgoing_response(client.types.fields())
    with pytest.raises(Trap, match="more HTTP messages"):
        client.types.outgoing_request(client.types.fields())
    first.drop()
    client.types.outgoing_request(client.types.fields())


def test_requests_keep_what_is_set() -> None:
    client = Client()
    request = client.types.outgoing_request(client.types.fields())
    assert request.method() == Variant("get")
    assert (request.scheme(), request.authority(), request.path_with_query()) == (None, None, None)
    request.set_method(Variant("other", "PURGE"))
    request.set_scheme(Variant("other", "x+y"))
    request.set_authority("[::1]:80")
    request.set_path_with_query("/a?b=%20")
    assert (request.method(), request.scheme()) == (Variant("other", "PURGE"), Variant("other", "x+y"))
    assert (request.authority(), request.path_with_query()) == ("[::1]:80", "/a?b=%20")
    assert code(request.set_scheme, Variant("other", "1")) is None
    options = client.types.request_options()
    options.set_connect_timeout(5)
    options.set_connect_timeout(None)
    options.set_first_byte_timeout(7)
    assert (options.connect_timeout(), options.first_byte_timeout(), options.between_bytes_timeout()) == (None, 7, None)


def test_responses_have_a_final_status() -> None:
    response = Client().types.outgoing_response(fields())
    assert response.status_code() == 200
    response.set_status_code(599)
    for status in (0, 100, 199, 600, 65535):
        assert code(response.set_status_code, status) is None
    assert response.status_code() == 599


def test_a_body_that_nobody_sends_is_bounded() -> None:
    client = Client(buffer=1000)
    request = client.request("localhost:1", method="post")
    body = request.body()
    stream = body.write()
    assert stream.check_write() == 1000
    stream.write(bytes(1000))
    assert stream.check_write() == 0
    assert not stream.subscribe().ready()
    request.drop()
    assert code(stream.check_write) == Variant("closed")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Example.com", Authority("example.com", None)),
        ("example.com.:8080", Authority("example.com", 8080)),
        ("127.0.0.1:1", Authority("127.0.0.1", 1)),
        ("[::1]", Authority("::1", None)),
        ("[2001:db8::1]:443", Authority("2001:db8::1", 443)),
        ("a_b:80", Authority("a_b", 80)),
    ],
)
def test_authorities(text: str, expected: Authority) -> None:
    assert parse_authority(text) == expected


class Scripted:
    """A peer's bytes in pieces, then the end."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = [p for p in pieces if p]

    def receive(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def received(pieces: list[bytes]) -> Any:
    """What a download makes of a peer's bytes."""
    limits = HttpLimits(head=400, fields=8, response=1000)
    download = Download("GET", limits)
    peer = cast("Transport", Scripted(pieces))
    try:
        while not download.done:
            download.advance(peer)
            assert len(download.body) <= limits.buffer
    except HttpError as error:
        return Err(error.code.case)
    assert download.head is not None
    assert download.decoder is not None
    return download.head, bytes(download.body), download.decoder.trailers


PARTS = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200\r\n", b"HTTP/1.1 100 C\r\n", b"\r\n", b"\r", b"\n", b"\r\n\r\n"),
        *(b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"a: b\r\n"),
        *(b"3\r\nabc\r\n", b"0\r\n", b"abc", b"3;x\r\n"),
    ]
)


@settings(max_examples=150)
@given(st.lists(PARTS | st.binary(max_size=8), max_size=14))
def test_any_bytes_are_a_response_or_refused_however_they_are_cut(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    at_once = received([whole])
    bytewise = received([whole[i : i + 1] for i in range(len(whole))])
    assert at_once == bytewise


@settings(max_examples=100)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.integers(1, 40))
def test_chunks_come_out_as_they_went_in(chunks: list[bytes], size: int) -> None:
    wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire += b"".join(b"%X\r\n%b\r\n" % (len(c), c) for c in chunks) + b"0\r\nt: 1\r\n\r\n"
    head, body, trailers = received([wire[i : i + size] for i in range(0, len(wire), size)])
    assert head.status == 200
    assert body == b"".join(chunks)
    assert trailers == [("t", b"1")]


def test_what_a_peer_gave_is_counted_until_the_guest_lets_go_of_it() -> None:
    client = Client(local_network(quotas=Quotas(messages=4)))

    async def asking() -> None:
        async with tcp_server(answering(OK + b"Content-Length: 5\r\n\r\nhello")) as port:
            first = await client.get(port)
            second = (await client.get(port)).consume()
            third = await client.get(1)
            assert (third, client.messages.taken) == (Variant("connection-refused"), 2)
            body = (await client.get(port)).consume()
            refused = client.request(f"127.0.0.1:{port}")
            assert code(client.handler.handle, refused, None) == Variant("connection-limit-reached")
            assert client.network.sockets.taken == 0
            trailers = IncomingBody.finish(body)
            body.drop()
            assert client.messages.taken == 3
            for held in (first, second, trailers):
                held.drop()
        assert client.messages.taken == 0

    asyncio.run(asking())


def test_a_body_that_nobody_takes_keeps_nothing() -> None:
    request = Client().request("127.0.0.1:1", method="post")
    stream = request.body().write()
    permitted = stream.check_write()
    pipe = request.pipe
    request.drop()
    assert code(stream.write, bytes(permitted)) == Variant("closed")
    assert (pipe.take(permitted), pipe.written) == (b"", 0)


def test_few_responses_are_sent_ahead() -> None:
    client, ahead = Client(), list[tuple[int, Any]]()
    out = ResponseOutparam(lambda answer: None, lambda status, entries: ahead.append((status, entries)))
    for _ in range(MAX_INFORMATIONAL):
        out.send_informational(103, client.types.fields.from_list([("Link", b"x")]))
    assert ahead == [(103, [("Link", b"x")])] * MAX_INFORMATIONAL
    for status in (103, 101, 200, 99):
        assert code(out.send_informational, status, client.types.fields()).case == "HTTP-protocol-error"
    assert client.fields.taken == 0
    out.drop()
