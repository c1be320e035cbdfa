"""Wasm guests that run as processes: preview 1 programs written in place, and a component with `wasi:cli/run`."""

from __future__ import annotations

import hashlib

from wippywasm.engine import wat2wasm

_PREVIEW_1 = """
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (memory (export "memory") 1)
"""
CAT = f"""(module {_PREVIEW_1}
  (func (export "_start") (local $n i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (loop $more
      (i32.store (i32.const 4) (i32.const 512))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 2))))
      (local.set $n (i32.load (i32.const 8)))
      (i32.store (i32.const 4) (local.get $n))
      (if (local.get $n) (then
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (br $more))))))"""
"""Copies its input to its output; ignores what happens to the output."""
ARGS = f"""(module {_PREVIEW_1}
  (func (export "_start")
    (drop (call $args_sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 1024) (i32.const 2048)))
    (i32.store (i32.const 8) (i32.const 2048))
    (i32.store (i32.const 12) (i32.load (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
    (call $exit (i32.load (i32.const 0)))))"""
"""Writes its arguments, each with its NUL, and exits with their number."""
YES = f"""(module {_PREVIEW_1}
  (data (i32.const 1024) "yes\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 4))
    (loop $more
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br $more))))"""
"""Writes lines forever, whatever happens."""
HANGS = f"""(module {_PREVIEW_1}
  (data (i32.const 1024) "ready\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $more (br $more))))"""
"""Writes a line, then computes forever."""
SPIN = """(module (func (export "spin") (loop $more (br $more))) (func (export "trap") unreachable)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"""
SPIN_WIT = "spin: func(); trap: func(); add: func(a: s32, b: s32) -> s32;"
RUN = """(component
  (core module $m (func (export "run") (result i32) (i32.const {err})))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.3" (instance $run)))"""
FAILS = RUN.format(err=1)
SUCCEEDS = RUN.format(err=0)


def wasm_process(name: str, wat: str, method: str, more: str = "") -> tuple[str, bytes]:
    """An entry `name` that runs a module from `name.wasm` in the app folder, as a command too; and the module."""
    wasm = wat2wasm(wat)
    digest = hashlib.sha256(wasm).hexdigest()
    entry = (
        f"- name: {name}\n  kind: process.wasm\n  meta: {{command: {{name: {name}, short: A guest}}}}\n  fs: files\n"
        f"  path: {name}.wasm\n  hash: sha256:{digest}\n  method: '{method}'\n{more}"
    )
    return entry, wasm


FILES = "- name: files\n  kind: fs.directory\n  directory: .\n"
PREVIEW_1 = "  imports: [wasi1]\n"
