"""A service: what it listens on, what it refuses, what it bounds, how it ends. Spec: SPEC sections 2 and 12."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys

import pytest

from tests.app.conftest import LoadApp
from tests.http.apps import ROUTER, SERVICE, WEB, endpoint, lua, wat
from tests.http.client import Answer, Client, ask, connected, served
from wippywasm.app import App
from wippywasm.errors import UnavailableError

WAITS = lua("wait", "require('http').request():body(); return 'done'")
SPIN = wat("spin", "spin: func();", "spin", '(module (func (export "spin") (loop $l (br $l))))')


def hello(service: str = SERVICE, source: str = "return 'hello'") -> str:
    return service + ROUTER + lua("f", source) + endpoint("e", "GET", "/x", "f")


@pytest.mark.parametrize("addr", ["127.0.0.1:0", ":0", "localhost:0"])
def test_it_listens_where_it_is_told_to(addr: str, load_app: LoadApp) -> None:
    service = f"\n- {{name: web, kind: http.service, addr: '{addr}'}}\n"
    app = load_app(hello(service, "return (require('http').request():remote_addr():gsub(':%d+$', ''))"))
    assert not app.addresses
    answer = ask(app, "GET", "/api/x")
    assert (answer.status, answer.text in ("127.0.0.1", "[::1]")) == (200, True)
    assert not app.addresses


def test_a_port_in_use_is_one_clear_error_and_nothing_is_left(load_app: LoadApp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        two = "\n- {name: first, kind: http.service, addr: '127.0.0.1:0'}"
        app = load_app(f"{two}\n- {{name: web, kind: http.service, addr: '127.0.0.1:{port}'}}\n")
        with pytest.raises(UnavailableError) as error:
            asyncio.run(app.start())
    assert str(error.value) == (
        f"t:web can't listen on 127.0.0.1:{port}: the address is in use "
        "(end what listens there, or choose another port: -o t:web:addr=:0)"
    )
    assert not app.addresses


def test_one_that_is_not_to_start_does_not(load_app: LoadApp) -> None:
    app = load_app(hello("\n- {name: web, kind: http.service, addr: ':0', lifecycle: {auto_start: false}}\n"))

    async def main() -> dict[str, str]:
        async with app:
            return dict(app.addresses)

    assert asyncio.run(main()) == {}


def test_methods_and_paths_that_are_not_there(load_app: LoadApp) -> None:
    app = load_app(hello() + endpoint("p", "POST", "/x", "f"))

    async def work(client: Client) -> list[Answer]:
        asked = [
            ("PUT", "/api/x"),
            ("OPTIONS", "/api/x"),
            ("HEAD", "/api/x"),
            ("GET", "/api/y"),
            ("GET", "/"),
            ("GET", "/%zz"),
        ]
        return [await client.ask(*what) for what in asked]

    put, options, head, missing, nowhere, bad = served(app, work)
    assert (put.status, put.fields["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert put.problem == {"title": "Method Not Allowed", "status": 405}
    assert (options.status, options.fields["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (head.status, head.fields["content-length"], head.body) == (200, "5", b"")
    assert (missing.problem["status"], nowhere.problem["status"]) == (404, 404)
    assert "two hexadecimal digits" in bad.problem["detail"]


def test_what_a_handler_raises_stays_inside(load_app: LoadApp, caplog: pytest.LogCaptureFixture) -> None:
    app = load_app(WEB + lua("f", "error('the secret')") + endpoint("e", "GET", "/x", "f"))
    with caplog.at_level(logging.ERROR, "wippywasm.http"):
        answer = ask(app, "GET", "/api/x")
    assert answer.problem == {"title": "Internal Server Error", "status": 500, "kind": "INTERNAL"}
    assert ["t:f: GET /api/x: " in r.getMessage() and "the secret" in r.getMessage() for r in caplog.records] == [True]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("INVALID", 400),
        ("PERMISSION_DENIED", 403),
        ("TIMEOUT", 504),
        ("UNAVAILABLE", 503),
        ("RATE_LIMITED", 429),
        ("NOT_FOUND", 500),
    ],
)
def test_kinds_of_errors_have_their_statuses(kind: str, status: int, load_app: LoadApp) -> None:
    source = f"return nil, errors.new({{kind = errors.{kind}, message = 'the secret'}})"
    answer = ask(load_app(WEB + lua("f", source) + endpoint("e", "GET", "/x", "f")), "GET", "/api/x")
    assert answer.problem["status"] == status
    assert "secret" not in answer.text
    assert answer.fields.get("retry-after") == ("1" if status in (429, 503) else None)


def test_a_function_that_runs_for_too_long_is_504_and_others_are_served_meanwhile(load_app: LoadApp) -> None:
    limited = SPIN.replace("  source:", "  limits: {max_execution_ms: 300}\n  source:")
    app = load_app(hello() + limited + endpoint("s", "POST", "/spin", "spin"))

    async def main() -> tuple[Answer, Answer]:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as one, connected(url) as two:
                spinning = asyncio.create_task(one.ask("POST", "/api/spin"))
                return await two.ask("GET", "/api/x"), await spinning

    quick, slow = asyncio.run(main())
    assert quick.text == "hello"
    assert (slow.status, slow.problem["kind"]) == (504, "TIMEOUT")


@pytest.mark.parametrize("length", [0, 1])
def test_a_response_later_than_the_service_allows_is_504(length: int, load_app: LoadApp) -> None:
    times = "{read: 200ms, write: 100ms}"
    service = f"\n- {{name: web, kind: http.service, addr: '127.0.0.1:0', timeouts: {times}}}\n"
    sleeps = lua("sleep", "require('time').sleep('60s')", "http, time")
    app = load_app(service + ROUTER + sleeps + endpoint("e", "POST", "/x", "sleep"))

    async def work(client: Client) -> Answer:
        """Its body never comes, and nobody asks for it."""
        await client.send(f"POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n")
        return await client.answer()

    assert served(app, work).problem["status"] == 504


def test_the_time_for_a_response_begins_when_the_body_is_there(load_app: LoadApp) -> None:
    service = "\n- {name: web, kind: http.service, addr: '127.0.0.1:0', timeouts: {read: 20s, write: 500ms}}\n"
    app = load_app(service + ROUTER + WAITS + endpoint("e", "POST", "/x", "wait"))

    async def work(client: Client) -> Answer:
        await client.send("POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\na")
        await asyncio.sleep(0.8)
        await client.send("b")
        return await client.answer()

    answer = served(app, work)
    assert (answer.status, answer.text) == (200, "done")


def test_no_more_requests_at_once_than_the_service_allows(load_app: LoadApp) -> None:
    service = "\n- {name: web, kind: http.service, addr: '127.0.0.1:0', limits: {max_requests: 1}}\n"
    app = load_app(service + ROUTER + WAITS + endpoint("e", "POST", "/x", "wait"))

    async def main() -> tuple[Answer, Answer]:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as one, connected(url) as two:
                await one.send("POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
                assert (await one.head())[0] == 100
                refused = await two.ask("POST", "/api/x")
                await one.send("x")
                return refused, await one.answer()

    refused, done = asyncio.run(main())
    assert (refused.problem["status"], refused.fields["retry-after"]) == (503, "1")
    assert done.text == "done"


def test_no_more_connections_than_the_service_allows(load_app: LoadApp) -> None:
    app = load_app(hello("\n- {name: web, kind: http.service, addr: '127.0.0.1:0', limits: {max_connections: 1}}\n"))

    async def main() -> None:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as one:
                assert (await one.ask("GET", "/api/x")).text == "hello"
                async with connected(url) as two:
                    assert await two.is_closed()
                assert (await one.ask("GET", "/api/x")).text == "hello"

    asyncio.run(main())


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_is_too_large_is_413(framing: str, load_app: LoadApp) -> None:
    service = "\n- {name: web, kind: http.service, addr: '127.0.0.1:0', limits: {max_body_mb: 1}}\n"
    app = load_app(
        service
        + ROUTER
        + lua("f", "return #(require('http').request():body() or '')")
        + endpoint("e", "POST", "/x", "f")
    )

    async def work(client: Client) -> Answer:
        head = "POST /api/x HTTP/1.1\r\nHost: t\r\n"
        if framing == "length":
            await client.send(f"{head}Content-Length: {(1 << 20) + 1}\r\n\r\n")
        else:
            piece = b"%x\r\n%s\r\n" % (1 << 19, b"x" * (1 << 19))
            await client.send(
                f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + piece + piece + b"1\r\nx\r\n0\r\n\r\n"
            )
        return await client.answer()

    answer = served(app, work)
    if framing == "chunked":
        return  # the program had the error, and gave the length of nothing
    assert answer.problem["detail"] == "the request's body is larger than 1,048,576 bytes"


def test_requests_under_way_end_before_the_app_does(load_app: LoadApp) -> None:
    app = load_app(WEB + WAITS + endpoint("e", "POST", "/x", "wait"))

    async def main() -> Answer:
        await app.start()
        (url,) = app.addresses.values()
        async with connected(url) as busy, connected(url) as idle:
            await busy.send("POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
            assert (await busy.head())[0] == 100
            closing = asyncio.create_task(app.close())
            assert await idle.is_closed()
            with pytest.raises(OSError, match=r".*"):
                async with connected(url):
                    pass
            await busy.send("x")
            answer = await busy.answer()
            await closing
            assert await busy.is_closed()
            return answer

    assert asyncio.run(main()).text == "done"


def test_requests_that_outlast_the_grace_are_cut_off(load_app: LoadApp) -> None:
    app = load_app(WEB + WAITS + endpoint("e", "POST", "/x", "wait"))

    async def main() -> None:
        await app.start()
        (url,) = app.addresses.values()
        async with connected(url) as busy:
            await busy.send("POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
            assert (await busy.head())[0] == 100
            await app.close(grace=0)
            assert await busy.is_closed()

    asyncio.run(main())


def test_a_service_that_changes_while_it_runs(load_app: LoadApp) -> None:
    app = load_app(hello())

    async def main() -> list[int]:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                before = (await client.ask("GET", "/api/y")).status
                change = app.registry.changes()
                data = {"method": "GET", "path": "/y", "func": "t:f"}
                change.create({"id": "t:e2", "kind": "http.endpoint", "data": data})
                await change.apply()
                return [before, (await client.ask("GET", "/api/y")).status]

    assert asyncio.run(main()) == [404, 200]


def test_a_service_goes_on_listening_with_other_bounds(load_app: LoadApp) -> None:
    app = load_app(hello() + endpoint("p", "POST", "/y", "f"))

    async def main() -> tuple[list[int], bool]:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                statuses = [(await client.ask("POST", "/api/y", "x" * (2 << 20))).status]
                change = app.registry.changes()
                data = {"addr": "127.0.0.1:0", "limits": {"max_body_mb": 1}}
                change.update({"id": "t:web", "kind": "http.service", "data": data})
                await change.apply()
                statuses.append((await client.ask("POST", "/api/y", "x" * (2 << 20))).status)
            return statuses, app.addresses == {"t:web": url}

    assert asyncio.run(main()) == ([200, 413], True)


def test_a_service_that_is_gone_listens_no_more_and_one_that_is_new_does(load_app: LoadApp) -> None:
    app = load_app(hello())

    async def main() -> Answer:
        async with app:
            ((_, old),) = app.addresses.items()
            change = app.registry.changes()
            change.update({"id": "t:web", "kind": "http.service", "data": {"addr": "localhost:0"}})
            await change.apply()
            ((_, new),) = app.addresses.items()
            assert new != old
            async with connected(new) as client:
                answer = await client.ask("GET", "/api/x")
            with pytest.raises(OSError, match=r".*"):
                async with connected(old):
                    pass
            return answer

    assert asyncio.run(main()).text == "hello"


def test_clients_of_http_1_0_and_head_of_what_is_streamed(load_app: LoadApp) -> None:
    source = "local res = require('http').response(); res:write('a'); res:flush(); res:write('b')"
    app = load_app(WEB + lua("f", source) + endpoint("e", "GET", "/x", "f"))

    async def work(client: Client) -> tuple[Answer, Answer]:
        head = await client.ask("HEAD", "/api/x")
        await client.send("GET /api/x HTTP/1.0\r\n\r\n")
        return head, await client.answer()

    head, old = served(app, work)
    assert (head.status, head.body) == (200, b"")
    assert "transfer-encoding" not in old.fields
    assert old.body == b"ab"


def test_a_client_that_takes_nothing_is_cut_off(load_app: LoadApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wippywasm.app.http.reply._STALL", 0.1)
    source = (
        "local res = require('http').response(); while true do if not res:write(('x'):rep(60000)) then return end end"
    )
    app = load_app(WEB + lua("f", source) + endpoint("e", "GET", "/x", "f"))

    async def main() -> None:
        async with app:
            (url,) = app.addresses.values()
            async with connected(url) as client:
                client.writer.transport.pause_reading()  # type: ignore[attr-defined]
                await client.send("GET /api/x HTTP/1.1\r\nHost: t\r\n\r\n")
                while not app.metrics()["t:f"].calls:
                    await asyncio.sleep(0.005)
                while app.metrics()["t:f"].busy:
                    await asyncio.sleep(0.005)

    asyncio.run(main())


@pytest.mark.parametrize(("entries", "loaded"), [("", False), (SERVICE, True)])
def test_only_an_app_with_a_service_loads_aiohttp(
    entries: str, loaded: bool, load_app: LoadApp, engine: object
) -> None:
    app: App = load_app(lua("f", "return 1") + entries)
    probe = (
        "import asyncio, sys; from wippywasm import App\n"
        "async def main():\n async with App.load(sys.argv[1]) as app: await app.call('t:f')\n"
        "asyncio.run(main()); print('aiohttp' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", probe, app.folder], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(loaded)
