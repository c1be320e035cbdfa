"""Bytes → canonical built-ins other than those of resources: tasks, streams, futures, waitables, threads and so on.

In: a `Reader` behind a built-in's code, the scope of its component. Out: the scope, with the new core function, and its
immediates by name. They all decode and validate; which of them run is for the instance to say.

Spec: component-model `Binary.md` and `CanonicalABI.md`, canonical definitions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from wippywasm.binary import features as gates
from wippywasm.binary.canon_options import Options, check_memory, read_options
from wippywasm.binary.component import CanonBuiltin
from wippywasm.binary.core_types import SIMPLE
from wippywasm.binary.limits import TASK_RETURN
from wippywasm.binary.nodes import ValNode
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import Scope, at
from wippywasm.binary.value_types import ValueTypeReader
from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.dataclass import dataclass
from wippywasm.errors import ValidationError
from wippywasm.layout import flatten_functype, flatten_type, needs_memory
from wippywasm.model import STRING, FuncType, FutureType, Param, StreamType

Immediates = dict[str, object]
S = TypeVar("S", StreamType, FutureType)

MAX_CONTEXT_SLOTS = 2


@dataclass(frozen=True)
class Builtin:
    """What a code stands for: its name, the feature it needs, the core function it gives, how its immediates read."""

    name: str
    gate: str
    params: tuple[CoreValType, ...] = ()
    results: tuple[CoreValType, ...] = ()
    read: Callable[[Call], Immediates] | None = None


@dataclass(frozen=True)
class Call:
    """The state while one built-in is read."""

    scope: Scope
    reader: Reader
    builtin: Builtin
    offset: int

    def require(self, feature: str, what: str) -> None:
        self.scope.context.require(feature, f"{what} of `{self.builtin.name}`", self.offset)

    def fail(self, message: str) -> ValidationError:
        return ValidationError(f"{self.builtin.name}: {message}", self.offset)


def read_builtin(scope: Scope, reader: Reader, code: int, offset: int) -> None:
    """Read the built-in that `code`, which stood at `offset`, announces."""
    builtin = BUILTINS.get(code)
    if builtin is None:
        raise reader.bad_byte(code, "a canonical function", offset)
    scope.context.require(builtin.gate, f"`{builtin.name}`", offset)
    call = Call(scope, reader, builtin, offset)
    immediates = builtin.read(call) if builtin.read is not None else {}
    core = immediates.pop("core_type", CoreFuncType(builtin.params, builtin.results))
    assert isinstance(core, CoreFuncType)
    scope.add_core(core, offset)
    scope.define(CanonBuiltin(offset, builtin.name, core, immediates))


# ---- immediates -----------------------------------------------------------------------------------------------------


def _async_flag(call: Call) -> Immediates:
    is_async = call.reader.flag("`async?`, an invalid boolean value")
    if is_async:
        call.require(gates.MORE_ASYNC, "the option `async`")
    return {"async": is_async}


def _cancellable(call: Call) -> Immediates:
    offset = call.reader.pos
    is_cancellable = call.reader.flag("`cancellable?`, an invalid boolean value")
    if is_cancellable and gates.REVISED in call.scope.context.features:
        raise call.reader.bad_byte(1, "a zero byte, which was `cancellable`", offset)
    return {"cancellable": is_cancellable}


def _cancellable_memory(call: Call) -> Immediates:
    immediates = _cancellable(call)
    memory = call.reader.u32()
    check_memory(call.scope, memory, call.offset)
    return {**immediates, "memory": memory}


def _context_slot(call: Call) -> Immediates:
    offset = call.reader.pos
    code = call.reader.byte()
    type = SIMPLE.get(code)
    if type is None:
        raise call.reader.bad_byte(code, "a core value type", offset)
    slot = call.reader.u32()
    if type != "i32":
        raise call.fail(f"the type must be i32, not {type}")
    if slot >= MAX_CONTEXT_SLOTS:
        raise call.fail(f"immediate must be less than {MAX_CONTEXT_SLOTS}: {slot}")
    return {"type": type, "slot": slot}


def _task_return(call: Call) -> Immediates:
    node = ValueTypeReader(call.scope, call.reader).result_list()
    if node is not None and node.has_borrow:
        raise call.fail("function result cannot contain a `borrow` type")
    options = read_options(call.scope, call.reader)
    options.allow_only(frozenset({"memory"}), "`task.return`")
    params = () if node is None else (Param("result", node.type),)
    call.scope.context.made(FuncType(params), call.offset)
    call.scope.context.budget.define(TASK_RETURN, call.offset)
    core = flatten_functype(FuncType(params), "lower")
    spills = node is not None and len(flatten_type(node.type)) > len(core.params)
    if node is not None and (spills or needs_memory(node.type)):
        options.require("memory")
    return {"result": None if node is None else node.type, "options": options.public, "core_type": core}


def _element_of(call: Call, kind: type[S]) -> S:
    index = call.reader.u32()
    node = call.scope.type_at(index, call.offset)
    if not isinstance(node, ValNode) or not isinstance(node.type, kind):
        what = "stream" if kind is StreamType else "future"
        raise call.fail(f"type index {index} is not a {what} type")
    return node.type


def _stream(call: Call) -> Immediates:
    return {"type": _element_of(call, StreamType)}


def _future(call: Call) -> Immediates:
    return {"type": _element_of(call, FutureType)}


def _stream_async(call: Call) -> Immediates:
    return {**_stream(call), **_async_flag(call)}


def _future_async(call: Call) -> Immediates:
    return {**_future(call), **_async_flag(call)}


def _stream_copy(call: Call) -> Immediates:
    return _copy(call, _element_of(call, StreamType))


def _future_copy(call: Call) -> Immediates:
    return _copy(call, _element_of(call, FutureType))


def _copy(call: Call, type: StreamType | FutureType) -> Immediates:
    """Reading puts elements into the guest's memory, writing takes them from there."""
    options = read_options(call.scope, call.reader)
    options.allow_only(frozenset({"memory", "realloc", "async"}), f"`{call.builtin.name}`")
    if "async" not in options.given:
        call.require(gates.MORE_ASYNC, "leaving out the option `async`")
    if type.element is not None:
        options.require("memory")
        if call.builtin.name.endswith(".read") and needs_memory(type.element):
            options.require("realloc")
    return {"type": type, "options": options.public}


def _error_context_options(call: Call) -> Options:
    options = read_options(call.scope, call.reader)
    options.allow_only(frozenset({"memory", "realloc"}), f"`{call.builtin.name}`")
    options.require("memory")
    return options


def _error_context_new(call: Call) -> Immediates:
    return {"type": STRING, "options": _error_context_options(call).public}


def _error_context_debug_message(call: Call) -> Immediates:
    options = _error_context_options(call)
    options.require("realloc")
    return {"type": STRING, "options": options.public}


def _thread_start_type(call: Call) -> int:
    index = call.reader.u32()
    if call.scope.core_types.func(index, call.offset) != CoreFuncType(("i32",), ()):
        raise call.fail("the start function must have the type (func (param i32))")
    return index


def _thread_new(call: Call) -> Immediates:
    type, table = _thread_start_type(call), call.reader.u32()
    _check_table(call, table)
    return {"type": type, "table": table}


def _check_table(call: Call, index: int) -> None:
    table = at(call.scope.core_tables, index, "core table", call.offset)
    if table.element != "funcref" or table.is_64:
        raise call.fail("the table must hold `funcref` and be indexed by i32")


def _shared_flag(call: Call) -> Immediates:
    return {"shared": call.reader.flag("`shared?`, an invalid boolean value")}


def _spawn_ref(call: Call) -> Immediates:
    return {**_shared_flag(call), "type": _thread_start_type(call)}


def _spawn_indirect(call: Call) -> Immediates:
    return {**_shared_flag(call), **_thread_new(call)}


# ---- the table ------------------------------------------------------------------------------------------------------

_I, _II, _III = ("i32",), ("i32", "i32"), ("i32", "i32", "i32")

BUILTINS: dict[int, Builtin] = {
    0x05: Builtin("task.cancel", gates.ASYNC),
    0x06: Builtin("subtask.cancel", gates.ASYNC, _I, _I, _async_flag),
    0x09: Builtin("task.return", gates.ASYNC, read=_task_return),
    0x0A: Builtin("context.get", gates.ASYNC, (), _I, _context_slot),
    0x0B: Builtin("context.set", gates.ASYNC, _I, (), _context_slot),
    0x0C: Builtin("thread.yield", gates.ASYNC, (), _I, _cancellable),
    0x0D: Builtin("subtask.drop", gates.ASYNC, _I),
    0x0E: Builtin("stream.new", gates.ASYNC, (), ("i64",), _stream),
    0x0F: Builtin("stream.read", gates.ASYNC, _III, _I, _stream_copy),
    0x10: Builtin("stream.write", gates.ASYNC, _III, _I, _stream_copy),
    0x11: Builtin("stream.cancel-read", gates.ASYNC, _I, _I, _stream_async),
    0x12: Builtin("stream.cancel-write", gates.ASYNC, _I, _I, _stream_async),
    0x13: Builtin("stream.drop-readable", gates.ASYNC, _I, (), _stream),
    0x14: Builtin("stream.drop-writable", gates.ASYNC, _I, (), _stream),
    0x15: Builtin("future.new", gates.ASYNC, (), ("i64",), _future),
    0x16: Builtin("future.read", gates.ASYNC, _II, _I, _future_copy),
    0x17: Builtin("future.write", gates.ASYNC, _II, _I, _future_copy),
    0x18: Builtin("future.cancel-read", gates.ASYNC, _I, _I, _future_async),
    0x19: Builtin("future.cancel-write", gates.ASYNC, _I, _I, _future_async),
    0x1A: Builtin("future.drop-readable", gates.ASYNC, _I, (), _future),
    0x1B: Builtin("future.drop-writable", gates.ASYNC, _I, (), _future),
    0x1C: Builtin("error-context.new", gates.ERROR_CONTEXT, _II, _I, _error_context_new),
    0x1D: Builtin("error-context.debug-message", gates.ERROR_CONTEXT, _II, (), _error_context_debug_message),
    0x1E: Builtin("error-context.drop", gates.ERROR_CONTEXT, _I),
    0x1F: Builtin("waitable-set.new", gates.ASYNC, (), _I),
    0x20: Builtin("waitable-set.wait", gates.ASYNC, _II, _I, _cancellable_memory),
    0x21: Builtin("waitable-set.poll", gates.ASYNC, _II, _I, _cancellable_memory),
    0x22: Builtin("waitable-set.drop", gates.ASYNC, _I),
    0x23: Builtin("waitable.join", gates.ASYNC, _II),
    0x24: Builtin("backpressure.inc", gates.ASYNC),
    0x25: Builtin("backpressure.dec", gates.ASYNC),
    0x26: Builtin("thread.index", gates.THREADS, (), _I),
    0x27: Builtin("thread.new-indirect", gates.THREADS, _II, _I, _thread_new),
    0x28: Builtin("thread.resume-later", gates.THREADS, _I),
    0x29: Builtin("thread.suspend", gates.THREADS, (), _I, _cancellable),
    0x2A: Builtin("thread.suspend-then-resume", gates.THREADS, _I, _I, _cancellable),
    0x2B: Builtin("thread.yield-then-resume", gates.THREADS, _I, _I, _cancellable),
    0x2C: Builtin("thread.suspend-then-promote", gates.THREADS, _I, _I, _cancellable),
    0x2D: Builtin("thread.yield-then-promote", gates.THREADS, _I, _I, _cancellable),
    0x40: Builtin("thread.spawn-ref", gates.SHARED_THREADS, ("(ref null func)", "i32"), _I, _spawn_ref),
    0x41: Builtin("thread.spawn-indirect", gates.SHARED_THREADS, _II, _I, _spawn_indirect),
    0x42: Builtin("thread.available-parallelism", gates.SHARED_THREADS, (), _I, _shared_flag),
}
