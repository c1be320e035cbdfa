"""An app as Wippy's own pages about wasm lay it out: one component behind functions, commands and HTTP."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine

PROGRAM = "from wippywasm.cli.main import main; main()"
GREETER = """(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (data (i32.const 16) "Hello, ")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 15)) (i32.const -16))))
    (func (export "greet") (param i32 i32) (result i32)
      (memory.copy (i32.const 1024) (i32.const 16) (i32.const 7))
      (memory.copy (i32.const 1031) (local.get 0) (local.get 1))
      (i32.store8 (i32.add (i32.const 1031) (local.get 1)) (i32.const 33))
      (i32.store (i32.const 8) (i32.const 1024))
      (i32.store (i32.const 12) (i32.add (local.get 1) (i32.const 8)))
      (i32.const 8))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (func (export "greet") (param "name" string) (result string)
    (canon lift (core func $i "greet") (memory $memory) (realloc $realloc)))
  (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add"))))"""
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
    wasm = wat2wasm(GREETER)
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

    assert "greet    Greet someone via WASM  demo.cli:greet" in run("run", "list")
    assert run("run", "greet", "World") == "Hello, World!\n"
    assert json.loads(run("call", "demo.wasm:add_function", "6", "7")) == 13
    assert json.loads(run("call", "demo.cli:ask")) == 13


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
