"""Host functions on wasmtime: one C callback for each core type, shared by all stores of an engine.

In: a store's callables, by number. Out: what wasmtime wants of a host function: its type, the callback, and an `env`
that says whose function it is: the store's number in the high bits, the function's in the low ones. So a new instance
costs no new callbacks. Numbers of stores that are gone serve others.

A callback finds its store through a table that holds stores' functions weakly: what a guest's functions refer to is
collected with the guest. Entries of stores that are gone are taken out before their native store is deleted.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable
from functools import lru_cache

import wasmtime

from wippywasm.core import CoreFuncType
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.codegen import without_signal_check
from wippywasm.engine.raw_calls import NUMBER_BITS, host_entry_factory, slots_type
from wippywasm.engine.wasmtime_running import NO_SPARE, Running, Spare
from wippywasm.errors import InvalidError

MAX_SPARES = 64
"""How many traps that no store needs any more are kept for others."""
LAST_NUMBER = (1 << NUMBER_BITS) - 1
_VAL_TYPES: dict[str, Callable[[], wasmtime.ValType]] = {
    "i32": wasmtime.ValType.i32,
    "i64": wasmtime.ValType.i64,
    "f32": wasmtime.ValType.f32,
    "f64": wasmtime.ValType.f64,
    "funcref": wasmtime.ValType.funcref,
    "externref": wasmtime.ValType.externref,
}


class HostCode:
    """The callback for host functions of one type; wasmtime may call it for as long as this lives."""

    __slots__ = ("_entry", "_type", "callback", "type")

    def __init__(self, type: CoreFuncType, waits: bool, live: dict[int, Running]) -> None:
        make = host_entry_factory(type, waits)
        entry = make(live, Running(), slots_type(type).from_address, capi.new_trap)
        self._entry = capi.HostEntry(without_signal_check(entry))
        self._type = native_type(type)
        self.callback = capi.pointer(ctypes.cast(self._entry, ctypes.c_void_p).value)
        self.type = capi.pointer_of(self._type)


class Hosts:
    """The host functions of an engine: the code they share, and the stores whose guests may call them."""

    def __init__(self) -> None:
        self._live: dict[int, Running] = {}
        self._numbers = itertools.count(1)
        self._free: list[int] = []
        self._spares: list[Spare] = []
        self.code = lru_cache(maxsize=1024)(self._code)
        """(type, waits) -> the callback for that; to be kept for as long as a store has functions of it."""

    def _code(self, type: CoreFuncType, waits: bool = False) -> HostCode:
        return HostCode(type, waits, self._live)

    def enter(self, running: Running) -> int:
        """Make a store's functions callable. Gives the `env` of its function 0; those of others are that many more."""
        try:
            number = self._free.pop()
        except IndexError:
            number = next(self._numbers)
        running.spare = self._spare()
        self._live[number] = running
        return number << NUMBER_BITS

    def _spare(self) -> Spare:
        while True:
            try:
                spare = self._spares.pop()
            except IndexError:
                return Spare(capi.new_trap())
            if spare.trap:
                return spare

    def leave(self, env: int) -> None:
        """The other end of `enter`."""
        number = env >> NUMBER_BITS
        running = self._live.pop(number, None)
        if running is not None:
            self._free.append(number)
            if len(self._spares) < MAX_SPARES:
                self._spares.append(running.spare)
                running.spare = NO_SPARE


def native_type(type: CoreFuncType) -> wasmtime.FuncType:
    """wasmtime's own object for a type; raises `InvalidError` for one that has no host functions."""
    return wasmtime.FuncType([_val_type(p) for p in type.params], [_val_type(r) for r in type.results])


def _val_type(name: str) -> wasmtime.ValType:
    if name not in _VAL_TYPES:
        raise InvalidError(f"a host function can't take or give {name}")
    return _VAL_TYPES[name]()
