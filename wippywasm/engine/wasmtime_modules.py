"""Compiled modules on wasmtime, and their instances.

In: what was compiled, what was instantiated. Out: exports as objects of the port, made when they are asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import wasmtime

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreExternType, CoreFuncType, CoreGlobalType
from wippywasm.engine import rewrite
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.raw_calls import guest_call_factory
from wippywasm.engine.wasmtime_items import Bind, WasmtimeFunc, item_class
from wippywasm.errors import InternalError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_store import WasmtimeStore


class Lookup:
    """How an export is asked for: by its name as bytes, and their number as an argument. It is of `type`."""

    __slots__ = ("_bind", "_kind", "name", "size", "type")

    def __init__(self, name: str, type: CoreExternType) -> None:
        self.name = name.encode()
        self.size: Any = capi.size(len(self.name))
        self.type = type
        self._kind = item_class(type)
        self._bind: Bind | None = None

    def item(self, store: WasmtimeStore, extern: capi.Block) -> Any:
        """The object for what was found."""
        type: Any = self.type
        if self._kind is not WasmtimeFunc:
            return self._kind(store, type, extern)
        bind = self._bind = self._bind or guest_call_factory(type)
        return WasmtimeFunc(store, type, extern, bind)


class Lookups(dict[str, Lookup]):
    """By name, those of the exports that were asked for: a module may have a million."""

    def __init__(self, info: CoreModuleInfo) -> None:
        self._info = info

    def __missing__(self, name: str) -> Lookup:
        found = self[name] = Lookup(name, self._info.type.instance[name])
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._info.type.instance


START = Lookup(rewrite.START, CoreFuncType())
NOTED = tuple(Lookup(name, CoreGlobalType("i64", mutable=True)) for name in rewrite.NOTED)
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
        self.lookups: dict[str, Lookup] = Lookups(info)

    @cached_property
    def mark(self) -> str:
        """What it was given for a name where it is `noted`."""
        return rewrite.noted_mark(self.wasm)

    @cached_property
    def origin(self) -> rewrite.Origin:
        """What it was before it was rewritten. It is done once more, since only traps are told in terms of that."""
        again = rewrite.note_growth(bytes(self.wasm), self.info)
        assert again is not None
        return again.origin


class WasmtimeInstance:
    """An instance, whose memory `pointer` keeps; its exports are wrapped when they are asked for, once each."""

    __slots__ = ("_exports", "_store", "lookups", "pointer")

    def __init__(self, store: WasmtimeStore, module: WasmtimeModule, pointer: Any) -> None:
        self._store = store
        self._exports: dict[str, Any] = {}
        self.lookups = module.lookups
        self.pointer = pointer

    def export(self, name: str) -> Any:
        found = self._exports.get(name)
        if found is None:
            found = self._exports[name] = self.find(self.lookups[name])
        return found

    def find(self, lookup: Lookup) -> Any:
        """What it exports for a lookup, also what people don't know of."""
        store, extern = self._store, capi.new_extern()
        if not capi.instance_export(store.context, self.pointer, lookup.name, lookup.size, capi.pointer_to(extern)):
            raise InternalError(f"an instance lacks its export {lookup.name.decode()!r}")
        return lookup.item(store, extern)
