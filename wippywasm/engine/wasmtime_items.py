"""What lives in a wasmtime store, as the port shows it: functions, memories, tables, globals, tags.

In: a store and the item's `wasmtime_extern_t`. Out: objects of the port. None of them outlives its store: each asks
`store.context`, which refuses after the store is closed; so does what comes first in its calls then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from wippywasm.core import (
    CoreExternType,
    CoreFuncType,
    CoreGlobalType,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
)
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.port import CoreCallable
from wippywasm.engine.raw_calls import guest_call_factory, null_in, null_out
from wippywasm.engine.traps import TABLE_BOUNDS, make_trap
from wippywasm.engine.wasmtime_running import closed
from wippywasm.errors import InvalidError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_store import WasmtimeStore


Bind: TypeAlias = Callable[..., CoreCallable]


class Item:
    """An item of a store; `extern` is its `wasmtime_extern_t`, `handle` points at the item in it."""

    __slots__ = ("__weakref__", "extern", "handle", "store", "type")

    def __init__(self, store: WasmtimeStore, type: Any, extern: capi.Block) -> None:
        self.store = store
        self.type = type
        self.extern = extern
        self.handle = capi.pointer_to(extern, capi.EXTERN_OF)


class WasmtimeFunc(Item):
    """A function. `bind` is the factory of its calls (`guest_call_factory`), where that is at hand."""

    __slots__ = ("_bind", "_call")
    type: CoreFuncType
    _call: CoreCallable | None

    def __init__(self, store: WasmtimeStore, type: CoreFuncType, extern: capi.Block, bind: Bind | None = None) -> None:
        self.store = store
        self.type = type
        self.extern = extern
        self.handle = capi.pointer_to(extern, capi.EXTERN_OF)
        self._bind = bind
        self._call = None

    @property
    def call(self) -> CoreCallable:
        """The function as a Python callable; made on first use, and the same from then on."""
        if self._call is None:
            self._call = self._make_call()
        return self._call

    def _make_call(self) -> CoreCallable:
        return (self._bind or guest_call_factory(self.type))(self.store, self.handle)


class WasmtimeMemory(Item):
    """A linear memory. Its address changes only with its size, so a view is made anew only when that changed."""

    __slots__ = ("_size", "_view")
    type: CoreMemoryType

    def __init__(self, store: WasmtimeStore, type: CoreMemoryType, extern: capi.Block) -> None:
        super().__init__(store, type, extern)
        self._size = -1
        self._view = memoryview(b"")

    def view(self) -> memoryview:
        """All of the memory, writable, until the guest runs again or the store is closed."""
        context = self.store.context
        size = capi.memory_data_size(context, self.handle)
        if size != self._size:
            self._view = capi.view_at(capi.memory_data(context, self.handle), size, capi.PYBUF_WRITE)
            self._size = size
        return self._view

    def size(self) -> int:
        """Pages."""
        pages: int = capi.memory_size(self.store.context, self.handle)
        return pages

    def grow(self, pages: int) -> int:
        """The former number of pages, or -1 where the memory can't grow by that many."""
        before = capi.block(8)
        error = capi.memory_grow(self.store.context, self.handle, pages, before.pointer)
        return _grown(error, before)


class WasmtimeSharedMemory(Item):
    """A memory that other threads may use too; it never moves."""

    __slots__ = ("_shared",)
    type: CoreMemoryType

    def __init__(self, store: WasmtimeStore, type: CoreMemoryType, extern: capi.Block) -> None:
        super().__init__(store, type, extern)
        self._shared: Any = capi.pointer(extern.view(capi.EXTERN_OF, capi.EXTERN_OF + 8).cast("Q")[0])

    def __del__(self) -> None:
        self._shared = None  # finalizers of others may still run the guest
        capi.extern_delete(self.extern.pointer)

    @property
    def _alive(self) -> Any:
        if self._shared is None or self.store.context is None:
            raise closed()
        return self._shared

    def view(self) -> memoryview:
        """All of the memory, writable."""
        return capi.view_at(capi.shared_data(self._alive), capi.shared_data_size(self._shared), capi.PYBUF_WRITE)

    def size(self) -> int:
        """Pages."""
        pages: int = capi.shared_size(self._alive)
        return pages

    def grow(self, pages: int) -> int:
        """The former number of pages, or -1 where the memory can't grow by that many."""
        before = capi.block(8)
        return _grown(capi.shared_grow(self._alive, pages, before.pointer), before)


def _grown(error: int, before: capi.Block) -> int:
    if error:
        capi.take_error(error)
        return -1
    return before.view().cast("Q")[0]


class WasmtimeTable(Item):
    __slots__ = ()
    type: CoreTableType

    def size(self) -> int:
        """Elements."""
        elements: int = capi.table_size(self.store.context, self.handle)
        return elements

    def get(self, index: int) -> WasmtimeFunc | None:
        """The function at `index`, None where the table is empty there; traps outside the table."""
        value = capi.block(capi.VAL_SIZE)
        if not 0 <= index < self.size():
            raise make_trap(TABLE_BOUNDS)
        capi.table_get(self.store.context, self.handle, index, value.pointer)
        return _function_of(self.store, value)


class WasmtimeGlobal(Item):
    __slots__ = ()
    type: CoreGlobalType

    def get(self) -> Any:
        """The value; None for a null reference, and only that as a reference."""
        value = capi.block(capi.VAL_SIZE)
        capi.global_get(self.store.context, self.handle, value.pointer)
        content = value.view(capi.VAL_OF)
        if self.type.value in _FORMATS:
            return content.cast(_FORMATS[self.type.value])[0]
        if self.type.value == "v128":
            return int.from_bytes(content[:16], "little")
        null_out(content.cast("Q")[0])
        return None

    def set(self, new: Any) -> None:
        """Raises `InvalidError` where the global is constant."""
        value = capi.block(capi.VAL_SIZE)
        value.view()[0] = capi.KINDS.get(self.type.value, capi.FUNCREF)
        content = value.view(capi.VAL_OF)
        if self.type.value in _FORMATS:
            content.cast(_FORMATS[self.type.value])[0] = new
        elif self.type.value == "v128":
            content[:16] = new.to_bytes(16, "little")
        else:
            null_in(new)
        error = capi.global_set(self.store.context, self.handle, value.pointer)
        if error:
            raise InvalidError(str(capi.take_error(error)))


_FORMATS: dict[str, Any] = {"i32": "i", "i64": "q", "f32": "f", "f64": "d"}


class WasmtimeTag(Item):
    """An exception tag: can be handed from instance to instance."""

    __slots__ = ()
    type: CoreTagType


WasmtimeItem: TypeAlias = (
    WasmtimeFunc | WasmtimeMemory | WasmtimeSharedMemory | WasmtimeTable | WasmtimeGlobal | WasmtimeTag
)
_CLASSES: dict[Any, type[Item]] = {
    CoreFuncType: WasmtimeFunc,
    CoreTableType: WasmtimeTable,
    CoreGlobalType: WasmtimeGlobal,
    CoreTagType: WasmtimeTag,
}


def item_class(type: CoreExternType) -> type[Item]:
    """The class of objects for items of that type."""
    if isinstance(type, CoreMemoryType):
        return WasmtimeSharedMemory if type.shared else WasmtimeMemory
    return _CLASSES[type.__class__]


def _function_of(store: WasmtimeStore, value: capi.Block) -> WasmtimeFunc | None:
    """The function in a `wasmtime_val_t`; other references are only let through as null."""
    content = value.view(capi.VAL_OF)
    if not content.cast("Q")[0]:
        return None
    if value.view()[0] != capi.FUNCREF:
        raise InvalidError("this table holds references that are not functions")
    extern = capi.new_extern()
    extern.view()[0] = capi.FUNC
    extern.view(capi.EXTERN_OF)[:16] = content[:16]
    native = capi.take_func_type(capi.func_type(store.context, extern.at(capi.EXTERN_OF)))
    kind = CoreFuncType(tuple(map(str, native.params)), tuple(map(str, native.results)))
    return WasmtimeFunc(store, kind, extern)


def copy_extern(item: Item, to: int) -> None:
    """Put the item where an array of imports wants it."""
    ctypes.memmove(to, item.extern.address, capi.EXTERN_SIZE)
