"""The peer: wasmtime-py's own component API, and its core API for guests that sleep, as its users would call them.

In: a component; a host function. Out: instances that are called with plain values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wasmtime
from wasmtime import component as peer

STATS = "demo:people/stats@1.0.0"


class PeerComponent:
    """A component linked by wasmtime-py; what it imports traps when it is called."""

    def __init__(self, engine: Any, wasm: bytes) -> None:
        self._engine = engine
        self._component = peer.Component(engine, wasm)
        self._linker = peer.Linker(engine)
        self._linker.define_unknown_imports_as_traps(self._component)

    def instantiate(self) -> PeerGuest:
        return PeerGuest(self._engine, self._linker, self._component)


class PeerGuest:
    """An instance by wasmtime-py's component API; functions are looked up once, as its users would."""

    def __init__(self, engine: Any, linker: Any, component: Any) -> None:
        self._store = wasmtime.Store(engine)
        self._instance = linker.instantiate(self._store, component)
        self._functions: dict[str, Any] = {}

    def call(self, name: str, *args: Any) -> Any:
        function = self._functions.get(name) or self._look_up(name)
        value = function(self._store, *args)
        function.post_return(self._store)
        return value

    def _look_up(self, name: str) -> Any:
        instance, store = self._instance, self._store
        inside = instance.get_export_index(store, STATS) if name == "total" else None
        index = instance.get_export_index(store, name, inside)
        self._functions[name] = instance.get_func(store, index)
        return self._functions[name]


class PeerSleeper:
    """A core module whose import holds its thread; each instance is a function."""

    def __init__(self, sleep: Callable[[int], int]) -> None:
        from tools.sleepers import SLEEPER  # late: it loads what a process of the peer's does not have

        self._engine = wasmtime.Engine()
        self._module = wasmtime.Module(self._engine, SLEEPER)
        self._sleep = sleep

    def instantiate(self) -> Callable[[int], int]:
        store = wasmtime.Store(self._engine)
        i32 = wasmtime.ValType.i32()
        host = wasmtime.Func(store, wasmtime.FuncType([i32], [i32]), self._sleep)
        run: Any = wasmtime.Instance(store, self._module, [host]).exports(store)["run"]
        return lambda ms: int(run(store, ms))
