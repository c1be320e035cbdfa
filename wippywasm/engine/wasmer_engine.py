"""The port over wasmer 1.1 with its cranelift compiler: CPython before 3.11.

In: core modules, host callables. Out: instances. wasmer's objects are bound to the thread that made them, a module
too, so a compiled module is kept as serialised code and made into wasmer's object once in each thread that uses it.

A panic while compiling spoils wasmer's engine for good: so what it can't do is found out before (`refusals`), and
every module is compiled in an engine of its own.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import metadata
from typing import Any

import wasmer
import wasmer_compiler_cranelift

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreExternType, CoreFuncType, CoreImport, CoreMemoryType, CoreTableType
from wippywasm.engine import linking, refusals
from wippywasm.engine.compiling import Compiler
from wippywasm.engine.features import WASM_2_0
from wippywasm.engine.port import CoreCallable, CoreItem, Module, StoreLimits
from wippywasm.engine.wasmer_calls import host_entry_factory, is_passable
from wippywasm.engine.wasmer_items import HINT, Item, WasmerFunc, wrap
from wippywasm.engine.wasmer_shims import shim
from wippywasm.engine.wasmer_traps import failure_of
from wippywasm.errors import (
    InternalError,
    InvalidError,
    LinkError,
    ThreadError,
    UnavailableError,
    UnsupportedFeatureError,
)

NAME = "wasmer"
NO_LIMITS = StoreLimits()
PAGE = 1 << 16
_TYPES = {"i32": "I32", "i64": "I64", "f32": "F32", "f64": "F64", "v128": "V128"}
_thread = threading.local()


def _new_native_store() -> Any:
    return wasmer.Store(wasmer.engine.Universal(wasmer_compiler_cranelift.Compiler))


def _native_store() -> Any:
    """This thread's own native store. All that is linked together has to come from one."""
    if not hasattr(_thread, "store"):
        _thread.store = _new_native_store()
    return _thread.store


class WasmerModule:
    """A compiled core module, as code that any thread can load."""

    def __init__(self, code: bytes, info: CoreModuleInfo) -> None:
        self.code = code
        self.imports = info.imports
        self.exports = info.exports
        self.export_types: dict[str, CoreExternType] = {e.name: e.type for e in info.exports}
        self.memories = info.memories[_count(info.imports, CoreMemoryType) :]
        self.tables = info.tables[_count(info.imports, CoreTableType) :]
        self._local = threading.local()

    def native(self) -> Any:
        """wasmer's module in this thread."""
        if not hasattr(self._local, "module"):
            self._local.module = wasmer.Module.deserialize(_native_store(), self.code)
        return self._local.module


def _count(imports: Sequence[CoreImport], kind: Any) -> int:
    return sum(isinstance(item.type, kind) for item in imports)


class WasmerEngine:
    """wasmer, with everything that WebAssembly 2.0 has and nothing later."""

    name = NAME
    features = WASM_2_0
    thread_bound = True

    def __init__(self) -> None:
        self.version = metadata.version("wasmer")
        self._compiler = Compiler(_Backend(self))
        self._own = lru_cache(maxsize=256)(self.compile)

    def compile(self, wasm: bytes | memoryview) -> WasmerModule:
        return self._compiler.compile(wasm)

    def instantiate_native(self, wasm: bytes, imports: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """wasmer's exports of a new instance of `wasm`, which is our own and kept compiled, in this thread."""
        return dict(iter(wasmer.Instance(self._own(wasm).native(), imports).exports))

    def new_store(self, limits: StoreLimits = NO_LIMITS) -> WasmerStore:
        return WasmerStore(self, limits)


class _Backend:
    def __init__(self, engine: WasmerEngine) -> None:
        compiler = metadata.version("wasmer_compiler_cranelift")
        self.settings: Iterable[str] = (NAME, engine.version, f"cranelift={compiler}", "engine=universal")

    def build(self, wasm: bytes, info: CoreModuleInfo) -> WasmerModule:
        refusals.check(wasm, NAME, WASM_2_0)
        try:
            return WasmerModule(wasmer.Module(_new_native_store(), wasm).serialize(), info)
        except BaseException as error:  # noqa: BLE001 (a panic is no `Exception`)
            raise _build_error(error) from None

    def serialize(self, module: WasmerModule) -> bytes:
        return module.code

    def deserialize(self, code: bytes, info: CoreModuleInfo) -> WasmerModule | None:
        return WasmerModule(code, info)


def _build_error(error: BaseException) -> BaseException:
    """wasmer refused, or panicked over, a module that is valid."""
    if not isinstance(error, RuntimeError) and not is_panic(error):
        return error
    if "constant" in str(error) or "const_expr" in str(error):
        return refusals.unsupported(["extended-const"], NAME)
    return InternalError(f"wasmer can't compile this module, which is valid: {error}", hint=HINT)


def is_panic(error: BaseException) -> bool:
    """A panic in wasmer's native code: its class is not importable, and no `Exception`."""
    return type(error).__name__ == "PanicException"


class Running:
    """What a store's host functions leave for its calls: how deep they are nested, and what the last one raised."""

    __slots__ = ("depth", "raised")

    def __init__(self) -> None:
        self.depth = 0
        self.raised: BaseException | None = None


class WasmerStore:
    """The instances of one guest, and the host functions they may call; of use in the thread that made it only."""

    def __init__(self, engine: WasmerEngine, limits: StoreLimits) -> None:
        self.engine = engine
        self.owner = threading.get_ident()
        self.items: weakref.WeakSet[Any] = weakref.WeakSet()
        self._limits = limits
        self._running = Running()
        self._callables: list[CoreCallable] = []
        self._natives: list[Any] = []  # wasmer holds what an instance imports, or has in its tables, weakly
        self._instances = 0
        self._closed = False

    def check(self) -> None:
        """Refuse use after `close` and from another thread."""
        if threading.get_ident() != self.owner:
            raise self.refusal()

    def refusal(self) -> Exception:
        """Why this store can't be used here."""
        if self._closed:
            return UnavailableError("the store is closed", hint="instantiate the module again")
        return ThreadError("wasmer's instances can be used only in the thread that made them", hint=HINT)

    def instantiate(self, module: Module, imports: Sequence[CoreItem]) -> WasmerInstance:
        assert isinstance(module, WasmerModule)
        self.check()
        linking.check_count(module.imports, imports)
        self._check_limits(module)
        arguments = self._arguments(module, imports)
        try:
            native = wasmer.Instance(module.native(), arguments)
        except BaseException as error:  # noqa: BLE001 (whatever a host function raised in its start function)
            raised = self._refused(module, imports, error)
        else:
            self._natives.append((native, arguments))
            return WasmerInstance(self, module, native)
        raise raised

    def _arguments(self, module: WasmerModule, imports: Sequence[CoreItem]) -> dict[str, dict[str, Any]]:
        """The imports by module and name, which is the only way wasmer takes them; host functions behind shims."""
        arguments: dict[str, dict[str, Any]] = {}
        given: dict[tuple[str, str], CoreItem] = {}
        for wanted, item in zip(module.imports, imports, strict=True):
            if not isinstance(item, Item) or item.store is not self:
                raise linking.foreign(wanted)
            if given.setdefault((wanted.module, wanted.name), item) is not item:
                name = linking.import_name(wanted)
                raise LinkError(f"wasmer can't link two different items to the two imports {name}", name, hint=HINT)
            arguments.setdefault(wanted.module, {})[wanted.name] = item.native
        hosts = [(key, item) for key, item in given.items() if isinstance(item, WasmerFunc) and item.is_host]
        if hosts:
            types = tuple(item.type for _, item in hosts)
            shims = shim([item.native for _, item in hosts], types, self.engine.instantiate_native)
            for ((namespace, name), _), native in zip(hosts, shims, strict=True):
                arguments[namespace][name] = native
        return arguments

    def _check_limits(self, module: WasmerModule) -> None:
        """What can be known before it runs. wasmer has no way to bound what a guest asks for later."""
        memory = max((m.limits.minimum * PAGE for m in module.memories), default=0)
        elements = max((t.limits.minimum for t in module.tables), default=0)
        _check_limit("instances", self._instances + 1, self._limits.instances)
        _check_limit("bytes of memory", memory, self._limits.memory_bytes)
        _check_limit("table elements", elements, self._limits.table_elements)
        self._instances += 1

    def _refused(self, module: WasmerModule, imports: Sequence[Any], error: BaseException) -> BaseException:
        message = str(error.args[0]) if error.args else ""
        if error is not self._running.raised and message.startswith("Error while importing"):
            return linking.mismatch(module.imports, [item.type for item in imports], message)
        return self.failure(error)

    def host_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> WasmerFunc:
        self.check()
        if not is_passable(type):
            raise UnsupportedFeatureError("references between guest and host", NAME, hint=HINT)
        held = _referable(function)
        self._callables.append(held)
        entry = host_entry_factory(type)(weakref.ref(held), self._running)
        entry.__qualname__ = name or entry.__qualname__
        native_type = wasmer.FunctionType(_native_types(type.params), _native_types(type.results))
        func = WasmerFunc(self, type, wasmer.Function(_native_store(), entry, native_type))
        func.is_host = True
        return func

    def failure(self, error: BaseException) -> BaseException:
        """What a call into the guest raised, as the caller shall see it."""
        raised, self._running.raised = self._running.raised, None
        return failure_of(error, from_host=error is raised, nested=self._running.depth > 0)

    def close(self) -> None:
        """Free everything in the store. Raises `UnavailableError` while a guest of it is running."""
        if self._closed:
            return
        self.check()
        if self._running.depth:
            raise UnavailableError("the store can't be closed while its guest is calling the host")
        self._closed = True
        self.owner = 0
        self._callables.clear()
        self._natives.clear()
        for item in list(self.items):
            item.release()


def _check_limit(what: str, needed: int, allowed: int | None) -> None:
    if allowed is not None and needed > allowed:
        excess = f"it needs {needed} {what}, {allowed} are allowed"
        raise InvalidError(f"the module can't be instantiated within its store's limits: {excess}")


def _referable(function: CoreCallable) -> CoreCallable:
    """`function`, or a function around it, that a weak reference can point at.

    Python's garbage collector does not see through wasmer's objects. A callable that leads back to its store, as most
    do, would keep it for ever if wasmer's function held it. So the store holds it, and wasmer's function weakly.
    """
    try:
        weakref.ref(function)
    except TypeError:
        return lambda *arguments: function(*arguments)
    return function


def _native_types(types: Sequence[str]) -> list[Any]:
    return [getattr(wasmer.Type, _TYPES[name]) for name in types]


class WasmerInstance:
    """An instance; its exports are wrapped when they are asked for, once each."""

    def __init__(self, store: WasmerStore, module: WasmerModule, native: Any) -> None:
        self._store = store
        self._module = module
        self._native: Any = native
        self._natives: dict[str, Any] = dict(iter(native.exports))
        self._exports: dict[str, Any] = {}
        store.items.add(self)

    def export(self, name: str) -> Any:
        found = self._exports.get(name)
        if found is None:
            self._store.check()
            found = self._exports[name] = wrap(self._store, self._module.export_types[name], self._natives[name])
        return found

    def release(self) -> None:
        """Let go of wasmer's objects."""
        self._native = None
        self._natives.clear()
