"""The Lua module `http_client`, against servers on loopback. Spec: SPEC sections 10 and 11."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from tests.http.apps import lua
from wippywasm.app import App

PEM = Path(__file__).parent.parent / "wasi_net" / "localhost.pem"
POLICIES = """
- name: open
  kind: security.policy
  policy: {actions: ['http_client.*', funcs.call], resources: '*', effect: allow}
- name: public
  kind: security.policy
  policy: {actions: [http_client.request, funcs.call], resources: '*', effect: allow}
- name: closed
  kind: security.policy
  policy: {actions: [http_client.request], resources: '*/secret*', effect: deny}
"""
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def client(source: str, policies: str = "open") -> str:
    security = f"  security: {{actor: {{id: someone}}, policies: [{policies}]}}\n"
    function = lua("f", "local http_client = require('http_client')\nlocal url = ...\n" + source, "http_client, json")
    return POLICIES + function.replace("function main()", "function main(...)") + security


def call(app: App, serve: Serve, path: str = "/", tls: ssl.SSLContext | None = None) -> Any:
    """What `f` gives for the URL of a server."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def main() -> Any:
        server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        try:
            async with app:
                return await app.call("t:f", f"{scheme}://{host}:{port}{path}")
        finally:
            server.close()

    return asyncio.run(main())


async def read(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:-2])
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    if fields.get("transfer-encoding") == "chunked":
        body = await reader.readuntil(b"0\r\n\r\n")
    return head[0], fields, body


def answering(text: str, seen: list[Any] | None = None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read(reader)
        if seen is not None:
            seen.append(request)
        writer.write(text.encode())
        await writer.drain()

    return serve


HELLO = "HTTP/1.1 201 Created\r\nx-a: 1\r\nX-A: 2\r\nset-cookie: c=d; Path=/\r\nContent-Length: 5\r\n\r\nhello"


def test_a_response_with_all_that_it_says(load_app: LoadApp) -> None:
    seen: list[Any] = []
    source = """
        local r, err = http_client.get(url, {query = {q = "a b", n = 1}, headers = {["X-Y"] = "z"}, cookies = {k = "v"},
          auth = {user = "u", pass = "p"}, timeout = "10s"})
        if err then return nil, err end
        return {status = r.status_code, body = r.body, size = r.body_size, a = r.headers["X-A"], cookie = r.cookies.c,
          url = r.url}
    """
    result = call(load_app(client(source)), answering(HELLO, seen), "/p")
    assert result.pop("url").endswith("/p?n=1&q=a+b")
    assert result == {"status": 201, "body": "hello", "size": 5, "a": "1, 2", "cookie": "d"}
    ((line, fields, _),) = seen
    assert line == "GET /p?n=1&q=a+b HTTP/1.1"
    assert (fields["x-y"], fields["cookie"], fields["authorization"]) == ("z", "k=v", "basic dtpw")


def test_bodies_forms_and_files(load_app: LoadApp) -> None:
    source = """
        local r1 = http_client.post(url, {body = "\\xff\\0", headers = {["Content-Type"] = "x/y"}})
        local r2 = http_client.put(url, {form = {a = "1 2"}})
        local files = {{name = "f", filename = "n é\\".txt", content = "C"}}
        local r3 = http_client.request("PROPFIND", url, {form = {t = "T"}, files = files})
        local _, bad = http_client.post(url, {files = {{name = "f", filename = "a\\r\\nb: c", content = ""}}})
        return {r1.status_code, r2.status_code, r3.status_code, bad:kind()}
    """
    seen: list[Any] = []
    assert call(load_app(client(source)), answering(HELLO, seen)) == [201, 201, 201, "INVALID"]
    (line1, fields1, body1), (line2, fields2, body2), (line3, fields3, body3) = seen
    assert (line1[:4], fields1["content-type"], body1) == ("POST", "x/y", b"\xff\0")
    assert (line2[:3], fields2["content-type"], body2) == ("PUT", "application/x-www-form-urlencoded", b"a=1+2")
    assert line3.startswith("PROPFIND")
    assert fields3["content-type"].startswith("multipart/form-data")
    assert 'filename="n é\\".txt"'.encode() in body3
    assert b"\r\n\r\nC\r\n" in body3


def test_a_response_as_a_stream(load_app: LoadApp) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        writer.write(b"2\r\nde\r\n0\r\n\r\n")

    source = """
        local r = assert(http_client.get(url, {stream = true}))
        local pieces, text = {r.body_size}, ""
        while true do
          local piece = r.stream:read(2)
          if not piece then break end
          text = text .. piece
        end
        r.stream:close()
        local _, err = r.stream:read()
        return {r.body_size, text, err:kind()}
    """
    assert call(load_app(client(source)), serve) == [-1, "abcde", "INTERNAL"]


@pytest.mark.parametrize(
    ("text", "kind", "message", "retryable"),
    [
        ("", "INTERNAL", "Server disconnected", True),
        ("nonsense\r\n\r\n", "INTERNAL", "the request failed", True),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "INTERNAL", "the request failed", True),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + "x" * 99, "INVALID", "larger than 50 bytes", False),
        ("HTTP/1.1 302 Found\r\nLocation: /secret\r\nContent-Length: 0\r\n\r\n", "PERMISSION_DENIED", "may not", False),
    ],
)
def test_what_goes_wrong(text: str, kind: str, message: str, retryable: bool, load_app: LoadApp) -> None:
    source = """
        local _, err = http_client.get(url, {max_response_body = 50})
        return {err:kind(), err:message(), err:retryable()}
    """
    result = call(load_app(client(source, "open, closed")), answering(text))
    assert (result[0], result[2]) == (kind, retryable)
    assert message in result[1]


def test_one_that_does_not_answer_in_time(load_app: LoadApp) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    source = "local _, err = http_client.get(url, {timeout = 0.1}); return {err:message(), err:retryable()}"
    assert call(load_app(client(source)), serve) == ["the request failed: no answer in time", True]


@pytest.mark.parametrize(
    ("policies", "words"), [("public", "http_client.private_ip"), ("closed, public", "t:closed denies it")]
)
def test_policies_decide_what_is_reached(policies: str, words: str, load_app: LoadApp) -> None:
    seen: list[Any] = []
    source = "local _, err = http_client.get(url); return {err:kind(), err:message()}"
    path = "/secret/x" if "closed" in policies else "/"
    kind, message = call(load_app(client(source, policies)), answering(HELLO, seen), path)
    assert kind == "PERMISSION_DENIED"
    assert words in message
    assert not seen


def test_without_a_scope_no_private_address_is_reached_by_whatever_name(
    load_app: LoadApp, caplog: pytest.LogCaptureFixture
) -> None:
    source = """
        local http_client, kinds = require("http_client"), {}
        local hosts = {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "10.0.0.1", "169.254.169.254"}
        for i, host in ipairs(hosts) do
          local _, err = http_client.get("http://" .. host .. ":1/", {timeout = 5})
          kinds[i] = err:kind()
        end
        return kinds
    """
    app = load_app(lua("f", source, "http_client"))

    async def main() -> Any:
        async with app:
            return await app.call("t:f")

    kinds = asyncio.run(main())
    assert set(kinds) == {"PERMISSION_DENIED"}, kinds
    audited = [record.getMessage() for record in caplog.records if record.name == "wippywasm.audit"]
    assert len(audited) >= len(kinds)
    assert app.guard.denials["http_client.private_ip"] == len(audited)


def test_certificates_are_checked(load_app: LoadApp) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    certificate = PEM.read_text()
    ca = certificate[certificate.index("-----BEGIN CERTIFICATE") :]
    ca = ca[: ca.index("-----END CERTIFICATE-----") + 25].replace("\n", "\\n")
    source = f"""
        local _, err = http_client.get(url)
        local known = http_client.get(url, {{tls = {{ca = "{ca}"}}}})
        local _, other = http_client.get(url, {{tls = {{ca = "{ca}", server_name = "other.example"}}}})
        local any = http_client.get(url, {{tls = {{insecure_skip_verify = true}}}})
        local _, bad = http_client.get(url, {{tls = {{ca = "nonsense"}}}})
        return {{err:message(), known and known.status_code, other:message(), any and any.status_code, bad:kind()}}
    """
    untrusted, known, other, insecure, bad = call(load_app(client(source)), answering(HELLO), tls=context)
    assert "certificate" in untrusted.lower()
    assert (known, insecure, bad) == (201, 201, "INVALID")
    assert "certificate" in other.lower()


def test_a_batch_has_its_answers_by_place(load_app: LoadApp) -> None:
    source = """
        local requests = {{"GET", url}, {"GET", "ftp://x"}, {"POST", url, {body = "b"}}}
        local responses, errors = http_client.request_batch(requests)
        local all, none = http_client.request_batch({{"GET", url}})
        return {responses[1].status_code, responses[2] == nil, responses[3].body, errors[1] == nil, errors[2]:kind(),
          all[1].body, none == nil}
    """
    assert call(load_app(client(source)), answering(HELLO)) == [201, True, "hello", True, "INVALID", "hello", True]


def test_options_that_are_none_are_named(load_app: LoadApp) -> None:
    source = """
        local said = {}
        for i, options in ipairs({{header = {}}, {body = "x", form = {}}, {timeout = -1}, {headers = {["a b"] = "c"}},
            {headers = {a = "b\\r\\nc: d"}}, {auth = {}}, {files = {{name = "f"}}}, {tls = {cert = "x"}}, 7}) do
          local _, err = http_client.get("http://127.0.0.1:1/", options)
          said[i] = err:kind() .. " " .. err:message()
        end
        for i, url in ipairs({"\\xff", "http://\\xff/"}) do
          local _, err = http_client.get(url)
          said[#said + 1] = err:kind() .. " " .. err:message()
        end
        return said
    """

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...

    said = call(load_app(client(source)), never)
    assert all(text.startswith("INVALID http_client: ") for text in said), said
    assert "did you mean 'headers'?" in said[0]
    assert all("text in UTF-8" in text for text in said[-2:]), said


def test_texts_of_urls(load_app: LoadApp) -> None:
    source = """
        local _, err = http_client.decode_uri("%zz")
        return {http_client.encode_uri("a b&é/"), http_client.decode_uri("a+b%26%C3%A9"), err:kind()}
    """

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...

    assert call(load_app(client(source)), never) == ["a+b%26%C3%A9%2F", "a b&é", "INVALID"]
