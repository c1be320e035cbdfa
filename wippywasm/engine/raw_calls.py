"""Function type → generated code that moves core values to and from wasmtime's raw slots.

In: a `CoreFuncType`. Out: for calls into the guest, a factory of closures that write the arguments into the buffer of
their store, call, and read the results; for calls to the host, a factory of C callbacks that find a Python callable.
A raw slot is 16 bytes; arguments and results share the slots, from the first on.

Reference: `wasmtime_func_call_unchecked`, `wasmtime_func_new_unchecked`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache, partial
from threading import get_ident
from typing import Any

from wippywasm.calling import under_way
from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.engine import stacks
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.codegen import build_factory
from wippywasm.engine.ending import GUEST_CALL
from wippywasm.engine.port import CoreCallable
from wippywasm.engine.recursion import HOST_ENTRY
from wippywasm.engine.spans import bounded
from wippywasm.errors import InvalidError

SLOT = 16
USUAL_ROOM = 16
"""For how many values the buffer of most calls has room."""
MAX_FREE = 64
"""How many buffers that no store uses are kept."""
NUMBER_BITS = 24
"""How much of a host function's `env` is its number in its store; the rest is the store's."""
# core type -> (view of the buffer, its items in a slot)
_VIEWS = {"i32": ("i", 4), "i64": ("q", 2), "f32": ("f", 4), "f64": ("d", 2)}
_FIELDS: dict[str, Any] = {
    "i32": ctypes.c_int32,
    "i64": ctypes.c_int64,
    "f32": ctypes.c_float,
    "f64": ctypes.c_double,
    "v128": ctypes.c_uint8 * SLOT,
}


def _store_argument(type: CoreValType, index: int) -> str:
    if type in _VIEWS:
        view, items = _VIEWS[type]
        return f"{view}[{(index + 1) * items}] = a{index}"
    if type == "v128":
        return f"b[{(index + 1) * SLOT}:{(index + 2) * SLOT}] = a{index}.to_bytes({SLOT}, 'little')"
    return f"q[{(index + 1) * 2}] = null_in(a{index})"


def _load_result(type: CoreValType, index: int) -> str:
    if type in _VIEWS:
        view, items = _VIEWS[type]
        return f"{view}[{(index + 1) * items}]"
    if type == "v128":
        return f"int.from_bytes(b[{(index + 1) * SLOT}:{(index + 2) * SLOT}], 'little')"
    return f"null_out(q[{(index + 1) * 2}])" if _is_function(type) else f"null_out(i[{(index + 1) * 4}])"


def _is_function(type: CoreValType) -> bool:
    """Whether a reference of this type is an address (functions) or a 32-bit handle (all others)."""
    return type.removeprefix("(ref ").removeprefix("null ").lstrip("(").startswith(("func", "nofunc", "nullfunc"))


def null_in(value: object) -> int:
    """The raw form of the only reference that the host may pass."""
    if value is not None:
        raise InvalidError(f"only null crosses as a reference, got {value!r}")
    return 0


def null_out(raw: int) -> None:
    """The only reference that the guest may pass."""
    if raw:
        raise InvalidError("only null crosses as a reference, the guest passed another")


def _bundle(parts: list[str]) -> str:
    """None, the one value, or a tuple."""
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})" if parts else "None"


_CALL_SCOPE = {
    "native": capi.call_unchecked,
    "ident": get_ident,
    "fit": stacks.fit,
    "admit": stacks.admit,
    "under_way": under_way,
    "bounded": bounded,
    "null_in": null_in,
    "null_out": null_out,
}


class Slots:
    """The buffer that the calls into a store share: a slot for the trap, then those of arguments and results.

    `q`, `i`, `f`, `d` and `b` are views of all of it, each named by its format, with `b` for bytes. Sharing is safe
    where calls nest: a guest has read its arguments when it calls the host, and writes its results when it returns,
    just before they are read.
    """

    __slots__ = ("b", "d", "f", "i", "place", "q", "trap")

    def __init__(self, room: int) -> None:
        block = capi.block(SLOT * (room + 1))
        self.trap = block.pointer
        self.place = block.at(SLOT)
        self.b = base = block.view()
        self.q, self.i, self.f, self.d = base.cast("q"), base.cast("i"), base.cast("f"), base.cast("d")


class SlotsPool:
    """Those of an engine with `USUAL_ROOM`, which serve one store after another."""

    def __init__(self) -> None:
        self._free: list[Slots] = []

    def take(self) -> Slots:
        """Some that no store uses now."""
        try:
            return self._free.pop()
        except IndexError:
            return Slots(USUAL_ROOM)

    def give_back(self, slots: Slots) -> None:
        """Keep slots for another store: no call of the one that had them gets as far as to use them any more."""
        if len(self._free) < MAX_FREE:
            self._free.append(slots)


@lru_cache(maxsize=1024)
def guest_call_factory(type: CoreFuncType) -> Callable[..., CoreCallable]:
    """`make(store, function) -> call`, with the pointer to a function of that type.

    `first`, where there is one, raises what there is to raise before the guest is called (see `Running`).
    `admit()` raises where the thread's stack may have no room for the guest; `bounded()` calls it within
    another guest's call.
    """
    params = ", ".join(f"a{k}" for k in range(len(type.params)))
    moves = [_store_argument(p, k) for k, p in enumerate(type.params)]
    loads = [_load_result(r, k) for k, r in enumerate(type.results)]
    views = [v for v in "qifdb" if v == "q" or any(f"{v}[" in move for move in moves + loads)]
    count = max(len(type.params), len(type.results))
    lines = [
        "def make(store, function):",
        "    context, running = store.context, store.running",
        f"    slots = store.slots({count})",
        "    place, trap = slots.place, slots.trap",
        *(f"    {v} = slots.{v}" for v in views),
        f"    def call({params}):",
        "        first = running.first",
        "        if first:",
        "            first()",
        "        q[0] = 0",
        *(f"        {move}" for move in moves),
        "        if ident() not in fit:",
        "            admit(running)",
        "        if under_way and not running.spans.calls and not running.on_fiber:",
        "            error = bounded(store, native, context, function, place, count, trap)",
        "        else:",
        "            error = native(context, function, place, count, trap)",
        "        if error or q[0]:",
        "            trapped = q[0]",
        "            q[0] = 0",
        "            raise store.failure(error, trapped)",
        f"        return {_bundle(loads)}",
        "    return call",
    ]
    return build_factory(lines, GUEST_CALL, {**_CALL_SCOPE, "count": capi.size(count)})


@lru_cache(maxsize=1024)
def host_entry_factory(type: CoreFuncType, waits: bool = False) -> Callable[..., Callable[..., int]]:
    """`make(live, nobody, at, new_trap) -> entry`, a Python function for a `HostEntry` callback.

    `env` is the number of a store, by which `live` has how it runs, and below that of one of its functions.
    `at` is `slots_type(type).from_address`; what it gave last serves the next call from the same place. `settle` looks
    at an address that may leave too little of the stack.
    What the function raises is left in `state.raised` and a trap is returned, one made beforehand: the handler calls
    nothing, so that a full stack can't strike in it. The outer handler is for a second signal, which CPython 3.10 lets
    in at the start of a handler. Nothing is called before `depth` is known, so that no signal strikes there.
    With `waits`, the last result is not the function's: it tells whether it has parked its guest, in which case the
    others do not count.
    """
    lines = [
        "def make(live, nobody, at, new_trap):",
        "    last = None, 0",
        "    def entry(env, caller, address, count):",
        "        nonlocal last",
        "        try:",
        "            try:",
        "                state = nobody",
        "                depth = 0",
        f"                state = live[env >> {NUMBER_BITS}]",
        "                depth = state.depth",
        "                state.depth = depth + 1",
        "                stack = state.stack",
        "                if not stack.deep < address < stack.top:",
        "                    settle(state, address)",
        "                v, where = last",
        "                if where != address:",
        "                    v = at(address)",
        "                    last = v, address",
        *(f"                {line}" for line in (_parking_call(type) if waits else _call(type))),
        f"                if state.spans.are_bounded{' and not state.parked' if waits else ''}:",
        "                    state.check()",
        "                state.depth = depth",
        "                return 0",
        "            except BaseException as error:",
        "                state.depth = depth",
        "                state.raised = error",
        "                spare = state.spare",
        "                trap = spare.trap",
        "                spare.trap = 0",
        "                return trap or new_trap()",
        "        except BaseException as error:",
        "            state.depth = depth",
        "            state.raised = error",
        "            return new_trap()",
        "    return entry",
    ]
    results = type.results[:-1] if waits else type.results
    scope = {
        "null_out": null_out,
        "pack": partial(pack_results, results),
        "settle": stacks.settle,
    }
    return build_factory(lines, HOST_ENTRY, scope)


def _host_call(type: CoreFuncType) -> str:
    arguments = ", ".join(_read_argument(p, k) for k, p in enumerate(type.params))
    return f"state.functions()[env & {(1 << NUMBER_BITS) - 1}]({arguments})"


def _call(type: CoreFuncType) -> list[str]:
    call = _host_call(type)
    return [f"{_targets(type.results)} = {_packed(type.results, call)}" if type.results else call]


def _parking_call(type: CoreFuncType) -> list[str]:
    results = type.results[:-1]
    lines = [f"result = {_host_call(type)}", f"v.r{len(results)} = state.parked"]
    if results:
        lines.append(f"if not state.parked: {_targets(results)} = {_packed(results, 'result')}")
    return lines


def _targets(results: tuple[CoreValType, ...]) -> str:
    return _bundle([f"v.r{k}" for k in range(len(results))])


def _read_argument(type: CoreValType, index: int) -> str:
    if type in _VIEWS:
        return f"v.a{index}"
    if type == "v128":
        return f"int.from_bytes(v.a{index}, 'little')"
    return f"null_out(v.a{index})"


def _packed(results: tuple[CoreValType, ...], call: str) -> str:
    """`call` where its results go into fields as they are; else through `pack_results`."""
    return call if all(r in _VIEWS for r in results) else f"pack({call})"


def pack_results(types: tuple[CoreValType, ...], results: Any) -> Any:
    """Results as their fields take them: vectors as bytes, null references as 0."""
    values = results if len(types) > 1 else (results,)
    packed = tuple(_pack(type, value) for type, value in zip(types, values, strict=True))
    return packed if len(types) > 1 else packed[0]


def _pack(type: CoreValType, value: Any) -> Any:
    if type in _VIEWS:
        return value
    return _FIELDS[type](*value.to_bytes(SLOT, "little")) if type == "v128" else null_in(value)


def _field(type: CoreValType) -> Any:
    return _FIELDS.get(type) or (ctypes.c_uint64 if _is_function(type) else ctypes.c_uint32)


@lru_cache(maxsize=1024)
def slots_type(signature: CoreFuncType) -> Any:
    """A ctypes layout of the slots: fields `a0`, `a1`, … for the arguments and `r0`, `r1`, … for the results."""
    layouts = []
    for prefix, types in (("a", signature.params), ("r", signature.results)):
        fields: list[tuple[str, Any]] = []
        for index, item in enumerate(types):
            field = _field(item)
            padding = ctypes.c_char * (SLOT - ctypes.sizeof(field))
            fields += [(f"{prefix}{index}", field), (f"_{prefix}{index}", padding)]
        layouts.append(_layout(ctypes.Structure, fields))
    return _layout(ctypes.Union, [("arguments", layouts[0]), ("results", layouts[1])], ("arguments", "results"))


def _layout(base: Any, fields: list[tuple[str, Any]], anonymous: tuple[str, ...] = ()) -> Any:
    members: dict[str, Any] = {"_anonymous_": anonymous, "_fields_": fields, "__slots__": ()}
    return type(base.__name__, (base,), members)
