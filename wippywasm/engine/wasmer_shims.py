"""A floor under the stack of host functions on wasmer.

In: the types of the host functions that a module imports. Out: a core module of shims, one around each, and the
function they call first, which reaches `RESERVE` bytes down the stack and comes back.

wasmer runs guests on the thread's own stack and ends an overflow with a jump out of its signal handler. That is fine in
a guest's code; in Python's, which runs in the little stack that a guest left before it called the host, the jump skips
whatever Python had to undo. With a shim in between the overflow happens in the shim, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from wippywasm.core import CoreFuncType
from wippywasm.engine.wasmer_loading import NativeStore, WasmerModule
from wippywasm.engine.wat import wat2wasm

FRAME = 8 << 10
FRAMES = 32
RESERVE = FRAME * FRAMES
"""Bytes of stack that a host function has at least."""


@lru_cache(maxsize=1)
def reserve_module() -> bytes:
    """Exports `reserve`: recursion over frames made large by values that are kept across a call which never happens."""
    values = range(FRAME // 8)
    declare = " ".join(f"(local $v{k} i64)" for k in values)
    load = " ".join(f"(local.set $v{k} (i64.load offset={k * 8} (i32.const 0)))" for k in values)
    store = " ".join(f"(i64.store offset={k * 8} (i32.const 0) (local.get $v{k}))" for k in values)
    return wat2wasm(
        f"""(module $stack (memory 1)
          (func $frame (param $more i32) {declare}
            (if (i32.eqz (local.get $more)) (then (return)))
            (if (i32.lt_s (local.get $more) (i32.const 0)) (then {load} (call $frame (local.get $more)) {store}))
            (call $frame (i32.sub (local.get $more) (i32.const 1))))
          (func (export "reserve") (call $frame (i32.const {FRAMES}))))"""
    )


@lru_cache(maxsize=256)
def shim_module(types: tuple[CoreFuncType, ...]) -> bytes:
    """Imports `stack#reserve` and `host#0`, `host#1`, … of these types; exports `0`, `1`, … that call both."""
    imports = "\n".join(f'(import "host" "{k}" (func $h{k} {_signature(t)}))' for k, t in enumerate(types))
    shims = "\n".join(
        f'(func (export "{k}") {_signature(t)} call $reserve {_arguments(t)} call $h{k})' for k, t in enumerate(types)
    )
    return wat2wasm(f'(module $host (import "stack" "reserve" (func $reserve)) {imports} {shims})')


def _signature(type: CoreFuncType) -> str:
    params = f"(param {' '.join(type.params)})" if type.params else ""
    return f"{params} (result {' '.join(type.results)})" if type.results else params


def _arguments(type: CoreFuncType) -> str:
    return " ".join(f"local.get {k}" for k in range(len(type.params)))


def shim(
    compile: Callable[[bytes], WasmerModule], native: NativeStore, functions: Sequence[tuple[CoreFuncType, Any]]
) -> list[Any]:
    """wasmer's functions of shims around wasmer's `functions`, each with its type."""
    if "reserve" not in native.kept:
        native.kept["reserve"] = native.instantiate(compile(reserve_module()), {})["reserve"]
    host = {str(k): function for k, (_, function) in enumerate(functions)}
    module = compile(shim_module(tuple(type for type, _ in functions)))
    exports = native.instantiate(module, {"stack": {"reserve": native.kept["reserve"]}, "host": host})
    return [exports[str(k)] for k in range(len(functions))]
