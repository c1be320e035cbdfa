"""What lives in a wasmer store, as the port shows it: functions, memories, tables, globals.

In: a store and wasmer's own objects. Out: objects of the port, which check their thread before wasmer would panic and
let go of wasmer's object when their store is closed.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_int, c_ssize_t, c_void_p
from typing import TYPE_CHECKING, Any, TypeAlias

from wippywasm.core import CoreExternType, CoreFuncType, CoreGlobalType, CoreMemoryType, CoreTableType
from wippywasm.engine.codegen import revoke
from wippywasm.engine.growth import REFUSED
from wippywasm.engine.port import CoreCallable
from wippywasm.engine.wasmer_calls import guest_call_factory, is_passable
from wippywasm.errors import InvalidError, UnsupportedFeatureError
from wippywasm.threads import here

if TYPE_CHECKING:
    from wippywasm.engine.wasmer_store import WasmerStore

NAME = "wasmer"
HINT = "use --engine wasmtime"


class Item:
    """An item of a store. `native` is wasmer's object, and refuses every other thread."""

    __slots__ = ("__weakref__", "_native", "store", "type")

    def __init__(self, store: WasmerStore, type: Any, native: Any) -> None:
        self.store = store
        self.type = type
        self._native = native
        store.items.add(self)

    @property
    def native(self) -> Any:
        self.store.check()
        return self._native

    def release(self) -> Any:
        """wasmer's object, which it has no more."""
        native, self._native = self._native, None
        return native


class WasmerFunc(Item):
    __slots__ = ("_call", "is_host")
    type: CoreFuncType
    _call: CoreCallable | None

    def __init__(self, store: WasmerStore, type: CoreFuncType, native: Any) -> None:
        self._call = None
        self.is_host = False
        super().__init__(store, type, native)  # last: who closes the store finds it then

    @property
    def call(self) -> CoreCallable:
        """The function as a Python callable; made on first use, and the same from then on."""
        if self._call is None:
            if not is_passable(self.type):
                raise UnsupportedFeatureError("references between guest and host", NAME, hint=HINT)
            make = guest_call_factory(self.type)
            self._call = make(self.native, here, self.store, self.store.failure)
        return self._call

    def release(self) -> Any:
        if self._call is not None:
            revoke(self._call, "native", None)
        return super().release()


_view_at = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_ssize_t, c_int)(
    ("PyMemoryView_FromMemory", ctypes.pythonapi)
)
_WRITABLE = 0x200
_NOTHING = memoryview(bytearray())


class WasmerMemory(Item):
    """A linear memory. Its address changes only with its size, so a view is made anew only when that changed.

    Views are of the bare address: one of wasmer's own buffer could be let go of in the memory's thread only, and a view
    ends wherever the last traceback does that leads to it.
    """

    __slots__ = ("_view",)
    type: CoreMemoryType

    def __init__(self, store: WasmerStore, type: CoreMemoryType, native: Any) -> None:
        self._view = _NOTHING
        super().__init__(store, type, native)

    def view(self) -> memoryview:
        """All of the memory, writable, until the guest runs again or the store is closed."""
        native = self.native
        if native.data_size != len(self._view):
            self._view = _view_of(native)
        return self._view

    def size(self) -> int:
        """Pages."""
        pages: int = self.native.size
        return pages

    def grow(self, pages: int) -> int:
        """The former number of pages, or -1 where the memory can't grow by that many."""
        native, allowance, unit = self.native, self.store.allowance, self.type.page_size_log2
        if allowance.ask(pages, unit) == REFUSED:
            return REFUSED
        before: int = native.size
        try:
            native.grow(pages)
        except (RuntimeError, OverflowError):
            before = REFUSED
        return allowance.tell(before, unit)

    def release(self) -> Any:
        self._view = _NOTHING
        return super().release()


def _view_of(native: Any) -> memoryview:
    # Only the address is asked of wasmer's buffer, which says that it has no bytes where it has 4 GiB.
    address = ctypes.addressof((c_char * 0).from_buffer(memoryview(native.buffer)))
    view: memoryview = _view_at(address, native.data_size, _WRITABLE)
    return view


class WasmerTable(Item):
    __slots__ = ()
    type: CoreTableType

    def size(self) -> int:
        """Elements."""
        elements: int = self.native.size
        return elements

    def get(self, index: int) -> WasmerFunc | None:
        """wasmer's Python package can't look into tables."""
        self.store.check()
        raise UnsupportedFeatureError("table reads by the host", NAME, hint=HINT)


class WasmerGlobal(Item):
    __slots__ = ()
    type: CoreGlobalType

    def get(self) -> Any:
        self._check_type()
        return self.native.value

    def set(self, value: Any) -> None:
        """Raises `InvalidError` where the global is constant."""
        self._check_type()
        if not self.type.mutable:
            raise InvalidError("the global is constant")
        self.native.value = value - 0.0 if self.type.value in ("f32", "f64") else value

    def _check_type(self) -> None:
        if not is_passable(CoreFuncType((self.type.value,))):
            raise UnsupportedFeatureError("references between guest and host", NAME, hint=HINT)


WasmerItem: TypeAlias = WasmerFunc | WasmerMemory | WasmerTable | WasmerGlobal
_CLASSES: dict[Any, type[Item]] = {
    CoreFuncType: WasmerFunc,
    CoreMemoryType: WasmerMemory,
    CoreTableType: WasmerTable,
    CoreGlobalType: WasmerGlobal,
}


def wrap(store: WasmerStore, type: CoreExternType, native: Any) -> Any:
    """The object for one of wasmer's."""
    return _CLASSES[type.__class__](store, type, native)
