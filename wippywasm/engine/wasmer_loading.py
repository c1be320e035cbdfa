"""Compiled code → wasmer's modules, in the thread that uses them.

In: `WasmerModule`, which is code that any thread can load. Out: wasmer's own module in a `NativeStore` of this thread.

wasmer's objects are bound to their thread, and what is linked together has to come from one of its stores. Such a store
never gives back the code of a module that is gone, and with many modules loaded the backtrace of an overflow takes
seconds; so a thread starts another one when much of what it loaded is gone. The old one is freed with its last guest.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import wasmer
import wasmer_compiler_cranelift

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreFuncType, CoreImport, CoreMemoryType, CoreTableType
from wippywasm.engine.panics import let_go
from wippywasm.engine.port import MAX_TABLE_ELEMENTS
from wippywasm.engine.rewrite import Origin

MAX_GONE = 32
"""How many modules that are gone one native store may hold."""

_TABLE_GROW = re.compile(rb"\xfc(?:\x0f|\x8f\x80{0,3}\x00)")
"""The instruction `table.grow`, or other bytes like it."""
_thread = threading.local()


def new_wasmer_store() -> Any:
    """wasmer's own store, with an engine and a compiler of its own."""
    return wasmer.Store(wasmer.engine.Universal(wasmer_compiler_cranelift.Compiler))


class WasmerModule:
    """A compiled core module, as code that any thread can load."""

    def __init__(self, code: bytes, info: CoreModuleInfo) -> None:
        self.code = code
        self.wasm: bytes | memoryview = b""
        """What it was compiled from."""
        self.rewritten: WasmerModule | None = None
        self.origin: Origin | None = None
        """What it was before it was rewritten."""
        self.functions: tuple[CoreFuncType, ...] = ()
        """Those of the host that the rewritten one calls."""
        self.new_tables: tuple[CoreTableType, ...] = ()
        """Those of the host that the rewritten one imports, last."""
        self.has_start = info.start is not None
        self.imports = info.imports
        self.exports = info.exports
        self.info = info
        self.memories = info.memories[_count(info.imports, CoreMemoryType) :]
        imported = _count(info.imports, CoreTableType)
        self.tables = info.tables[imported:]
        self.mixes_tables = 0 < imported < len(info.tables)
        """Whether it has tables of both kinds, imported and its own, which wasmer mixes up."""

    @cached_property
    def may_outgrow(self) -> bool:
        """Whether it grows a table that may become too large for the process, which wasmer ends then."""
        most = (t.limits.maximum for t in self.info.tables)
        return any(m is None or m > MAX_TABLE_ELEMENTS for m in most) and _TABLE_GROW.search(self.wasm) is not None


def _count(imports: Sequence[CoreImport], kind: Any) -> int:
    return sum(isinstance(item.type, kind) for item in imports)


class NativeStore:
    """One of wasmer's stores, and the modules loaded in it."""

    def __init__(self) -> None:
        self.store = new_wasmer_store()
        self.kept: dict[str, Any] = {}
        """wasmer's objects that last as long as this store does."""
        self._modules: weakref.WeakKeyDictionary[WasmerModule, Any] = weakref.WeakKeyDictionary()
        self._loaded = 0

    def load(self, module: WasmerModule) -> Any:
        """wasmer's module for `module`."""
        native = self._modules.get(module)
        if native is None:
            native = self._modules[module] = wasmer.Module.deserialize(self.store, module.code)
            self._loaded += 1
        return native

    def instantiate(self, module: WasmerModule, imports: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """wasmer's exports of a new instance, which nothing but they keep."""
        return dict(iter(wasmer.Instance(self.load(module), imports).exports))

    @property
    def is_stale(self) -> bool:
        return self._loaded - len(self._modules) > MAX_GONE


def native_store() -> NativeStore:
    """The native store for new guests of this thread."""
    current: NativeStore | None = getattr(_thread, "native_store", None)
    if current is not None and current.is_stale:
        current = None
        forget_native_store()
    if current is None:
        current = _thread.native_store = NativeStore()
    return current


def forget_native_store() -> None:
    """Have the next guest of this thread begin with a new one: it is stale, or wasmer panicked, which spoils it."""
    held = [getattr(_thread, "native_store", None)]
    _thread.native_store = None
    let_go(held)
