"""An app as Wippy's own pages about wasm lay it out: one component behind functions, commands and HTTP."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from wippywasm.engine.port import Engine

PROGRAM = "from wippywasm.cli.main import main; main()"
COMPONENT = Path(__file__).parents[2] / "examples" / "greeter" / "src" / "demo" / "wasm" / "greeter.wasm"
"""Exports `greet`, `add`, `fibonacci` and `list-files`, as the component of those pages does."""
INFRASTRUCTURE = """\
version: "1.0"
namespace: demo

entries:
  - name: gateway
    kind: http.service
    meta:
      comment: HTTP server
    addr: ":8090"
    lifecycle:
      auto_start: true
  - name: api
    kind: http.router
    meta:
      comment: Public API router
      server: demo:gateway
    prefix: /
  - name: processes
    kind: process.host
    lifecycle:
      auto_start: true
  - name: terminal
    kind: terminal.host
    lifecycle:
      auto_start: true
"""
FUNCTIONS = """\
version: "1.0"
namespace: demo.wasm

entries:
  - name: assets
    kind: fs.directory
    directory: ./src/demo/wasm
  - name: add_function
    kind: function.wasm
    fs: demo.wasm:assets
    path: /demo_component.wasm
    hash: sha256:HASH
    method: add
    pool:
      type: inline
  - name: fibonacci_function
    kind: function.wasm
    fs: demo.wasm:assets
    path: /demo_component.wasm
    hash: sha256:HASH
    method: fibonacci
    pool:
      type: inline
  - name: list_files_function
    kind: function.wasm
    meta:
      comment: Filesystem listing with WASI mounts
    fs: demo.wasm:assets
    path: /demo_component.wasm
    hash: sha256:HASH
    method: list-files
    imports:
      - wasi:cli
      - wasi:io
      - wasi:clocks
      - wasi:filesystem
    wasi:
      mounts:
        - fs: demo.wasm:assets
          guest: /data
    pool:
      type: inline
  - name: http_greet
    kind: function.wasm
    fs: demo.wasm:assets
    path: /demo_component.wasm
    hash: sha256:HASH
    method: greet
    transport: wasi-http
    pool:
      type: inline
  - name: http_greet_endpoint
    kind: http.endpoint
    meta:
      router: demo:api
    method: POST
    path: /greet
    func: http_greet
"""
COMMANDS = """\
version: "1.0"
namespace: demo.cli

entries:
  - name: greet
    kind: process.wasm
    meta:
      comment: Greet someone via WASM
      command:
        name: greet
        short: Greet someone via WASM
    fs: demo.wasm:assets
    path: /demo_component.wasm
    hash: sha256:HASH
    method: greet
  - name: ls
    kind: process.wasm
    meta:
      comment: List files from mounted WASI filesystem
      command:
        name: ls
        short: List files from mounted directory
    fs: demo.wasm:assets
    path: /demo_component.wasm
    hash: sha256:HASH
    method: list-files
    imports:
      - wasi:cli
      - wasi:io
      - wasi:clocks
      - wasi:filesystem
    wasi:
      mounts:
        - fs: demo.wasm:assets
          guest: /data
  - name: compute_worker
    kind: process.wasm
    fs: demo.wasm:assets
    path: /demo_component.wasm
    hash: sha256:HASH
    method: add
    imports:
      - wasi:cli
      - wasi:io
    wasi:
      mounts:
        - fs: demo.wasm:assets
          guest: /data
  - name: ask
    kind: function.lua
    method: main
    modules:
      - time
    source: |
      local process = require("process")
      local time = require("time")
      local function main()
        local pid, err = process.spawn_monitored("demo.cli:compute_worker", "demo:processes", 6, 7)
        if err then
          error("spawn failed: " .. tostring(err))
        end
        local events = process.events()
        local event = events:receive()
        if event and event.kind == process.event.EXIT then
          return event.result.value
        end
      end
      return { main = main }
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    wasm = COMPONENT.read_bytes()
    digest = hashlib.sha256(wasm).hexdigest()
    folder = tmp_path / "src" / "demo" / "wasm"
    folder.mkdir(parents=True)
    (folder / "demo_component.wasm").write_bytes(wasm)
    for place, text in (("src", INFRASTRUCTURE), ("src/demo", COMMANDS), ("src/demo/wasm", FUNCTIONS)):
        (tmp_path / place / "_index.yaml").write_text(text.replace("HASH", digest))
    return tmp_path


def command(app: Path, engine: Engine, *words: str) -> list[str]:
    port = ["-o", "demo:gateway:addr=127.0.0.1:0"]  # any free one, where several tests run at a time
    return [sys.executable, "-u", "-c", PROGRAM, "-C", str(app), "--engine", engine.name, *port, *words]


def test_its_commands_and_functions(app: Path, engine: Engine) -> None:
    def run(*words: str) -> str:
        return subprocess.run(
            command(app, engine, *words), capture_output=True, text=True, timeout=60, check=True
        ).stdout

    listed = run("run", "list")
    assert re.search(r"^greet +Greet someone via WASM +demo.cli:greet$", listed, re.MULTILINE)
    assert re.search(r"^ls +List files from mounted directory +demo.cli:ls$", listed, re.MULTILINE)
    assert run("run", "greet", "World") == "Hello, World!\n"
    assert json.loads(run("call", "demo.wasm:add_function", "6", "7")) == 13
    assert json.loads(run("call", "demo.wasm:fibonacci_function", "10")) == 55
    assert json.loads(run("call", "demo.cli:ask")) == 13
    files = run("run", "ls", "/data").splitlines()
    assert sorted({line.split()[-1] for line in files}) == ["_index.yaml", "demo_component.wasm"]
    size = (app / "src" / "demo" / "wasm" / "demo_component.wasm").stat().st_size
    assert f"{size}  demo_component.wasm" in json.loads(
        run("call", "demo.wasm:list_files_function", '"/data"').splitlines()[-1]
    )


def test_it_serves(app: Path, engine: Engine) -> None:
    process = subprocess.Popen(command(app, engine, "run"), stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        process.stderr.readline()
        url = process.stderr.readline().split(" listens on ")[1].split()[0]
        request = urllib.request.Request(f"{url}/greet", data=b"World", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.read() == b"Hello, World!"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()
