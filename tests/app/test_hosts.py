"""What wasm entries get for `imports` and `wasi`: clocks, mounts, arguments, other functions of the app."""

from __future__ import annotations

import asyncio
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from tests.wasi.wasi_guests import ALLOCATOR
from wippywasm import App
from wippywasm.errors import DefinitionError, PermissionDeniedError, WippyError, WitError


def indented(text: str, by: int) -> str:
    return textwrap.indent(textwrap.dedent(text).strip(), " " * by).lstrip()


SLEEP = """
- name: sleep
  kind: function.wat
  method: sleep
  imports: [wasi:io, wasi:clocks]
  pool: {type: lazy, max_size: 200}
  source: |
    (component
      (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $p (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $p))))))
      (alias export $poll "pollable" (type $pollable))
      (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer 1 $pollable (type $outer)) (export "pollable" (type $p (eq $outer)))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
      (core func $block (canon lower (func $poll "[method]pollable.block")))
      (core func $subscribe (canon lower (func $clock "subscribe-duration")))
      (core func $drop (canon resource.drop $pollable))
      (core module $m
        (import "" "block" (func $block (param i32)))
        (import "" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "sleep") (param $ms i32) (result i32) (local $p i32)
          (local.set $p (call $subscribe (i64.mul (i64.extend_i32_u (local.get $ms)) (i64.const 1000000))))
          (call $block (local.get $p)) (call $drop (local.get $p)) (local.get $ms)))
      (core instance $i (instantiate $m (with "" (instance
        (export "block" (func $block)) (export "subscribe" (func $subscribe)) (export "drop" (func $drop))))))
      (func (export "sleep") (param "ms" u32) (result u32) (canon lift (core func $i "sleep"))))
"""


async def called(app: App, *calls: tuple[Any, ...]) -> list[Any]:
    async with app:
        return list(await asyncio.gather(*(app.call(*call) for call in calls)))


def test_sleeping_guests_share_the_loop(load_app: LoadApp) -> None:
    started = time.monotonic()
    assert asyncio.run(called(load_app(SLEEP), *[("t:sleep", 100)] * 100)) == [100] * 100
    assert time.monotonic() - started < 100 * 0.1


FUNCS = f"""
- name: ask
  kind: function.wat
  method: ask
  imports: [funcs]
  pool: {{type: inline}}
  wit: |
    package t:t;
    world w {{
      import wippy:runtime/funcs@0.1.0;
      export ask: func(target: string, input: string) -> result<string, string>;
    }}
    package wippy:runtime@0.1.0 {{
      interface funcs {{
        call-string: func(target: string, input: string) -> result<string, string>;
        call-bytes: func(target: string, input: list<u8>) -> result<list<u8>, string>;
      }}
    }}
  source: |
    (module
      (import "wippy:runtime/funcs@0.1.0" "call-string" (func $call (param i32 i32 i32 i32 i32)))
      {indented(ALLOCATOR, 6)}
      (func (export "ask") (param i32 i32 i32 i32) (result i32)
        (call $call (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 16)) (i32.const 16)))
- name: shout
  kind: function.lua
  method: main
  source: |
    return {{main = function(text)
      if text == "fail" then error("it failed") end
      if text == "refuse" then return nil, "no" end
      if text == "number" then return 5 end
      return text:upper()
    end}}
"""


def test_wasm_calls_the_functions_of_its_app(load_app: LoadApp) -> None:
    assert asyncio.run(called(load_app(FUNCS), ("t:ask", "t:shout", "hello"))) == ["HELLO"]


@pytest.mark.parametrize(
    ("target", "text", "said"),
    [
        ("t:shout", "fail", "it failed"),
        ("t:shout", "refuse", "no"),
        ("t:shout", "number", "call-string expects a string"),
        ("t:nope", "x", "NOT_FOUND: there is no entry 't:nope'"),
    ],
)
def test_and_gets_their_errors_as_text(load_app: LoadApp, target: str, text: str, said: str) -> None:
    with pytest.raises(WitError) as raised:
        asyncio.run(called(load_app(FUNCS), ("t:ask", target, text)))
    assert said in raised.value.payload


def test_funcs_is_denied_where_it_is_not_declared(load_app: LoadApp) -> None:
    with pytest.raises(PermissionDeniedError, match="declare 'funcs'"):
        asyncio.run(called(load_app(FUNCS.replace("  imports: [funcs]\n", "")), ("t:ask", "t:shout", "x")))


READ = """
- name: files
  kind: fs.directory
  directory: files
  auto_init: true
- name: read
  kind: function.wat
  method: size
  imports: [wasi1]
  pool: {type: inline}
  wasi: {args: [prog, one], mounts: [{fs: files, guest: /data, read_only: true}]}
  source: |
    (module
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 100) "f")
      (func (export "args") (result i32)
        (drop (call $args (i32.const 0) (i32.const 4))) (i32.load (i32.const 0)))
      (func (export "write") (result i32)
        (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 1) (i64.const 64)
          (i64.const 0) (i32.const 0) (i32.const 0)))
      (func (export "size") (result i32)
        (if (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 0) (i64.const 2)
          (i64.const 0) (i32.const 0) (i32.const 0)) (then (return (i32.const -1))))
        (drop (call $seek (i32.load (i32.const 0)) (i64.const 0) (i32.const 2) (i32.const 8)))
        (i32.load (i32.const 8))))
"""


def test_a_mount_is_there_and_read_only(load_app: LoadApp, tmp_path: Path) -> None:
    app = load_app(READ)
    (app.folder / "files").mkdir(exist_ok=True)
    (app.folder / "files/f").write_text("12345")
    assert asyncio.run(called(app, ("t:read",))) == [5]
    assert asyncio.run(called(load_app(READ.replace("method: size", "method: write")), ("t:read",))) == [69]
    assert asyncio.run(called(load_app(READ.replace("method: size", "method: args")), ("t:read",))) == [2]


def test_mounts_of_an_entry_end_with_the_app(load_app: LoadApp) -> None:
    app = load_app(READ)

    async def twice() -> list[Any]:
        results = []
        for _ in range(2):
            async with app:
                (app.folder / "files/f").write_text("xyz")
                results.append(await app.call("t:read"))
        return results

    assert asyncio.run(twice()) == [3, 3]


def test_a_mount_in_the_kernel_is_refused_when_the_app_starts(load_app: LoadApp) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("this system has no /proc")
    app = load_app(READ.replace("directory: files", "directory: /proc").replace("auto_init: true", "auto_init: false"))
    with pytest.raises(WippyError, match="belongs to the kernel") as refused:
        asyncio.run(called(app, ("t:read",)))
    assert refused.value.details["entry"] == "t:read"


def test_other_types_than_ours_are_a_problem_of_the_entry(load_app: LoadApp) -> None:
    text = """
    - name: wrong
      kind: function.wat
      method: f
      imports: [wasi:random]
      source: |
        (component (import "wasi:random/random@0.2.0" (instance $r (export "get-random-u64" (func (result string)))))
          (export "f" (func $r "get-random-u64")))
    """
    with pytest.raises(DefinitionError, match="is declared as") as refused:
        load_app(textwrap.dedent(text))
    assert [p.entry for p in refused.value.problems] == ["t:wrong"]
