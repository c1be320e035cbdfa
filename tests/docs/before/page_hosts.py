"""A program and a component for `docs/hosts.md`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import wasmtime

import wippywasm
from tests.docs.session import modules_entry
from wippywasm.wasi import Wasi

CAT = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 64) "1 ")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 66)) (i32.store (i32.const 4) (i32.const 1000))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.add (i32.const 2) (i32.load (i32.const 16))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"""


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    (folder / "cat.wasm").write_bytes(wasmtime.wat2wasm(CAT))
    app = modules_entry(folder, more="- {name: data, kind: fs.directory, directory: data, auto_init: true}\n")
    app.joinpath("modules/report.wasm").write_bytes(wasmtime.wat2wasm('(component (core module $m (func (export "f")))'
        ' (core instance $i (instantiate $m)) (func (export "report") (canon lift (core func $i "f"))))'))  # fmt: skip
    return {"component": wippywasm.load("examples/demo/wasm/people.wasm"), "wasi": Wasi()}
