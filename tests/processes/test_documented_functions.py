"""The functions of Wippy's page about wasm functions: inline text, records through Lua, a guest that sleeps."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from wippywasm.app import App
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine

PEOPLE = Path(__file__).parents[2] / "examples" / "demo" / "wasm" / "people.wasm"
SLEEPER = """(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $theirs))
    (export "pollable" (type $same (eq $theirs)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $same))))))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $drop (canon resource.drop $pollable))
  (core module $m
    (import "host" "block" (func $block (param i32)))
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "sleep-ms") (param i32) (result i32) (local $timer i32)
      (local.set $timer (call $subscribe (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const 1000000))))
      (call $block (local.get $timer))
      (call $drop (local.get $timer))
      (local.get 0)))
  (core instance $i (instantiate $m (with "host" (instance
    (export "block" (func $block)) (export "subscribe" (func $subscribe)) (export "drop" (func $drop))))))
  (func $sleep (param "ms" u32) (result u32) (canon lift (core func $i "sleep-ms")))
  (instance $exports (export "sleep-ms" (func $sleep)))
  (export "test:sleep/test-sleep@1.0.0" (instance $exports)))"""
ENTRIES = """\
version: "1.0"
namespace: myns

entries:
  - name: answer
    kind: function.wat
    source: |
      (module
        (func (export "answer") (result i32)
          i32.const 42
        )
      )
    wit: |
      answer: func() -> s32;
    method: answer
    pool:
      type: inline
  - name: wasm_binaries
    kind: fs.directory
    directory: ./wasm
  - name: compute
    kind: function.wasm
    fs: myns:wasm_binaries
    path: /mapper.wasm
    hash: sha256:MAPPER
    method: compute
    pool:
      type: lazy
      max_size: 4
  - name: transform_users
    kind: function.wasm
    fs: myns:wasm_binaries
    path: /mapper.wasm
    hash: sha256:MAPPER
    method: transform-users
    pool:
      type: lazy
      max_size: 4
  - name: filter_active
    kind: function.wasm
    fs: myns:wasm_binaries
    path: /mapper.wasm
    hash: sha256:MAPPER
    method: filter-active
    limits:
      max_execution_ms: 5000
  - name: sleep_ms
    kind: function.wasm
    fs: myns:wasm_binaries
    path: /sleep_test.wasm
    hash: sha256:SLEEPER
    method: "test-sleep#sleep-ms"
    imports:
      - wasi:io
      - wasi:clocks
    pool:
      type: inline
  - name: asks
    kind: function.lua
    method: main
    modules: [funcs]
    source: |
      local funcs = require("funcs")
      local users = {
          {id = 1, name = "Alice", tags = {"admin", "dev"}, active = true},
          {id = 2, name = "Bob", tags = {"user"}, active = false},
          {id = 3, name = "Carol", tags = {"dev"}, active = true},
      }
      local function main()
        local answer, err1 = funcs.call("myns:answer")
        local product, err2 = funcs.call("myns:compute", 6, 7)
        local transformed, err3 = funcs.call("myns:transform_users", users)
        local active, err4 = funcs.call("myns:filter_active", users)
        local slept, err5 = funcs.call("myns:sleep_ms", 5)
        local err = err1 or err2 or err3 or err4 or err5
        if err then return nil, err end
        return {answer, product, transformed[1]["tag-count"], #active, active[2].name, slept}
      end
      return { main = main }
"""


@pytest.fixture
def app(tmp_path: Path, engine: Engine) -> App:
    binaries = {"MAPPER": ("mapper", PEOPLE.read_bytes()), "SLEEPER": ("sleep_test", wat2wasm(SLEEPER))}
    (tmp_path / "wasm").mkdir()
    text = ENTRIES
    for placeholder, (name, wasm) in binaries.items():
        (tmp_path / "wasm" / f"{name}.wasm").write_bytes(wasm)
        text = text.replace(placeholder, hashlib.sha256(wasm).hexdigest())
    (tmp_path / "_index.yaml").write_text(text)
    return App.load(tmp_path, engine=engine.name)


def test_lua_calls_all_of_them(app: App) -> None:
    async def go() -> Any:
        async with app:
            return await app.call("myns:asks")

    assert asyncio.run(go()) == [42, 42, 2, 2, "Carol", 5]
