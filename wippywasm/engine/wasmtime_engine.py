"""The port over wasmtime: compiles through the package, runs through our own binding.

In: core modules, host callables. Out: instances whose functions cost about as much as a call through ctypes can.
A store may move between threads, but is never used by two at once.

Reference: `wasmtime_capi`; the settings are in `wasmtime_config`.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Iterable, Sequence
from ctypes import c_size_t, c_void_p
from functools import lru_cache
from importlib import metadata
from typing import Any

import wasmtime

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreExternType, CoreFuncType
from wippywasm.engine import linking, refusals
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.codegen import revoke, without_signal_check
from wippywasm.engine.compiling import Compiler
from wippywasm.engine.port import CoreCallable, CoreItem, Module, StoreLimits
from wippywasm.engine.raw_calls import host_entry_factory, slots_type
from wippywasm.engine.traps import STACK, make_trap
from wippywasm.engine.wasmtime_config import FEATURES, SETTINGS, make_config
from wippywasm.engine.wasmtime_items import Item, WasmtimeFunc, copy_extern, wrap
from wippywasm.engine.wasmtime_traps import trap_of
from wippywasm.errors import InternalError, InvalidError, Trap, UnavailableError

NAME = "wasmtime"
NO_LIMITS = StoreLimits()
_VAL_TYPES: dict[str, Callable[[], wasmtime.ValType]] = {
    "i32": wasmtime.ValType.i32,
    "i64": wasmtime.ValType.i64,
    "f32": wasmtime.ValType.f32,
    "f64": wasmtime.ValType.f64,
    "funcref": wasmtime.ValType.funcref,
    "externref": wasmtime.ValType.externref,
}


class WasmtimeModule:
    """A compiled core module."""

    def __init__(self, native: wasmtime.Module, info: CoreModuleInfo) -> None:
        self.native = native
        self.pointer = capi.pointer_of(native)
        self.imports = info.imports
        self.exports = info.exports
        self.export_types: dict[str, CoreExternType] = {e.name: e.type for e in info.exports}


class WasmtimeEngine:
    """One configuration of wasmtime; modules compiled by it run in stores of it only."""

    name = NAME
    features = FEATURES
    thread_bound = False

    def __init__(self) -> None:
        self.version = metadata.version("wasmtime")
        self.native = wasmtime.Engine(make_config())
        self.pointer = capi.pointer_of(self.native)
        self._compiler = Compiler(_Backend(self))

    def compile(self, wasm: bytes | memoryview) -> WasmtimeModule:
        return self._compiler.compile(wasm)

    def new_store(self, limits: StoreLimits = NO_LIMITS) -> WasmtimeStore:
        return WasmtimeStore(self, limits)


class _Backend:
    def __init__(self, engine: WasmtimeEngine) -> None:
        self._engine = engine
        self.settings: Iterable[str] = (NAME, engine.version, *SETTINGS)

    def build(self, wasm: bytes, info: CoreModuleInfo) -> WasmtimeModule:
        out = capi.Block(8)
        error = capi.module_new(self._engine.pointer, wasm, len(wasm), out.pointer)
        if error:
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


class Running:
    """What a store's host functions leave for its calls: how deep they are nested, and what the last one raised.

    `spare` is the trap that the next one to raise will return.
    """

    __slots__ = ("depth", "raised", "spare")

    def __init__(self) -> None:
        self.depth = 0
        self.raised: BaseException | None = None
        self.spare = capi.new_trap()

    def __del__(self) -> None:
        if self.spare:
            capi.trap_delete(self.spare)


class WasmtimeStore:
    """The instances of one guest, and the host functions they may call."""

    def __init__(self, engine: WasmtimeEngine, limits: StoreLimits) -> None:
        self.engine = engine
        self.calls: weakref.WeakSet[Any] = weakref.WeakSet()
        self._native = wasmtime.Store(engine.native)
        self._context: c_void_p | None = capi.context_of(self._native)
        self._running = Running()
        self._entries: list[Any] = []
        if limits != NO_LIMITS:
            self._limit(limits)

    def _limit(self, limits: StoreLimits) -> None:
        self._native.set_limits(
            memory_size=_bound(limits.memory_bytes),
            table_elements=_bound(limits.table_elements),
            instances=_bound(limits.instances),
        )

    @property
    def context(self) -> c_void_p:
        """The native store; raises `UnavailableError` once it is closed."""
        if self._context is None:
            raise closed()
        return self._context

    def instantiate(self, module: Module, imports: Sequence[CoreItem]) -> WasmtimeInstance:
        assert isinstance(module, WasmtimeModule)
        linking.check_count(module.imports, imports)
        externs = self._externs(module, imports)
        out = capi.Block(capi.INSTANCE_SIZE + 8)
        trap = c_void_p(out.address + capi.INSTANCE_SIZE)
        error = capi.instance_new(
            self.context, module.pointer, externs.pointer, c_size_t(len(imports)), out.pointer, trap
        )
        trapped = out.view(capi.INSTANCE_SIZE).cast("Q")[0]
        if trapped or (error and self._running.raised is not None):
            raise self.failure(error, trapped)
        if error:
            raise _refused(module, imports, str(capi.take_error(error)))
        return WasmtimeInstance(self, module, out)

    def _externs(self, module: WasmtimeModule, imports: Sequence[CoreItem]) -> capi.Block:
        externs = capi.Block(capi.EXTERN_SIZE * len(imports))
        for index, item in enumerate(imports):
            if not isinstance(item, Item) or item.store is not self:
                raise linking.foreign(module.imports[index])
            copy_extern(item, externs.address + capi.EXTERN_SIZE * index)
        return externs

    def host_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> WasmtimeFunc:
        make = host_entry_factory(type)
        at = slots_type(type).from_address
        python_entry = without_signal_check(make(function, at, self._running, capi.new_trap))
        python_entry.__qualname__ = name or python_entry.__qualname__
        entry = capi.HostEntry(python_entry)
        extern = capi.Block(capi.EXTERN_SIZE)
        func = WasmtimeFunc(self, type, extern)
        address = ctypes.cast(entry, c_void_p)
        capi.func_new_unchecked(self.context, capi.pointer_of(_func_type(type)), address, None, None, func.handle)
        self._entries.append(entry)
        return func

    def failure(self, error: int, trap: int) -> BaseException:
        """Own what a call into the guest gave back, and say what it was."""
        running = self._running
        raised, running.raised = running.raised, None
        running.spare = running.spare or capi.new_trap()
        if trap and (raised is None or capi.has_code(trap)):
            return trap_of(capi.take_trap(trap))
        if raised is None:
            return InternalError(f"wasmtime refused the call: {capi.take_error(error)}")
        _discard(error, trap)
        return _overflow(raised) if running.depth and _is_recursion(raised) else raised

    def close(self) -> None:
        """Free everything in the store. Raises `UnavailableError` while a guest of it is running."""
        if self._running.depth:
            raise UnavailableError("the store can't be closed while its guest is calling the host")
        if self._context is None:
            return
        self._context = None
        for call in list(self.calls):
            revoke(call, "native", _refuse_call)
        self._native.close()
        self._entries.clear()


class WasmtimeInstance:
    """An instance; its exports are wrapped when they are asked for, once each."""

    def __init__(self, store: WasmtimeStore, module: WasmtimeModule, native: capi.Block) -> None:
        self._store = store
        self._module = module
        self._native = native
        self._exports: dict[str, Any] = {}

    def export(self, name: str) -> Any:
        found = self._exports.get(name)
        if found is None:
            found = self._exports[name] = self._wrap(name)
        return found

    def _wrap(self, name: str) -> Any:
        type = self._module.export_types[name]
        extern = capi.Block(capi.EXTERN_SIZE)
        encoded = name.encode()
        capi.instance_export(self._store.context, self._native.pointer, encoded, len(encoded), extern.pointer)
        return wrap(self._store, type, extern)


def closed() -> UnavailableError:
    return UnavailableError("the store is closed", hint="instantiate the module again")


def _refuse_call(*_: object) -> int:
    raise closed()


def _bound(limit: int | None) -> int:
    return -1 if limit is None else limit


@lru_cache(maxsize=1024)
def _func_type(type: CoreFuncType) -> wasmtime.FuncType:
    return wasmtime.FuncType([_val_type(p) for p in type.params], [_val_type(r) for r in type.results])


def _val_type(name: str) -> wasmtime.ValType:
    if name not in _VAL_TYPES:
        raise InvalidError(f"a host function can't take or give {name}")
    return _VAL_TYPES[name]()


def _discard(error: int, trap: int) -> None:
    """Free what the host's own trap came back as."""
    if error:
        capi.error_delete(error)
    if trap:
        capi.trap_delete(trap)


def _is_recursion(raised: BaseException) -> bool:
    """Whether Python's stack was full, which ctypes words its own way."""
    in_ctypes = isinstance(raised, ctypes.ArgumentError) and "RecursionError" in str(raised)
    return in_ctypes or isinstance(raised, RecursionError)


def _overflow(cause: BaseException) -> Trap:
    """Guest and host called each other until Python had enough."""
    trap = make_trap(STACK)
    trap.__cause__ = cause
    return trap


def _refused(module: WasmtimeModule, imports: Sequence[Any], message: str) -> InvalidError:
    text = message.strip()
    if text.startswith("incompatible import type"):
        return linking.mismatch(module.imports, [item.type for item in imports], text)
    return InvalidError(f"the module can't be instantiated within its store's limits: {text}")
