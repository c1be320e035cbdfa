"""Components that serve HTTP themselves (`transport: wasi-http`), on real connections. Spec: SPEC section 12."""

from __future__ import annotations

import asyncio
import logging
import textwrap

import pytest

from tests.app.conftest import LoadApp
from tests.http.apps import WEB, endpoint
from tests.http.client import Answer, Client, ask, connected, served
from tests.wasi_net import net_guests
from wippywasm.app import App
from wippywasm.errors import DefinitionError

IMPORTS = "[wasi:io, wasi:http]"


def server(load_app: LoadApp, module: str, *, more: str = "", imports: str = IMPORTS, method: str = "handle") -> App:
    """An app whose only endpoint is a guest that serves requests."""
    wit = textwrap.indent(net_guests.world(net_guests.SERVER_WORLD), "    ")
    source = textwrap.indent(module, "    ")
    function = (
        f"- name: f\n  kind: function.wat\n  method: {method}\n  transport: wasi-http\n  imports: {imports}\n{more}"
        f"  wit: |\n{wit}\n  source: |\n{source}\n"
    )
    return load_app(WEB + function + endpoint("e", "POST", "/x/{rest...}", "f"))


def test_the_guest_gets_the_request_and_streams_its_response(load_app: LoadApp) -> None:
    app = server(load_app, net_guests.ECHO)

    async def work(client: Client) -> list[bytes]:
        await client.send("POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\n")
        status, fields = await client.head()
        assert (status, fields["transfer-encoding"]) == (201, "chunked")
        pieces = []
        for piece in (b"one", b"two"):
            await client.send(piece)
            pieces.append(await client.chunk())
        return [*pieces, await client.chunk()]

    assert served(app, work) == [b"one", b"two", b""]


def test_large_bodies_go_both_ways_at_the_pace_of_the_slower(load_app: LoadApp) -> None:
    body = bytes(range(256)) * 8192
    answer = ask(server(load_app, net_guests.ECHO), "POST", "/api/x", body)
    assert answer.status == 201
    assert answer.body == body


def test_connections_are_kept_and_instances_used_again(load_app: LoadApp) -> None:
    app = server(load_app, net_guests.ECHO, more="  pool: {type: static, workers: 1}\n")

    async def work(client: Client) -> list[bytes]:
        return [(await client.ask("POST", "/api/x", f"n{i}")).body for i in range(5)]

    assert served(app, work) == [b"n0", b"n1", b"n2", b"n3", b"n4"]


@pytest.mark.parametrize(("guest", "blamed"), [("EARLY_TRAP", "t:f"), ("SILENT", "t:e"), ("KEEPER", "t:e")])
def test_a_guest_that_fails_before_its_response_is_500_without_internals(
    guest: str, blamed: str, load_app: LoadApp, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "wippywasm.http"):
        answer = ask(server(load_app, getattr(net_guests, guest)), "POST", "/api/x")
    assert answer.problem == {"title": "Internal Server Error", "status": 500, "kind": "INTERNAL"}
    assert any(f"{blamed}: POST /api/x: " in record.getMessage() for record in caplog.records)


def test_the_error_code_of_a_guest_is_its_payload(load_app: LoadApp) -> None:
    answer = ask(server(load_app, net_guests.REFUSE), "POST", "/api/x")
    assert answer.status == 500


@pytest.mark.parametrize("guest", ["LATE_TRAP", "UNFINISHED"])
def test_a_response_that_is_not_finished_is_cut_off(guest: str, load_app: LoadApp) -> None:
    async def work(client: Client) -> None:
        await client.send("POST /api/x HTTP/1.1\r\nHost: t\r\n\r\n")
        assert (await client.head())[0] == 200
        rest = await client.reader.read()
        assert not rest.endswith(b"0\r\n\r\n")

    served(server(load_app, getattr(net_guests, guest)), work)


def test_a_client_that_goes_away_ends_the_guest(load_app: LoadApp) -> None:
    app = server(load_app, net_guests.ENDLESS)

    async def main() -> None:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                await client.send("POST /api/x HTTP/1.1\r\nHost: t\r\n\r\n")
                await client.head()
                await client.chunk()
                assert app.metrics()["t:f"].busy == 1
            while app.metrics()["t:f"].busy:
                await asyncio.sleep(0.005)

    asyncio.run(main())


def test_a_guest_that_could_not_read_requests_is_refused(load_app: LoadApp) -> None:
    with pytest.raises(DefinitionError, match="can't read without wasi:io") as error:
        server(load_app, net_guests.ECHO, imports="[wasi:http]")
    assert "[wasi:http, wasi:io]" in str(error.value)
    with pytest.raises(DefinitionError, match="can't have 'worker_class'"):
        server(load_app, net_guests.ECHO, more="  pool: {worker_class: wasm, workers: 1}\n")


def test_a_full_pool_is_503_with_retry_after(load_app: LoadApp) -> None:
    app = server(load_app, net_guests.ECHO, more="  pool: {type: static, workers: 1, buffer: 1}\n")

    async def main() -> Answer:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as one, connected(url) as two, connected(url) as three:
                for client in (one, two):
                    await client.send("POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\n")
                await one.head()
                while not app.metrics()["t:f"].queued:
                    await asyncio.sleep(0.005)
                return await three.ask("POST", "/api/x")

    answer = asyncio.run(main())
    assert (answer.status, answer.fields["retry-after"]) == (503, "1")
    assert answer.problem["kind"] == "UNAVAILABLE"
