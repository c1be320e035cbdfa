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
from wippywasm.engine import rewrite, stacks, wasmtime_pool
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.compiling import Compiler
from wippywasm.engine.exhausted import exhausted, is_exhausted
from wippywasm.engine.port import MAX_TABLE_ELEMENTS, NO_LIMITS, StoreLimits
from wippywasm.engine.raw_calls import SlotsPool
from wippywasm.engine.versions import installed_version
from wippywasm.engine.wasmtime_config import FEATURES, SETTINGS, make_config
from wippywasm.engine.wasmtime_epochs import Ticker
from wippywasm.engine.wasmtime_fibers import new_linker
from wippywasm.engine.wasmtime_hosts import Hosts
from wippywasm.engine.wasmtime_modules import WasmtimeModule
from wippywasm.engine.wasmtime_store import WasmtimeStore
from wippywasm.errors import UnsupportedFeatureError

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
        self._compiler = Compiler(_Noting(self))
        self._plain_compiler = Compiler(_Backend(self))
        self.linker = new_linker(self.native)
        self.ticker = Ticker(self.native)
        self._asking: weakref.WeakKeyDictionary[WasmtimeModule, Asking | None] = weakref.WeakKeyDictionary()
        self.compile_own = lru_cache(maxsize=256)(self._compile_as_it_is)
        """`compile` for the modules of our own making, which are kept."""

    def compile(self, wasm: bytes | memoryview, info: CoreModuleInfo | None = None) -> WasmtimeModule:
        stacks.require()
        module = self._compiler.compile(wasm, info)
        module.wasm = wasm
        return module

    def compile_asking(self, rewritten: rewrite.Rewritten) -> WasmtimeModule:
        """Compile a module that was rewritten to ask."""
        module = self._compile_as_it_is(rewritten.wasm)
        module.origin, module.mark = rewritten.origin, rewritten.origin.mark
        return module

    def _compile_as_it_is(self, wasm: bytes) -> WasmtimeModule:
        module = self._plain_compiler.compile(wasm)
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
        if limits is NO_LIMITS or not limits.asks:
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
        backend = _Noting(self)
        made = backend.deserialize(backend.serialize(module), module.info)
        if made is not None:
            made.wasm = module.wasm
        return made

    def take_store(self, limits: StoreLimits) -> WasmtimeStore | None:
        """A new store of a pool; None where it has no room, or no tables as large or as many as the limits want."""
        if limits.asks:
            return None
        if limits.table_elements is not None and limits.table_elements > MAX_TABLE_ELEMENTS:
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
    """Compiles modules as they are."""

    def __init__(self, engine: WasmtimeEngine) -> None:
        self._engine = engine
        self.settings: Iterable[str] = (NAME, engine.version, *SETTINGS)

    def build(self, wasm: bytes, info: CoreModuleInfo) -> WasmtimeModule:
        native, refusal = self._build(wasm)
        if native is None:
            from wippywasm.engine import refusals  # for errors only

            raise refusals.binary_error(refusal)
        return WasmtimeModule(native, info)

    def _build(self, wasm: bytes) -> tuple[wasmtime.Module | None, str]:
        """The module, or wasmtime's refusal. Raises UnavailableError where there is no memory map for its code."""
        out = capi.block(8)
        error = capi.module_new(self._engine.pointer, wasm, len(wasm), out.pointer)
        if error:
            refusal = str(capi.take_error(error))
            if is_exhausted(refusal):
                raise exhausted("another module")
            return None, refusal
        return capi.take_module(out.view().cast("Q")[0]), ""

    def serialize(self, module: WasmtimeModule) -> bytes:
        return bytes(module.native.serialize())

    def deserialize(self, code: bytes, info: CoreModuleInfo) -> WasmtimeModule | None:
        return self._load(code, len(code), info)

    def _load(self, code: bytes, size: int, info: CoreModuleInfo, noted: bool = False) -> WasmtimeModule | None:
        out = capi.block(8)
        error = capi.module_deserialize(self._engine.pointer, code, size, out.pointer)
        if error:
            capi.take_error(error)
            return None
        return WasmtimeModule(capi.take_module(out.view().cast("Q")[0]), info, noted)


class _Noting(_Backend):
    """Compiles modules that grow something as those that note where that was refused: wasmtime's limits don't say.

    The last byte of what is kept says whether a module is one of them.
    """

    def __init__(self, engine: WasmtimeEngine) -> None:
        super().__init__(engine)
        self.settings = (*self.settings, "growth=noted")

    def build(self, wasm: bytes, info: CoreModuleInfo) -> WasmtimeModule:
        rewritten = self._rewritten(wasm, info)
        native = None if rewritten is None else self._build(rewritten.wasm)[0]
        return super().build(wasm, info) if native is None else WasmtimeModule(native, info, noted=True)

    def _rewritten(self, wasm: bytes, info: CoreModuleInfo) -> rewrite.Rewritten | None:
        """The module to compile instead of a valid one; what is at some bound of the engine's stays as it is."""
        error = capi.module_validate(self._engine.pointer, wasm, len(wasm))
        if error:
            capi.take_error(error)
            return None
        try:
            return rewrite.note_growth(wasm, info)
        except UnsupportedFeatureError:
            return None

    def serialize(self, module: WasmtimeModule) -> bytes:
        return super().serialize(module) + bytes([module.noted])

    def deserialize(self, code: bytes, info: CoreModuleInfo) -> WasmtimeModule | None:
        return self._load(code, len(code) - 1, info, bool(code[-1])) if code else None
