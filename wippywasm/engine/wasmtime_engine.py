"""The port over wasmtime: compiles through the package, runs through our own binding.

In: core modules. Out: compiled modules, and stores to run them in (`wasmtime_store`). A store may move between threads,
but is never used by two at once.

Reference: `wasmtime_capi`; the settings are in `wasmtime_config`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import wasmtime

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine import wasmtime_pool
from wippywasm.engine.compiling import Compiler
from wippywasm.engine.port import NO_LIMITS, StoreLimits
from wippywasm.engine.raw_calls import SlotsPool
from wippywasm.engine.versions import installed_version
from wippywasm.engine.wasmtime_config import FEATURES, SETTINGS, make_config
from wippywasm.engine.wasmtime_epochs import Ticker
from wippywasm.engine.wasmtime_fibers import new_linker
from wippywasm.engine.wasmtime_hosts import Hosts
from wippywasm.engine.wasmtime_modules import WasmtimeModule
from wippywasm.engine.wasmtime_store import WasmtimeStore

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_growth import Asking

NAME = "wasmtime"


class WasmtimeEngine:
    """One configuration of wasmtime; modules compiled by it run in stores of it only."""

    name = NAME
    features = FEATURES
    thread_bound = False

    def __init__(self, config: wasmtime.Config | None = None, room: int = 0) -> None:
        self.version = installed_version(wasmtime)
        self.native = wasmtime.Engine(config or make_config())
        self._room = [None] * room
        self._lock = threading.Lock()
        self._pool: WasmtimeEngine | None = None
        self._has_no_pool = room > 0
        self.pointer = capi.pointer_of(self.native)
        self.hosts = Hosts()
        self.slots = SlotsPool()
        self._compiler = Compiler(_Backend(self))
        self.linker = new_linker(self.native)
        self.ticker = Ticker(self.pointer)
        self._asking: weakref.WeakKeyDictionary[WasmtimeModule, Asking | None] = weakref.WeakKeyDictionary()
        self.compile_own = lru_cache(maxsize=256)(self.compile)
        """`compile` for the modules of our own making, which are kept."""

    def compile(self, wasm: bytes | memoryview) -> WasmtimeModule:
        module = self._compiler.compile(wasm)
        module.wasm = wasm
        return module

    def prepare(self, module: WasmtimeModule, limits: StoreLimits) -> None:
        """Rewrite the module, for stores in which modules ask before they grow."""
        if limits.asks:
            self.asking(module)

    def asking(self, module: WasmtimeModule) -> Asking | None:
        """The module that asks before it grows; None for one that grows nothing. Raises InvalidError (see `asking`)."""
        from wippywasm.engine.wasmtime_growth import asking

        if module not in self._asking:
            self._asking[module] = asking(self, module)
        return self._asking[module]

    def new_store(self, limits: StoreLimits = NO_LIMITS) -> WasmtimeStore:
        if not limits.asks:
            return WasmtimeStore(self, limits)
        from wippywasm.engine.wasmtime_growth import AskingStore  # which few guests need

        return AskingStore(self, limits)

    # ---- the pool

    def pool(self) -> WasmtimeEngine | None:
        """The engine beside this one that has a pool (see `wasmtime_pool`), where this machine can have one."""
        with self._lock:
            if self._pool is None and not self._has_no_pool:
                config = wasmtime_pool.pool_config()
                self._has_no_pool = config is None
                self._pool = None if config is None else WasmtimeEngine(config, wasmtime_pool.STORES)
            return self._pool

    def adopt(self, module: WasmtimeModule) -> WasmtimeModule | None:
        """Another engine's module for this one; None where the pool can't hold its instances."""
        code = bytes(module.native.serialize())
        return _Backend(self).deserialize(code, module.info)

    def take_store(self, limits: StoreLimits) -> WasmtimeStore | None:
        """A new store of a pool; None where it has no room, or no tables as large or as many as the limits want."""
        if limits.asks:
            return None
        if limits.table_elements is not None and limits.table_elements > wasmtime_pool.TABLE_ELEMENTS:
            return None
        try:
            self._room.pop()
        except IndexError:
            return None
        try:
            return WasmtimeStore(self, limits, self._room)
        except BaseException:
            self._room.append(None)
            raise


class _Backend:
    def __init__(self, engine: WasmtimeEngine) -> None:
        self._engine = engine
        self.settings: Iterable[str] = (NAME, engine.version, *SETTINGS)

    def build(self, wasm: bytes, info: CoreModuleInfo) -> WasmtimeModule:
        out = capi.Block(8)
        error = capi.module_new(self._engine.pointer, wasm, len(wasm), out.pointer)
        if error:
            from wippywasm.engine import refusals  # for errors only

            raise refusals.binary_error(str(capi.take_error(error)))
        return WasmtimeModule(capi.take_module(out.view().cast("Q")[0]), info)

    def serialize(self, module: WasmtimeModule) -> bytes:
        return bytes(module.native.serialize())

    def deserialize(self, code: bytes, info: CoreModuleInfo) -> WasmtimeModule | None:
        out = capi.Block(8)
        error = capi.module_deserialize(self._engine.pointer, code, len(code), out.pointer)
        if error:
            capi.take_error(error)
            return None
        return WasmtimeModule(capi.take_module(out.view().cast("Q")[0]), info)
