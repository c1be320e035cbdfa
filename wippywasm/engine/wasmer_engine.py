"""The port over wasmer 1.1 with its cranelift compiler: CPython before 3.11.

In: core modules. Out: compiled modules, and stores to run them in (`wasmer_store`).

A panic while compiling spoils wasmer's engine for good: so what it can't do is found out before (`refusals`), and
every module is compiled in an engine of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import wasmer

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.engine import refusals, stacks
from wippywasm.engine.compiling import Compiler
from wippywasm.engine.exhausted import exhausted, is_exhausted
from wippywasm.engine.features import ENGINE_FEATURES
from wippywasm.engine.panics import panic_of
from wippywasm.engine.port import MAX_TABLE_ELEMENTS, NO_LIMITS, StoreLimits
from wippywasm.engine.rewrite import rewrite
from wippywasm.engine.versions import installed_version
from wippywasm.engine.wasmer_items import HINT, NAME
from wippywasm.engine.wasmer_loading import WasmerModule, new_wasmer_store
from wippywasm.engine.wasmer_store import WasmerStore
from wippywasm.errors import BinaryError, InternalError, InvalidError

QUICK_BYTES = 1 << 16
"""Modules of up to that size are compiled in about a tenth of a second."""


class WasmerEngine:
    """wasmer, with everything that WebAssembly 2.0 has and nothing later."""

    name = NAME
    features = ENGINE_FEATURES["wasmer"]
    thread_bound = True

    def __init__(self) -> None:
        self.version = installed_version(wasmer)
        self._compiler = Compiler(_Backend(self))
        self.compile_own = lru_cache(maxsize=256)(self.compile)
        """`compile` for the modules of our own making, which are kept."""

    def compile(self, wasm: bytes | memoryview, info: CoreModuleInfo | None = None) -> WasmerModule:
        stacks.require(stacks.LEAST_ON_WASMER)
        module = self._compiler.compile(wasm, info)
        module.wasm = wasm
        return module

    def prepare(self, module: WasmerModule, limits: StoreLimits) -> None:
        """Rewrite the module, as stores with limits want it, where that would hold up the first of them."""
        if limits != NO_LIMITS and len(module.wasm) > QUICK_BYTES:
            self.rewritten(module)

    def rewritten(self, module: WasmerModule) -> WasmerModule:
        """The module with checks, which asks before it grows (`rewrite`): one for all limits."""
        made = module.rewritten
        if made is None:
            new = rewrite(bytes(module.wasm), module.info)
            try:
                made = self._compiler.compile(new.wasm)
            except BinaryError as error:
                message = f"this module can't be interrupted, nor its growth be bounded, on {NAME}: {error.message}"
                raise InvalidError(message, hint="it is at a bound of the engine; use --engine wasmtime") from error
            made.origin, made.functions, made.new_tables = new.origin, new.functions, new.tables
            module.rewritten = made
        return made

    def new_store(self, limits: StoreLimits = NO_LIMITS) -> WasmerStore:
        return WasmerStore(self, limits)


class _Backend:
    def __init__(self, engine: WasmerEngine) -> None:
        compiler = installed_version(wasmer, "wasmer_compiler_cranelift")
        self.settings: Iterable[str] = (NAME, engine.version, f"cranelift={compiler}", "engine=universal")

    def build(self, wasm: bytes, info: CoreModuleInfo) -> WasmerModule:
        refusals.check(wasm, NAME, WasmerEngine.features)
        try:
            return WasmerModule(wasmer.Module(new_wasmer_store(), wasm).serialize(), info)
        except BaseException as error:  # noqa: BLE001 (a panic is no `Exception`)
            raise _build_error(error) from None

    def serialize(self, module: WasmerModule) -> bytes:
        return module.code

    def deserialize(self, code: bytes, info: CoreModuleInfo) -> WasmerModule | None:
        return WasmerModule(code, info)


def _build_error(error: BaseException) -> BaseException:
    """wasmer refused, or panicked over, a module that is valid."""
    panic = panic_of(error)
    if panic is None and not isinstance(error, RuntimeError):
        return error
    if is_exhausted(str(panic or error)):
        return exhausted("another module")
    if "table size is out of bounds" in str(error):
        message = f"the module has a table of more than {MAX_TABLE_ELEMENTS:,} elements, which no engine here has"
        return InvalidError(message, hint="let it begin with fewer")
    if "constant" in str(error) or "const_expr" in str(error):
        return refusals.unsupported(["extended-const"], NAME)
    return InternalError(f"wasmer can't compile this module, which is valid: {error}", hint=HINT)
