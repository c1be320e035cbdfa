"""Compiled modules on wasmtime, and their instances.

In: what was compiled, what was instantiated. Out: exports as objects of the port, made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import wasmtime

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreExternType
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.bounds import Size, size_of, sized
from wippywasm.engine.wasmtime_items import wrap
from wippywasm.errors import InternalError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_store import WasmtimeStore

Lookup: TypeAlias = tuple[bytes, Any, CoreExternType]
"""How an export is asked for: its name as bytes, their number as an argument, and its type."""


def _lookup(name: str, type: CoreExternType) -> Lookup:
    encoded = name.encode()
    return encoded, capi.size(len(encoded)), type


class WasmtimeModule:
    """A compiled core module."""

    def __init__(self, native: wasmtime.Module, info: CoreModuleInfo) -> None:
        self.native = native
        self.pointer = capi.pointer_of(native)
        self.info = info
        self.wasm: bytes | memoryview = b""
        """What it was compiled from, where it may have to be rewritten."""
        self.imports = info.imports
        self.import_count = capi.size(len(info.imports))
        self.exports = info.exports
        self.lookups: dict[str, Lookup] = {e.name: _lookup(e.name, e.type) for e in info.exports}
        self.sized = sized((e.name, e.type) for e in info.exports)
        """The exports whose sizes limits may bound."""


class WasmtimeInstance:
    """An instance; its exports are wrapped when they are asked for, once each."""

    __slots__ = ("_block", "_exports", "_store", "lookups", "pointer")

    def __init__(self, store: WasmtimeStore, module: WasmtimeModule, block: capi.Block) -> None:
        self._store = store
        self._block = block
        self._exports: dict[str, Any] = {}
        self.lookups = module.lookups
        self.pointer = block.pointer

    def export(self, name: str) -> Any:
        found = self._exports.get(name)
        if found is None:
            found = self._exports[name] = self._wrap(name)
        return found

    def _wrap(self, name: str) -> Any:
        encoded, size, type = self.lookups[name]
        extern = capi.Block(capi.EXTERN_SIZE)
        if not capi.instance_export(self._store.context, self.pointer, encoded, size, extern.pointer):
            raise InternalError(f"an instance lacks its export {name!r}")
        return wrap(self._store, type, extern)


def sizes(store: WasmtimeStore, instances: Iterable[tuple[WasmtimeModule, capi.Block]]) -> Iterator[Size]:
    """How large what instances of a store export is, where limits may bound that."""
    for module, block in instances:
        instance = WasmtimeInstance(store, module, block)
        yield from map(size_of, map(instance.export, module.sized))
