"""The app `greeter`, as its README shows it: commands, functions, HTTP. Spec: SPEC sections 12 and 13."""

from __future__ import annotations

import asyncio
import hashlib
import re
from argparse import Namespace
from pathlib import Path

import pytest

from tests.http.client import Answer, Client, served
from tools import load
from wippywasm.app import App
from wippywasm.cli.commands import run_main
from wippywasm.engine.port import Engine

GREETER = Path(__file__).resolve().parents[2] / "examples/greeter"
WASM = GREETER / "src/demo/wasm/greeter.wasm"


def test_its_hashes_are_those_of_the_binary() -> None:
    digest = f"sha256:{hashlib.sha256(WASM.read_bytes()).hexdigest()}"
    for folder in ("src/demo", "src/demo/wasm"):
        text = (GREETER / folder / "_index.yaml").read_text()
        assert text.count("sha256:") == text.count(digest) > 0


def test_its_functions_are_endpoints_and_its_folder_is_served(engine: Engine) -> None:
    app = App.load(GREETER, engine=engine.name, overrides=["demo:gateway:addr=127.0.0.1:0"])

    async def work(client: Client) -> list[Answer]:
        return [
            await client.ask("POST", "/greet", "Zoë"),
            await client.ask("POST", "/greet"),
            await client.ask("POST", "/add", '{"a": 6, "b": 7}'),
            await client.ask("POST", "/files", "/data"),
            await client.ask("POST", "/files", "/elsewhere"),
            await client.ask("GET", "/"),
            await client.ask("GET", "/greet"),
        ]

    greeting, nobody, sum, files, nowhere, page, method = served(app, work)
    assert (greeting.text, greeting.fields["content-type"]) == ("Hello, Zoë!", "text/plain; charset=utf-8")
    assert nobody.problem["detail"] == "the function takes 1 argument, got 0 (it is func(name: string) -> string)"
    assert sum.json == 13
    assert f"{WASM.stat().st_size}  greeter.wasm\n" in files.text
    assert nowhere.text == "cannot read /elsewhere\n"
    assert page.text == (GREETER / "public/index.html").read_text()
    assert (method.status, method.fields["allow"]) == (405, "OPTIONS, POST")


def test_its_commands(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        assert run_main(["--engine", engine.name, "-C", str(GREETER), "run", *arguments]) == 0
        return capfd.readouterr().out

    assert run("greet", "World") == "Hello, World!\n"
    assert "greeter.wasm" in run("ls", "/data")
    report = run("report", "Ada")
    assert report.startswith("Hello, Ada!\n6 + 7 = 13\nthe 10th Fibonacci number is 55\n")


def test_many_requests_and_none_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert load.main(["--requests", "200", "--connections", "10"]) == 0
    out = capsys.readouterr().out
    assert "200 requests over 10 connections" in out
    assert "lost: 0" in out


def test_none_is_lost_while_the_app_changes_and_a_worker_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    assert load.main(["--changes", "--requests", "300", "--connections", "10"]) == 0
    out = capsys.readouterr().out
    assert "lost: 0" in out
    assert re.search(r"meanwhile: [1-9]\d* changes of the entries, a worker killed [1-9]\d* times", out)


def test_a_request_that_is_lost_is_told() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        await writer.drain()
        writer.close()

    async def main() -> bool:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        arguments = Namespace(path="/", body="", requests=4, connections=2, changes=False)
        try:
            return await load.measure(f"http://127.0.0.1:{port}", arguments)
        finally:
            server.close()

    assert asyncio.run(main()) is False
