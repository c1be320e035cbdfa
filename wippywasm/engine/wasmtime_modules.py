"""Compiled modules on wasmtime, and their instances.

In: what was compiled, what was instantiated. Out: exports as objects of the port, made when they are asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import wasmtime

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreExternType, CoreFuncType, CoreGlobalType
from wippywasm.engine import rewrite
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.wasmtime_items import wrap
from wippywasm.errors import InternalError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_store import WasmtimeStore

Lookup: TypeAlias = tuple[bytes, Any, CoreExternType]
"""How an export is asked for: its name as bytes, their number as an argument, and its type."""


def _lookup(name: str, type: CoreExternType) -> Lookup:
    encoded = name.encode()
    return encoded, capi.size(len(encoded)), type


START = _lookup(rewrite.START, CoreFuncType())
NOTED = tuple(_lookup(name, CoreGlobalType("i64", mutable=True)) for name in rewrite.NOTED)
"""What rewritten modules export beside what they did before."""


class WasmtimeModule:
    """A compiled core module. One that is `noted` notes where a growth was refused (`rewrite.note_growth`)."""

    def __init__(self, native: wasmtime.Module, info: CoreModuleInfo, noted: bool = False) -> None:
        self.native = native
        self.pointer = capi.pointer_of(native)
        self.info = info
        self.noted = noted
        self.starts = noted and info.start is not None
        """Whether its start function is left to the host."""
        self.wasm: bytes | memoryview = b""
        """What it was compiled from, or from a rewriting of."""
        self.imports = info.imports
        self.import_count = capi.size(len(info.imports))
        self.exports = info.exports
        self.lookups: dict[str, Lookup] = {e.name: _lookup(e.name, e.type) for e in info.exports}

    @cached_property
    def mark(self) -> str:
        """What it was given for a name where it is `noted`."""
        return rewrite.noted_mark(self.wasm)

    @cached_property
    def origin(self) -> rewrite.Origin:
        """What it was before it was rewritten. It is done once more, since only traps are told in terms of that."""
        again = rewrite.note_growth(bytes(self.wasm))
        assert again is not None
        return again.origin


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
        return self.find(self.lookups[name])

    def find(self, lookup: Lookup) -> Any:
        """What it exports for a lookup, also what people don't know of."""
        encoded, size, type = lookup
        extern = capi.Block(capi.EXTERN_SIZE)
        if not capi.instance_export(self._store.context, self.pointer, encoded, size, extern.pointer):
            raise InternalError(f"an instance lacks its export {encoded.decode()!r}")
        return wrap(self._store, type, extern)
