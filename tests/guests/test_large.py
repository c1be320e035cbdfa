"""Programs in Go, Python and JavaScript as commands of an app: the binaries that `make guests` builds."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from tests.guests.peers import Ours, Peer
from tests.guests.test_peer import differences
from tests.guests.tours import GO, GO_COMPONENT, JAVASCRIPT, LARGE, PYTHON, SCENARIOS, Command, Scenario, Tour, pipes
from tests.http.client import Client, served
from tools.toolchains import KEPT
from wippywasm import Variant
from wippywasm.app import App
from wippywasm.cli.commands import run_main
from wippywasm.errors import UnsupportedFeatureError, WitError
from wippywasm.inspect import inspect
from wippywasm.instance.component import Component
from wippywasm.wasi import Capture, Wasi, run_command_async

TOURS = {"go": GO, "go-component": GO_COMPONENT, "python": PYTHON, "javascript": JAVASCRIPT}
SERVER = LARGE / "server.js.wasm"
pytestmark = pytest.mark.timeout(900)  # the first of each compiles its guest


@pytest.fixture(scope="module", autouse=True)
def kept_cache() -> Iterator[None]:
    """JavaScript takes half a minute to compile: what is compiled is kept where the binaries are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WIPPYWASM_CACHE_DIR", str(KEPT / "compiled"))
        yield


@lru_cache
def kept(path: Path, engine: str) -> Component:
    """The guest, whose modules stay loaded for those who load it in this process."""
    return wippywasm.load(path, engine=engine)


@pytest.fixture(scope="module", autouse=True)
def given_back() -> Iterator[None]:
    """Frees hundreds of megabytes in the end."""
    yield
    kept.cache_clear()


class Here(Command):
    """The command in this process, which need not load its guest each time; with input, in a process of its own."""

    def __init__(self, tour: Tour, folder: Path, engine: str, capture: pytest.CaptureFixture[bytes]) -> None:
        super().__init__(tour, folder, engine)
        self._guest = kept(tour.path, engine)
        self._capture = capture

    def run(self, *words: str, input: bytes = b"") -> tuple[int, bytes, bytes]:
        if input:
            return super().run(*words, input=input)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            code = run_main([*self.arguments, *words])
        return code, *self._capture.readouterr()


def built(path: Path) -> Path:
    if not path.is_file():
        pytest.skip(f"{path.name} is not built: make guests")
    return path


def runs_on(engine: str, tour: Tour, scenario: Scenario | None = None) -> None:
    if tour is GO_COMPONENT and scenario is pipes:
        pytest.skip("Go's heap grows over what the adapter keeps in its memory: see the test below")
    if engine == "wasmer" and tour is PYTHON:
        pytest.skip("wasmer has no extended constant expressions, which CPython's modules need")


@pytest.mark.parametrize("language", list(TOURS))
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.__name__))
def test_a_command(
    scenario: Scenario, language: str, engine: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    tour = TOURS[language]
    built(tour.path)
    runs_on(engine, tour, scenario)
    scenario(Here(tour, tmp_path, engine, capfdbinary))


@pytest.mark.parametrize("tour", [GO, GO_COMPONENT], ids=["module", "component"])
def test_programs_in_go_end_as_with_wasmtimes_own_wasi(tour: Tour, engine: str, tmp_path: Path) -> None:
    assert differences("tour", built(tour.path), engine, tmp_path) == []


def test_go_behind_the_adapter_breaks_as_with_wasmtimes_own_wasi(tmp_path: Path) -> None:
    """Go takes all of its memory to be its own, and once its heap grows it overwrites the adapter's part."""
    here, theirs = Ours(built(GO_COMPONENT.path), "wasmtime"), Peer(GO_COMPONENT.path)
    for lines, code in ((2_000, 0), (20_000, -1)):
        folder = tmp_path / str(lines) / "inside"
        folder.mkdir(parents=True)
        ends = [side.run(["tour", "upper"], b"a line\n" * lines, folder) for side in (here, theirs)]
        assert [end.code for end in ends] == [code, code]
        assert ends[0] == ends[1]


@pytest.mark.parametrize("language", list(TOURS))
def test_the_entry_that_inspect_writes_runs_as_it_is(
    language: str, engine: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tour = TOURS[language]
    definition = inspect(built(tour.path), app=tmp_path).definition
    runs_on(engine, tour)
    assert definition is not None
    (tmp_path / "_index.yaml").write_text(definition.text)
    [command] = [entry.command for entry in definition.entries if entry.command is not None]
    words = ["--engine", engine, "-C", str(tmp_path), "run", command, "arguments", "one", "two three"]
    assert (run_main(words), capfd.readouterr()) == (0, ("one\ntwo three\n", ""))


@pytest.mark.parametrize("engine", ["wasmer"], indirect=True)
def test_what_wasmer_lacks_for_python_is_named(engine: str) -> None:
    with pytest.raises(UnsupportedFeatureError, match="extended constant expressions") as refused:
        wippywasm.load(built(PYTHON.path), engine=engine).instantiate(wasi=Wasi())
    assert "wasmtime" in str(refused.value)


# ------------------------------------------------------------------------------------------------ components


@pytest.fixture(params=["python", "javascript"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def component(language: str, engine: str) -> Component:
    tour = TOURS[language]
    built(tour.path)
    runs_on(engine, tour)
    return wippywasm.load(tour.path, engine=engine)


def test_records_go_in_and_variants_come_out(component: Component, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("grüße\n")
    users = [
        {"id": 2, "name": "Zoë", "tags": [], "active": False},
        {"id": 1, "name": "Alice", "tags": ["admin", "dev"], "active": True},
    ]
    with Wasi(mounts={"/data": tmp_path}) as wasi, component.instantiate(wasi=wasi) as guest:
        answer = guest.call("library#transform", users)
        assert answer == [(1, Variant("kept", "Alice: admin, dev")), (2, Variant("dropped"))]
        with pytest.raises(WitError) as refused:
            guest.call("library#transform", [])
        assert refused.value.payload == "empty"
        assert guest.call("library#read", "/data/text") == "grüße\n"
        with pytest.raises(WitError):
            guest.call("library#read", "/data/none")
        with pytest.raises(WitError):
            guest.call("library#read", "/etc/passwd")


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["content-length"])) if "content-length" in self.headers else None)

    def _answer(self, body: bytes | None) -> None:
        said = self._chunks() if body is None else body
        content = json.dumps([self.command, self.path, self.headers["x-tour"], said.decode()]).encode()
        self.send_response(203)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def peer() -> Iterator[str]:
    """The address of an HTTP server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(component: Component, *words: str, **options: Any) -> tuple[int, str, str]:
    out, err = Capture(), Capture()
    wasi = Wasi(args=["tour", *words], stdout=out, stderr=err, **options)
    code = asyncio.run(run_command_async(component, wasi))
    return code, out.text, err.text


def test_fetching(component: Component, language: str, peer: str) -> None:
    rules = {"network": [peer]}
    said = f'203 ["GET", "/a?b=c", "{language}", ""]\n'
    assert run(component, "fetch", f"http://{peer}/a?b=c", **rules) == (0, said, "")
    said = f'203 ["POST", "/", "{language}", "some text"]\n'
    assert run(component, "fetch", f"http://{peer}/", "some text", **rules) == (0, said, "")
    code, out, err = run(component, "fetch", f"http://{peer}/", network=[])
    assert (code, out) == (1, "")
    assert err


# ------------------------------------------------------------------------------------------------ a server


def test_an_http_server_in_javascript(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the entries that `wippywasm inspect` writes."""
    monkeypatch.setattr("tests.http.client.WAIT", 600.0)  # wasmer compiles once more when it is first called
    definition = inspect(built(SERVER), app=tmp_path).definition
    assert definition is not None
    (tmp_path / "_index.yaml").write_text(definition.text.replace("127.0.0.1:8080", "127.0.0.1:0"))
    served(App.load(tmp_path, engine=engine), ask_the_server)


async def ask_the_server(client: Client) -> None:
    answer = await client.ask("POST", "/x/described?a=1", "some text", **{"x-agent": "test"})
    said = {"method": "POST", "query": "?a=1", "body": "some text", "agent": "test"}
    assert (answer.status, answer.json) == (200, said)
    body = bytes(range(256)) * 2000
    assert (await client.ask("POST", "/x/echo", body)).body == body
    assert (await client.ask("GET", "/x/slow?ms=20")).body == b"slept"
    lines = "".join(f"{i}\n" for i in range(500))
    assert (await client.ask("GET", "/x/stream?n=500")).body == lines.encode()
    assert (await client.ask("GET", "/x/none")).status == 404
    await client.send("GET /x/broken HTTP/1.1\r\nHost: test\r\n\r\n")
    assert (await client.head())[0] == 500
    assert await client.is_closed()  # the engine begins a body and does not finish it
