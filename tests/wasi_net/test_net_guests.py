"""Guests in WebAssembly that use sockets and HTTP, on each engine, with and without an event loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.wasi.conftest import Load
from tests.wasi_net import net_guests
from tests.wasi_net.http_client import answering
from tests.wasi_net.net_peers import all_given_back, echo, tcp_server, threaded_server
from wippywasm.errors import InternalError, PermissionDeniedError, Trap
from wippywasm.instance.offered import offered_types
from wippywasm.wasi import Wasi
from wippywasm.wasi.http import RequestHead, ServedResponse, serve_request
from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.sockets.codes import ERROR_CODES

HEAD = RequestHead("POST", "/x?y", "http", "localhost", [("A", b"b")])
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ACCESS_DENIED = 1
IP_PROHIBITED = b"A"[0] + 4


def tcp_guest(load: Load, wasi: Wasi) -> Any:
    return load(net_guests.TCP, wit=net_guests.world(net_guests.TCP_WORLD)).instantiate(
        wasi.imports(["wasi:io", "wasi:sockets"])
    )


def get_guest(load: Load, wasi: Wasi) -> Any:
    return load(net_guests.GET, wit=net_guests.world(net_guests.GET_WORLD)).instantiate(
        wasi.imports(["wasi:io", "wasi:http"])
    )


def server_guest(load: Load, source: str) -> Any:
    component = load(source, wit=net_guests.world(net_guests.SERVER_WORLD))
    return component.instantiate(Wasi().imports(["wasi:io", "wasi:http"]))


def test_tcp_without_a_loop(load: Load) -> None:
    with threaded_server(echo) as port, tcp_guest(load, Wasi(network=[f"127.0.0.1:{port}"])) as guest:
        assert guest.call("echo", port, b"hello") == b"hello"
        assert guest.call("try-connect", port + 1) == ACCESS_DENIED


async def test_tcp_beside_others(load: Load) -> None:
    wasi = Wasi(network=["127.0.0.1:*"])
    guests = [tcp_guest(load, wasi) for _ in range(10)]
    async with tcp_server(echo) as port:
        answers = await asyncio.gather(*(g.call_async("echo", port, b"%d" % i) for i, g in enumerate(guests)))
        assert answers == [b"%d" % i for i in range(10)]
    for guest in guests:
        guest.close()
    await all_given_back(wasi.network)


async def test_a_guest_that_drops_in_the_wrong_order_traps_and_leaves_nothing(load: Load) -> None:
    wasi = Wasi(network=["127.0.0.1:*"])
    async with tcp_server(echo) as port:
        guest = tcp_guest(load, wasi)
        with pytest.raises(Trap, match="depend on it"):
            await guest.call_async("wrong-order", port)
        guest.close()
    await all_given_back(wasi.network)


def test_what_is_not_granted_is_denied(load: Load) -> None:
    component = load(net_guests.TCP, wit=net_guests.world(net_guests.TCP_WORLD))
    wasi = Wasi(network=["127.0.0.1:*"])
    guest = component.instantiate(wasi.imports(["wasi:io", "wasi:http"]), undeclared="deny")
    with guest, pytest.raises(PermissionDeniedError, match="wasi:sockets"):
        guest.call("echo", 1, b"")


def test_requests_without_a_loop(load: Load) -> None:
    with threaded_server(answering(ANSWER)) as port:
        with get_guest(load, Wasi(network=[f"127.0.0.1:{port}"])) as guest:
            assert guest.call("get", b"127.0.0.1:%d" % port) == b"hello"
        with get_guest(load, Wasi()) as guest:
            assert guest.call("get", b"127.0.0.1:%d" % port) == bytes([IP_PROHIBITED])


async def test_requests_beside_others(load: Load) -> None:
    wasi = Wasi(network=["127.0.0.1:*"])
    guests = [get_guest(load, wasi) for _ in range(10)]
    async with tcp_server(answering(0.02, ANSWER)) as port:
        assert await asyncio.gather(*(g.call_async("get", b"127.0.0.1:%d" % port) for g in guests)) == [b"hello"] * 10
    for guest in guests:
        guest.close()
    await all_given_back(wasi.network)


async def test_a_cancelled_request_leaves_no_connection(load: Load) -> None:
    wasi = Wasi(network=["127.0.0.1:*"])
    async with tcp_server(answering(60.0)) as port:
        guest = get_guest(load, wasi)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(guest.call_async("get", b"127.0.0.1:%d" % port), 0.1)
        guest.close()
    await all_given_back(wasi.network)


async def served(load: Load, source: str, body: Any = b"") -> tuple[int, bytes]:
    with server_guest(load, source) as guest:
        async with await serve_request(guest, HEAD, body) as response:
            return response.status, await response.read()


async def test_a_guest_serves(load: Load) -> None:
    assert await served(load, net_guests.ECHO, b"a body") == (201, b"a body")
    assert await served(load, net_guests.ECHO) == (201, b"")


async def test_bodies_stream_through_a_guest(load: Load) -> None:
    parts: asyncio.Queue[bytes] = asyncio.Queue()

    async def fetch(limit: int) -> bytes:
        return await parts.get()

    with server_guest(load, net_guests.ECHO) as guest:
        response = await serve_request(guest, HEAD, fetch)
        assert response.status == 201
        body = response.body()
        for part in (b"one", b"two"):
            parts.put_nowait(part)
            assert await asyncio.wait_for(body.__anext__(), 5) == part
        parts.put_nowait(b"")
        with pytest.raises(StopAsyncIteration):
            await body.__anext__()
        await response.wait()
        await response.close()


async def test_megabytes_through_a_guest(load: Load) -> None:
    left = [bytes([i]) * 50_000 for i in range(40)]
    everything = b"".join(left)

    async def fetch(limit: int) -> bytes:
        await asyncio.sleep(0)
        return left.pop(0) if left else b""

    assert await served(load, net_guests.ECHO, fetch) == (201, everything)


async def test_an_error_instead_of_a_response(load: Load) -> None:
    with server_guest(load, net_guests.REFUSE) as guest, pytest.raises(HttpError) as caught:
        await serve_request(guest, HEAD)
    assert caught.value.code.case == "HTTP-request-denied"


@pytest.mark.parametrize("source", ["SILENT", "KEEPER"])
async def test_no_response_at_all(load: Load, source: str) -> None:
    guest = server_guest(load, getattr(net_guests, source))
    with guest, pytest.raises(InternalError, match="without a response"):
        await serve_request(guest, HEAD)


async def test_a_trap_before_the_response(load: Load) -> None:
    with server_guest(load, net_guests.EARLY_TRAP) as guest, pytest.raises(Trap, match="unreachable"):
        await serve_request(guest, HEAD)


async def rest(response: ServedResponse) -> list[bytes]:
    found: list[bytes] = []
    try:
        async for part in response.body():
            found.append(part)
    finally:
        await response.close()
    return found


@pytest.mark.parametrize(("source", "match"), [("LATE_TRAP", "unreachable"), ("WRONG_ORDER", "before its stream")])
async def test_a_trap_after_the_response(load: Load, source: str, match: str) -> None:
    with server_guest(load, getattr(net_guests, source)) as guest, pytest.raises(Trap, match=match):
        await rest(await serve_request(guest, HEAD))


async def test_a_body_that_is_not_finished(load: Load) -> None:
    with server_guest(load, net_guests.UNFINISHED) as guest, pytest.raises(InternalError, match="did not finish"):
        await rest(await serve_request(guest, HEAD))


async def test_an_endless_response_waits_for_its_reader_and_ends_with_it(load: Load) -> None:
    with server_guest(load, net_guests.ENDLESS) as guest:
        response = await serve_request(guest, HEAD)
        body = response.body()
        for _ in range(5):
            assert len(await body.__anext__()) <= 1 << 16
        await asyncio.sleep(0.05)
        await response.close()


def test_the_codes_are_those_of_the_wit() -> None:
    create = offered_types()["wasi:sockets/tcp-create-socket"].functions["create-tcp-socket"]
    codes: Any = create.result
    assert set(codes.err.names) == ERROR_CODES
