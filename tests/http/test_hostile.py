"""Clients that mean no good, on real connections: the service answers or closes, and goes on. Spec: SPEC section 12."""

from __future__ import annotations

import asyncio

import pytest

from tests.app.conftest import LoadApp
from tests.http.apps import ROUTER, endpoint, lua
from tests.http.client import Client, connected
from wippywasm.app import App

QUICK = "\n- {name: web, kind: http.service, addr: '127.0.0.1:0', timeouts: {read: 200ms, idle: 200ms}}\n"
PATIENT = "\n- {name: web, kind: http.service, addr: '127.0.0.1:0', limits: {max_header_kb: 8}}\n"


def echo(load_app: LoadApp, service: str) -> App:
    source = "local req = require('http').request(); local body, err = req:body(); return err and nil or body, err"
    return load_app(service + ROUTER + lua("f", source) + endpoint("e", "POST", "/x", "f"))


def after(app: App, attack: str | bytes, *, closes: bool = True) -> tuple[int | None, bool]:
    """The status that a client gets for what it sends, None for none, and whether another is served after it."""

    async def attempt(client: Client) -> int | None:
        await client.send(attack)
        try:
            status = (await client.answer()).status
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        assert not closes or await client.is_closed()
        return status

    async def main() -> tuple[int | None, bool]:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                status = await attempt(client)
            async with connected(url) as client:
                return status, (await client.ask("POST", "/api/x", "ok")).text == "ok"

    return asyncio.run(main())


HEAD = "POST /api/x HTTP/1.1\r\nHost: t\r\n"


@pytest.mark.parametrize(
    ("attack", "status"),
    [
        ("nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64 + b"\r\n\r\n", 400),
        ("POST /api/x HTTP/9.9\r\nHost: t\r\n\r\n", 400),
        (f"{HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 400),
        (f"{HEAD}Content-Length: -1\r\n\r\n", 400),
        (f"{HEAD}Content-Length: 0x2\r\n\r\nab", 400),
        (f"{HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (f"{HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        (f"{HEAD}X : y\r\n\r\n", 400),
        (f"{HEAD}X\x00: y\r\n\r\n", 400),
        (f"{HEAD} folded: y\r\n\r\n", 400),
        (f"POST /{'a' * 9000} HTTP/1.1\r\nHost: t\r\n\r\n", 400),
        (f"{HEAD}X: {'a' * 9000}\r\n\r\n", 400),
        (HEAD + "".join(f"X{i}: y\r\n" for i in range(5000)) + "\r\n", 400),
        (f"{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n", 400),
        (f"{HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nabXX0\r\n\r\n", 400),
    ],
)
def test_what_is_not_http_is_refused_and_the_connection_ended(
    attack: str | bytes, status: int, load_app: LoadApp
) -> None:
    assert after(echo(load_app, PATIENT), attack) == (status, True)


@pytest.mark.parametrize(
    "attack", ["", "POST /api/x HT", HEAD, HEAD + "X: y\r\nY", f"{HEAD}Content-Length: 1\r\n\r\nx"], ids=range(5)
)
def test_a_client_that_sends_nothing_more_is_let_go(attack: str, load_app: LoadApp) -> None:
    status, goes_on = after(echo(load_app, QUICK), attack)
    assert goes_on
    assert status == (200 if attack.endswith("x") else None)


@pytest.mark.parametrize("framing", ["Content-Length: 9\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"])
def test_a_body_that_does_not_come_is_408(framing: str, load_app: LoadApp) -> None:
    assert after(echo(load_app, QUICK), HEAD + framing) == (408, True)


def test_headers_that_come_byte_by_byte_have_no_more_time(load_app: LoadApp) -> None:
    app = echo(load_app, QUICK)

    async def main() -> None:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                await client.send(f"{HEAD}X: ")
                closed = asyncio.create_task(client.is_closed())
                while not closed.done():
                    try:
                        await client.send("y")
                    except ConnectionError:
                        break
                    await asyncio.sleep(0.01)
                assert await closed

    asyncio.run(main())


def test_a_client_that_leaves_in_the_middle_of_its_body(load_app: LoadApp) -> None:
    app = echo(load_app, PATIENT)

    async def main() -> str:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                await client.send(f"{HEAD}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n")
                assert (await client.head())[0] == 100
                await client.send("some")
            while app.metrics()["t:f"].busy:
                await asyncio.sleep(0.005)
            async with connected(url) as client:
                return (await client.ask("POST", "/api/x", "ok")).text

    assert asyncio.run(main()) == "ok"


def test_requests_in_a_row_are_answered_in_a_row(load_app: LoadApp) -> None:
    app = echo(load_app, PATIENT)

    async def main() -> list[str]:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                await client.send("".join(f"{HEAD}Content-Length: 1\r\n\r\n{i}" for i in range(9)))
                return [(await client.answer()).text for _ in range(9)]

    assert asyncio.run(main()) == [str(i) for i in range(9)]
