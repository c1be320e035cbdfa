"""Services that speak TLS: their certificate, those of clients, other certificates while the app runs."""

from __future__ import annotations

import asyncio
import ssl
import textwrap
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.app.conftest import LoadApp
from tests.http.apps import ROUTER, endpoint, lua
from tests.http.client import Client
from wippywasm.app import App
from wippywasm.errors import DefinitionError

PEM = Path(__file__).parent.parent / "wasi_net" / "localhost.pem"
FILES = {"pem__web_dot_pem": PEM.read_bytes()}
HANDLER = lua("f", 'return "hello"') + endpoint("e", "GET", "/x", "f")


def service(*more: str) -> str:
    fields = ", ".join(("mode: manual", *more))
    return f"- {{name: web, kind: http.service, addr: '127.0.0.1:0', tls: {{{fields}}}}}\n" + ROUTER + HANDLER


PAIR = ("cert: 'file://pem/web.pem'", "key: 'file://pem/web.pem'")


async def said(app: App, *, shows: bool = False) -> bytes:
    """What a client that trusts the certificate is answered."""
    where = urlsplit(app.addresses["t:web"])
    assert where.scheme == "https"
    context = ssl.create_default_context(cafile=str(PEM))
    if shows:
        context.load_cert_chain(PEM)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=context, server_hostname="localhost")
    try:
        return (await Client(reader, writer).ask("GET", "/api/x")).body
    finally:
        writer.close()


def test_a_service_with_a_certificate(load_app: LoadApp) -> None:
    async def go() -> None:
        async with load_app(service(*PAIR), **FILES) as app:
            assert await said(app) == b"hello"
            where = urlsplit(app.addresses["t:web"])
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(b"GET /api/x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.read() == b"", "what is no TLS is not answered"
            writer.close()

    asyncio.run(go())


def test_certificates_in_place_and_from_variables(load_app: LoadApp) -> None:
    text = PEM.read_text().partition("\n")[2].replace("\n", "\\n")
    variables = f"""\
- {{name: memory, kind: env.storage.memory}}
- {{name: pem, kind: env.variable, variable: PEM, storage: memory, default: "{text}"}}
"""
    entries = variables + service("cert: '${env:PEM}'", f'key: "{text}"')

    async def go() -> None:
        async with load_app(entries) as app:
            assert await said(app) == b"hello"

    asyncio.run(go())


@pytest.mark.parametrize(("asks", "without"), [("verify_if_given", True), ("require_and_verify", False)])
def test_clients_show_certificates(load_app: LoadApp, asks: str, without: bool) -> None:
    entries = service(*PAIR, "client_ca: 'file://pem/web.pem'", f"client_auth: {asks}")

    async def go() -> None:
        async with load_app(entries, **FILES) as app:
            assert await said(app, shows=True) == b"hello"
            if without:
                assert await said(app) == b"hello"
            else:
                with pytest.raises((OSError, asyncio.IncompleteReadError)):
                    await said(app)

    asyncio.run(go())


def test_other_certificates_take_the_place_of_the_first(load_app: LoadApp) -> None:
    async def go() -> None:
        async with load_app(service(*PAIR), **FILES) as app:
            before = app.addresses["t:web"]
            entry = dict(app.registry.get("t:web"))
            clients = {"client_ca": "file://pem/web.pem", "client_auth": "require_and_verify"}
            entry["data"] = {**entry["data"], "tls": {**entry["data"]["tls"], **clients}}
            await app.registry.changes().update(entry).apply()
            assert app.addresses["t:web"] == before, "on the same port"
            with pytest.raises((OSError, asyncio.IncompleteReadError)):
                await said(app)
            assert await said(app, shows=True) == b"hello"

    asyncio.run(go())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("cert: x",), "field 'tls.key': required where mode is manual"),
        (("cert: nonsense", "key: nonsense"), "field 'tls.cert': the certificate and the key can't be used"),
        (
            (*PAIR, "client_auth: require_and_verify"),
            "field 'tls.client_ca': client_ca and client_auth are given together",
        ),
        (
            (*PAIR, "client_ca: x", "client_auth: verify_if_given"),
            "field 'tls.client_ca': there is no certificate in it",
        ),
        ((*PAIR, "client_ca: x", "client_auth: request"), "not available yet"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(load_app: LoadApp, fields: tuple[str, ...], words: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_app(service(*fields), **FILES)
    assert words in textwrap.dedent(str(caught.value)), str(caught.value)


def test_none_at_all(load_app: LoadApp) -> None:
    async def go() -> None:
        async with load_app(service(*PAIR).replace("mode: manual", "mode: ''"), **FILES) as app:
            assert app.addresses["t:web"].startswith("http://")

    asyncio.run(go())
