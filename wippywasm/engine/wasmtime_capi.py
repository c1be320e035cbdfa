"""A thin binding of the parts of wasmtime's C API that are hot, or that its Python package does not reach.

In: addresses and raw buffers. Out: the same. The package `wasmtime` loads the library and declares every function with
argument types; that is convenient and ten times slower than a bare ctypes call with ready-made arguments, which is what
this file sets up. Nothing else in the project knows the C API.

Two handles on one library: a call through `lib` releases the GIL (guests run, modules compile), through `quick` not.

Reference: `wasmtime.h`, `wasm.h`; sizes below are those of the major version this project pins, checked in the tests.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import addressof, byref, c_char, c_size_t, c_void_p
from functools import lru_cache
from typing import Any

import wasmtime
from wasmtime import _bindings as bindings
from wasmtime import _ffi as ffi
from wasmtime._trap import FrameList

EXTERN_SIZE = ctypes.sizeof(bindings.wasmtime_extern_t)
EXTERN_OF = 8
"""Offset of the item itself in a `wasmtime_extern_t`."""
INSTANCE_SIZE = ctypes.sizeof(bindings.wasmtime_instance_t)
VAL_SIZE = ctypes.sizeof(bindings.wasmtime_val_t)
VAL_OF = 8
RAW_SIZE = 16
"""Size of a `wasmtime_val_raw_t`: the slot of one value in an unchecked call."""

FUNC, GLOBAL, TABLE, MEMORY, SHARED_MEMORY, TAG = range(6)
I32, I64, F32, F64, V128, FUNCREF, EXTERNREF = range(7)
KINDS = {"i32": I32, "i64": I64, "f32": F32, "f64": F64, "v128": V128, "funcref": FUNCREF, "externref": EXTERNREF}
PYBUF_WRITE = 0x200

_NAME = ffi.dll._name
lib = ctypes.CDLL(_NAME)
quick = ctypes.PyDLL(_NAME)

HostEntry = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_void_p, c_void_p, c_size_t)
"""`wasmtime_func_unchecked_callback_t` with the values as a bare address: (env, caller, values, count) -> trap or 0."""


def _declare(handle: ctypes.CDLL, name: str, restype: Any, argtypes: list[Any] | None = None) -> Callable[..., Any]:
    function = getattr(handle, name)
    function.restype = restype
    if argtypes is not None:
        function.argtypes = argtypes
    return function  # type: ignore[no-any-return]


_P = c_void_p
call_unchecked = _declare(lib, "wasmtime_func_call_unchecked", c_size_t)
"""(context, func, values, count, trap out) -> error or 0; arguments must be ready-made ctypes objects."""
memory_data_size = _declare(quick, "wasmtime_memory_data_size", c_size_t)
memory_data = _declare(quick, "wasmtime_memory_data", c_size_t)
memory_size = _declare(quick, "wasmtime_memory_size", ctypes.c_uint64)
memory_grow = _declare(lib, "wasmtime_memory_grow", c_size_t, [_P, _P, ctypes.c_uint64, _P])
shared_data_size = _declare(quick, "wasmtime_sharedmemory_data_size", c_size_t, [_P])
shared_data = _declare(quick, "wasmtime_sharedmemory_data", c_size_t, [_P])
shared_size = _declare(quick, "wasmtime_sharedmemory_size", ctypes.c_uint64, [_P])
shared_grow = _declare(lib, "wasmtime_sharedmemory_grow", c_size_t, [_P, ctypes.c_uint64, _P])
table_size = _declare(quick, "wasmtime_table_size", ctypes.c_uint64, [_P, _P])
table_get = _declare(quick, "wasmtime_table_get", ctypes.c_bool, [_P, _P, ctypes.c_uint64, _P])
table_set = _declare(quick, "wasmtime_table_set", c_size_t, [_P, _P, ctypes.c_uint64, _P])
global_get = _declare(quick, "wasmtime_global_get", None, [_P, _P, _P])
global_set = _declare(quick, "wasmtime_global_set", c_size_t, [_P, _P, _P])
store_new = _declare(quick, "wasmtime_store_new", c_size_t)
"""(engine, data, finalizer) -> store; ready-made arguments, here and where no types are declared."""
store_context = _declare(quick, "wasmtime_store_context", c_size_t)
store_limiter = _declare(quick, "wasmtime_store_limiter", None)
store_delete = _declare(lib, "wasmtime_store_delete", None)
func_type = _declare(quick, "wasmtime_func_type", c_size_t, [_P, _P])
func_new_unchecked = _declare(quick, "wasmtime_func_new_unchecked", None)
"""(context, type, callback, env, finalizer, func out)"""
instance_new = _declare(lib, "wasmtime_instance_new", c_size_t)
"""(context, module, imports, count, instance out, trap out) -> error or 0"""
instance_export = _declare(quick, "wasmtime_instance_export_get", ctypes.c_bool)
"""(context, instance, name, size of name, extern out) -> whether there is one"""
extern_delete = _declare(quick, "wasmtime_extern_delete", None, [_P])
_trap_new = _declare(quick, "wasmtime_trap_new", c_size_t)
error_delete = _declare(quick, "wasmtime_error_delete", None, [_P])
_trap_code = _declare(quick, "wasmtime_trap_code", ctypes.c_bool, [_P, _P])
trap_delete = _declare(quick, "wasm_trap_delete", None, [_P])
module_new = _declare(lib, "wasmtime_module_new", c_size_t, [_P, ctypes.c_char_p, c_size_t, _P])
module_validate = _declare(lib, "wasmtime_module_validate", c_size_t, [_P, ctypes.c_char_p, c_size_t])
module_deserialize = _declare(lib, "wasmtime_module_deserialize", c_size_t, [_P, ctypes.c_char_p, c_size_t, _P])
shared_memory_set = _declare(quick, "wasmtime_config_shared_memory_set", None, [_P, ctypes.c_bool])
nan_canonicalization_set = _declare(
    quick, "wasmtime_config_cranelift_nan_canonicalization_set", None, [_P, ctypes.c_bool]
)
epoch_interruption_set = _declare(quick, "wasmtime_config_epoch_interruption_set", None, [_P, ctypes.c_bool])
engine_increment_epoch = _declare(quick, "wasmtime_engine_increment_epoch", None, [_P])
pool_config_new = _declare(quick, "wasmtime_pooling_allocation_config_new", c_size_t, [])
pool_config_delete = _declare(quick, "wasmtime_pooling_allocation_config_delete", None, [_P])
pooling_strategy_set = _declare(quick, "wasmtime_pooling_allocation_strategy_set", None, [_P, _P])


def pool_config_set(name: str) -> Callable[..., None]:
    """(pool config, value), for the setting of that name."""
    kind = ctypes.c_uint32 if name.startswith("total_") else c_size_t
    return _declare(quick, f"wasmtime_pooling_allocation_config_{name}_set", None, [_P, kind])


set_epoch_deadline = _declare(quick, "wasmtime_context_set_epoch_deadline", None)
"""(context, ticks from now); arguments must be ready-made ctypes objects."""
epoch_deadline_callback = _declare(quick, "wasmtime_store_epoch_deadline_callback", None, [_P, _P, _P, _P])
_error_new = _declare(quick, "wasmtime_error_new", c_size_t, [ctypes.c_char_p])
linker_define_async_func = _declare(
    quick,
    "wasmtime_linker_define_async_func",
    c_size_t,
    [_P, ctypes.c_char_p, c_size_t, ctypes.c_char_p, c_size_t, _P, _P, _P, _P],
)
linker_get = _declare(
    quick, "wasmtime_linker_get", ctypes.c_bool, [_P, _P, ctypes.c_char_p, c_size_t, ctypes.c_char_p, c_size_t, _P]
)
func_call_async = _declare(quick, "wasmtime_func_call_async", c_size_t)
"""(context, func, args, count, results, count, trap out, error out) -> future; ready-made ctypes objects."""
future_poll = _declare(lib, "wasmtime_call_future_poll", ctypes.c_bool, [_P])
"""Runs the guest on its fiber until it is done (true) or suspended."""
future_delete = _declare(quick, "wasmtime_call_future_delete", None, [_P])
"""Frees a future; one that is not done ends there, its guest's frames unwound."""

EpochEntry = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_void_p, c_void_p)
"""(context, data, delta out, kind out) -> error or 0, called where a guest has used up its slice."""
CONTINUE, YIELD = 0, 1
AsyncEntry = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p, c_void_p)
"""`wasmtime_func_async_callback_t`: (env, caller, args, count, results, count, trap out, continuation out)."""
ContinuationEntry = ctypes.CFUNCTYPE(ctypes.c_bool, c_size_t)
"""`wasmtime_func_async_continuation_callback_t`: (env) -> whether the host function is done."""


class Continuation(ctypes.Structure):
    """`wasmtime_async_continuation_t`."""

    _fields_ = [("callback", c_void_p), ("env", c_size_t), ("finalizer", c_void_p)]


view_at: Callable[[int, int, int], memoryview] = ctypes.PYFUNCTYPE(
    ctypes.py_object, c_void_p, ctypes.c_ssize_t, ctypes.c_int
)(("PyMemoryView_FromMemory", ctypes.pythonapi))
"""(address, size, flags) -> a view of raw memory, which nothing keeps alive."""


pointer: Callable[[int | None], Any] = c_void_p.from_param
"""The address as a ready-made argument: it costs a call a third less than a `c_void_p`."""
size: Callable[[int], Any] = c_size_t.from_param
"""The number as a ready-made argument of type `size_t`."""
int64: Callable[[int], Any] = ctypes.c_int64.from_param
"""The same of type `int64_t`."""


pointer_to: Callable[..., Any] = byref
"""(memory, offset = 0) -> a pointer into it, ready to pass, which keeps it."""


class Block:
    """Zeroed native memory that Python owns, made by `block`: a ctypes array of bytes."""

    __slots__ = ()

    @property
    def pointer(self) -> Any:
        """What `pointer_to` gives."""
        return pointer_to(self)

    @property
    def address(self) -> int:
        """Where it is; that does not keep it."""
        array: Any = self
        return addressof(array)

    def at(self, offset: int) -> Any:
        """A pointer into it."""
        return pointer_to(self, offset)

    def view(self, start: int = 0, end: int | None = None) -> memoryview:
        """All of it, or a part, as bytes."""
        array: Any = self
        view = memoryview(array).cast("B")
        return view if end is None and not start else view[start:end]


@lru_cache(maxsize=1024)
def _block_type(size: int) -> Callable[[], Block]:
    array: Any = c_char * size
    made: Callable[[], Block] = type(array)("Block", (Block, array), {"__slots__": ()})
    return made


def block(size: int) -> Block:
    """Memory of so many bytes."""
    return _block_type(size)()


new_extern: Callable[[], Block] = _block_type(EXTERN_SIZE)
"""Memory for a `wasmtime_extern_t`."""


_HOST = ctypes.c_char_p(b"host")
_HOST_SIZE = c_size_t(4)


def new_trap() -> int:
    """A trap that unwinds the guest up to the host's nearest call."""
    trap: int = _trap_new(_HOST, _HOST_SIZE)
    return trap


def new_error(message: bytes) -> int:
    """A `wasmtime_error_t` that unwinds the guest."""
    error: int = _error_new(message)
    return error


def has_code(trap: int) -> bool:
    """Whether a trap is the guest's own: traps that the host made have no code."""
    return bool(_trap_code(trap, block(8).pointer))


def pointer_of(managed: Any) -> Any:
    """The native pointer behind an object of the `wasmtime` package."""
    return pointer(ctypes.cast(managed.ptr(), c_void_p).value)


def take_error(address: int) -> wasmtime.WasmtimeError:
    """Own the `wasmtime_error_t` at `address`."""
    return wasmtime.WasmtimeError._from_ptr(ctypes.cast(address, ctypes.POINTER(bindings.wasmtime_error_t)))


def error_frames(address: int) -> list[wasmtime.Frame]:
    """The guest's frames where the `wasmtime_error_t` at `address` was made."""
    frames = FrameList(None)
    ffi.wasmtime_error_wasm_trace(ctypes.cast(address, ctypes.POINTER(bindings.wasmtime_error_t)), byref(frames.vec))
    return [wasmtime.Frame._from_ptr(frames.vec.data[k], frames) for k in range(frames.vec.size)]


def take_trap(address: int) -> wasmtime.Trap:
    """Own the `wasm_trap_t` at `address`."""
    return wasmtime.Trap._from_ptr(ctypes.cast(address, ctypes.POINTER(bindings.wasm_trap_t)))


def take_module(address: int) -> wasmtime.Module:
    """Own the `wasmtime_module_t` at `address`."""
    return wasmtime.Module._from_ptr(ctypes.cast(address, ctypes.POINTER(bindings.wasmtime_module_t)))


def take_func_type(address: int) -> wasmtime.FuncType:
    """Own the `wasm_functype_t` at `address`."""
    return wasmtime.FuncType._from_ptr(ctypes.cast(address, ctypes.POINTER(bindings.wasm_functype_t)), None)
