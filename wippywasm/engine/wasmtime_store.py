"""A guest's store on wasmtime: its instances, and the host functions they may call.

In: compiled modules, host callables. Out: instances whose functions cost about as much as a call through ctypes can.

Reference: `wasmtime_capi`.
"""

from __future__ import annotations

import ctypes
import weakref
from collections import deque
from collections.abc import Sequence
from ctypes import byref, c_void_p
from functools import cached_property, lru_cache, partial
from itertools import repeat
from threading import get_ident
from typing import TYPE_CHECKING, Any

from wippywasm.calling import under_way
from wippywasm.core import CoreExternType, CoreFuncType
from wippywasm.engine import linking, rewrite, stacks
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.assembly import HostSource, Make, Part, Source
from wippywasm.engine.bounds import BoundsOf
from wippywasm.engine.port import (
    MAX_INSTANCES,
    MAX_MEMORIES,
    MAX_TABLE_ELEMENTS,
    MAX_TABLES,
    CoreCallable,
    CoreItem,
    Module,
    StoreLimits,
)
from wippywasm.engine.raw_calls import USUAL_ROOM, Slots
from wippywasm.engine.spans import Span, bounded
from wippywasm.engine.traps import python_headroom
from wippywasm.engine.wasmtime_epochs import watch
from wippywasm.engine.wasmtime_failures import failure_of, refused
from wippywasm.engine.wasmtime_fibers import Fibers, WaitingFunc
from wippywasm.engine.wasmtime_hosts import LAST_NUMBER, HostCode
from wippywasm.engine.wasmtime_items import Item, WasmtimeFunc, copy_extern
from wippywasm.engine.wasmtime_modules import NOTED, START, WasmtimeInstance, WasmtimeModule
from wippywasm.engine.wasmtime_parts import Imports, PreparedPart, Shims, Sources
from wippywasm.engine.wasmtime_running import NEVER, Functions, Running, closed, refuse
from wippywasm.engine.wasmtime_shims import begin_type
from wippywasm.engine.wasmtime_traps import frames_of_error, uncaught
from wippywasm.errors import Frame, InternalError, Trap, UnavailableError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_engine import WasmtimeEngine

EXTERN_SIZE = capi.EXTERN_SIZE
EXTERNS = capi.INSTANCE_SIZE
"""Where the imports lie in the memory of an instance, behind the instance itself."""
_NULLS = repeat(None)


class WasmtimeStore:
    """The instances of one guest, and the host functions they may call."""

    _native: Any = None
    _context: Any = None
    _room: list[None] | None = None
    _functions: Functions | None = None
    _env = 0
    _watched = False
    _users = 0
    """How many use the native store beside the calls that are under way."""
    _slots: Slots | None = None
    _fibers: Fibers | None = None
    _rewritten: tuple[tuple[WasmtimeModule, Any], ...] = ()
    """Instances of modules that were rewritten."""

    def __init__(self, engine: WasmtimeEngine, limits: StoreLimits, room: list[None] | None = None) -> None:
        """`room` is the pool in which a place was taken for the store, which gives it back."""
        self.engine = engine
        self.limits = limits
        self.running = Running()
        self._held: list[Any] = []
        native = self._native = capi.pointer(capi.store_new(engine.pointer, None, None))  # what is freed is all there
        context = self._context = capi.pointer(capi.store_context(native))
        capi.set_epoch_deadline(context, NEVER)
        capi.store_limiter(
            native, *_bounds(limits.memory_bytes, self._elements(limits), MAX_INSTANCES, MAX_TABLES, MAX_MEMORIES)
        )
        self._room = room

    @staticmethod
    def _elements(limits: StoreLimits) -> int | None:
        """The bound on each table."""
        return limits.table_elements

    @cached_property
    def bounds(self) -> BoundsOf:
        """The limits, and which of them were in the way."""
        return BoundsOf(self.limits)

    @property
    def context(self) -> Any:
        """The native store; raises `UnavailableError` once it is closed."""
        if self._context is None:
            raise closed()
        return self._context

    def instantiate(self, module: Module, imports: Sequence[CoreItem]) -> WasmtimeInstance:
        assert isinstance(module, WasmtimeModule)
        linking.check_count(module.imports, imports)
        block = capi.block(EXTERNS + capi.EXTERN_SIZE * len(imports))
        self._put(module, imports, block)
        error = self._new_instance(module, block.at(EXTERNS), block.pointer)
        if error:
            raise refused(module, [item.type for item in imports if isinstance(item, Item)], error)
        return WasmtimeInstance(self, module, block.pointer)

    def assemble(self, parts: Sequence[Part], instances: list[Any], make: Make) -> None:
        """`instantiate` each part with what its sources name, and append it to `instances`, all of this store."""
        block, at = capi.block(capi.INSTANCE_SIZE * len(parts)), 0
        for part in parts:
            module: Any = part.module
            prepared, pointer = part.prepared, capi.pointer_to(block, at)
            at += capi.INSTANCE_SIZE
            if prepared is None:
                prepared = part.prepared = PreparedPart(self.engine, part.sources, instances)
            if prepared.count:
                self._held.append(part)
                error = self._with_sources(module, prepared, instances, make, pointer)
            else:
                error = self._new_instance(module, None, pointer)
            if error:
                raise refused(module, [_type_of(source, instances) for source in part.sources], error)
            instances.append(WasmtimeInstance(self, module, pointer))

    def _with_sources(
        self, module: WasmtimeModule, prepared: PreparedPart, instances: list[Any], make: Make, pointer: Any
    ) -> str:
        """`_new_instance` with what its sources name, in a place that serves the next as well."""
        if prepared.shims is not None:
            instances = [*instances, self._shim(prepared.shims, make)]
        imports = prepared.take()
        self._put_sources(prepared.sources, instances, imports, make)
        error = self._new_instance(module, imports.pointer, pointer)
        prepared.give_back(imports)
        return error

    def _shim(self, shims: Shims, make: Make) -> WasmtimeInstance:
        """What stands between a part and its host functions that may park the guest."""
        rest = self.fibers.imports(shims.types)
        count = shims.begins.count
        block = capi.block(EXTERNS + EXTERN_SIZE * (count + len(rest)))
        begun = Imports(shims.begins)
        self._put_sources(shims.begins, (), begun, make)
        ctypes.memmove(block.at(EXTERNS), begun.pointer, EXTERN_SIZE * count)
        for index, item in enumerate(rest, count):
            copy_extern(item, block.address + EXTERNS + EXTERN_SIZE * index)
        error = self._new_instance(shims.module, block.at(EXTERNS), block.pointer)
        if error:
            raise refused(shims.module, [i.type for i in shims.module.imports], error)
        return WasmtimeInstance(self, shims.module, block.pointer)

    def _put_sources(self, sources: Sources, instances: Sequence[Any], imports: Imports, make: Make) -> None:
        context = repeat(self.context)
        if sources.numbers:
            self._host_functions().make = make
            envs, types = imports.envs(self._env), sources.types
            deque(map(capi.func_new_unchecked, context, types, sources.callbacks, envs, _NULLS, imports.hosts), 0)
        if sources.names:
            having = map([i.pointer for i in instances].__getitem__, sources.instances)
            if not all(map(capi.instance_export, context, having, sources.names, sources.sizes, imports.exports)):
                raise InternalError("an instance lacks one of its exports")

    def _host_functions(self) -> Functions:
        """Those of this store, whose number 0 has `_env`."""
        functions = self._functions
        if functions is None:
            running, hosts = self.running, self.engine.hosts
            functions = self._functions = Functions()
            running.functions = weakref.ref(functions)
            self._env = hosts.enter(running)
            running.first = python_headroom
        return functions

    def _new_instance(self, module: WasmtimeModule, imports: Any, pointer: Any) -> str:
        """Instantiate into the memory at `pointer`; the message of wasmtime's refusal, if it refused."""
        context, trap = self.context, c_void_p()
        if get_ident() not in stacks.fit:
            stacks.admit(self.running)
        is_within = under_way and not self.running.spans.calls and not self.running.on_fiber
        make = partial(bounded, self, capi.instance_new) if is_within else capi.instance_new
        error = make(context, module.pointer, imports, module.import_count, pointer, byref(trap))
        if error or trap:
            return self._refusal(error, trap.value or 0)
        if module.noted:
            self._rewritten += ((module, pointer),)
            if module.starts:
                WasmtimeInstance(self, module, pointer).find(START).call()
        return ""

    def _refusal(self, error: int, trap: int) -> str:
        """Own what came instead of an instance: wasmtime's message; raises what the guest ended with."""
        if trap or self.running.raised is not None:
            raise self.failure(error, trap)
        frames = list(map(self._place, frames_of_error(error)))
        message = str(capi.take_error(error))
        thrown = uncaught(frames, message)
        if thrown is not None:
            raise thrown
        return message

    def _put(self, module: WasmtimeModule, imports: Sequence[CoreItem], block: capi.Block) -> None:
        waiting = [i for i in imports if i.__class__ is WaitingFunc and i.begin is not None and i.store is self]
        if waiting:
            self.fibers.shim(list(dict.fromkeys(waiting)))
        for index, item in enumerate(imports):
            if not isinstance(item, Item) or item.store is not self:
                raise linking.foreign(module.imports[index])
            copy_extern(item, block.address + EXTERNS + EXTERN_SIZE * index)

    def host_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> WasmtimeFunc:
        return self._host_func(type, self.engine.hosts.code(type), function)

    def _host_func(self, type: CoreFuncType, code: HostCode, function: CoreCallable) -> WasmtimeFunc:
        context = self.context
        number = LAST_NUMBER - len(self._held)  # those of `assemble` count up from 0
        self._host_functions()[number] = function
        self._held.append(code)
        func = WasmtimeFunc(self, type, capi.new_extern())
        env = capi.pointer(self._env + number)
        capi.func_new_unchecked(context, code.type, code.callback, env, None, func.handle)
        return func

    def waiting_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> WasmtimeFunc:
        """A host function that may park its guest, for modules to import; see `FiberStore`."""
        halved = begin_type(type)
        func = WaitingFunc(self, type, capi.new_extern())
        func.begin = self._host_func(halved, self.engine.hosts.code(halved, waits=True), function)
        return func

    @property
    def pace(self) -> Running:
        """Whether its guest was slow where it can't be suspended."""
        return self.running

    @property
    def fibers(self) -> Fibers:
        """How the guests of this store run on fibers."""
        if self._fibers is None:
            self._fibers = Fibers(self)
        return self._fibers

    # ---- time

    def watch(self) -> None:
        """Have the guest stopped after each slice from now on: it can be interrupted then."""
        context = self._use()
        try:
            if not self._watched:
                self._watched = True
                self.running.first = python_headroom
                watch(self._native, self.running, self.engine.ticker)
            ticker = self.engine.ticker
            ticker.used = True
            if not ticker.awake:
                ticker.wake()
            capi.set_epoch_deadline(context, self.running.slice)
        finally:
            self._let_go()

    def start_clock(self, span: Span) -> None:
        """The guest can be ended until `stop_clock`, and is when the span is to end."""
        running = self.running
        is_first = not running.spans
        running.begin(span)
        if is_first:  # else a slice is under way, and a call that is refused must not lengthen it
            self.watch()
        elif self._context is None:
            raise closed()

    def stop_clock(self, span: Span) -> None:
        """The other end of `start_clock`, also where that has failed."""
        running = self.running
        running.spans.end(span)
        if running.is_armed:
            return
        self._users += 1
        context = self._context
        if context is not None:
            capi.set_epoch_deadline(context, NEVER)
        self._let_go()

    can_end = True

    @property
    def is_timed(self) -> bool:
        """Whether a clock runs."""
        return bool(self.running.spans)

    def time_left(self) -> tuple[float, BaseException] | None:
        """Seconds until the timeout of this thread's call, and the timeout, where there is one."""
        return self.running.spans.time_left()

    def check_clock(self) -> None:
        """Raise what the guest is to end with, where it is."""
        if self.running.spans:
            self.running.check()

    def nudge(self) -> None:
        """Nothing: its guest looks after each slice."""

    def failure(self, error: int, trap: int) -> BaseException:
        """Own what a call into the guest gave back, and say what it was."""
        return self.explained(failure_of(self.running, error, trap, self.bounds, self._place))

    def explained(self, error: BaseException) -> BaseException:
        """The error, as one that a limit led to, where it is."""
        for module, pointer in self._rewritten if self.bounds.any and isinstance(error, Trap) else ():
            if module.noted:
                instance = WasmtimeInstance(self, module, pointer)
                self.bounds.note(*[instance.find(lookup).get() for lookup in NOTED])
        return self.bounds.explained(error)

    def _place(self, frame: Frame) -> Frame:
        """A frame of a backtrace in terms of the file that people have."""
        for module, _ in self._rewritten:
            if module.mark == frame.module:
                return rewrite.original(frame, {module.mark: module.origin})
        return frame

    def close(self) -> None:
        """Free everything in the store. Raises `UnavailableError` while a guest of it is running."""
        if self.running.depth:
            raise UnavailableError("the store can't be closed while its guest is calling the host")
        if self._context is None:
            return
        self._free()

    def _use(self) -> Any:
        """The native store, which stays until `_let_go`: another thread may close this one where no call is under way.
        Raises `UnavailableError` where it is closed."""
        self._users += 1
        context = self._context
        if context is None:
            self._let_go()
            raise closed()
        return context

    def _let_go(self) -> None:
        self._users -= 1
        if self._context is None and not self._users:
            self._delete()

    def _free(self) -> None:
        self._context = None
        self.running.first = refuse
        if not self._users:
            self._delete()

    def _delete(self) -> None:
        native, self._native = self._native, None  # nothing comes between: see `abi.entry`
        if native is None:
            return
        running = self.running
        if self._slots is not None:
            self.engine.slots.give_back(self._slots)
        running.end_future()
        if self._functions is not None:
            self.engine.hosts.leave(self._env)
        capi.store_delete(native)
        if self._room is not None:
            self._room.append(None)
        if self._functions is not None:
            self._functions.clear()
            self._functions.make = None
        self._fibers = None  # whose functions lead back here
        self._held.clear()
        self._rewritten = ()

    def __del__(self) -> None:
        if self._native is not None:
            self._free()

    def slots(self, count: int) -> Slots:
        """A buffer for calls with that many arguments or results."""
        if count > USUAL_ROOM:
            return Slots(count)
        slots = self._slots
        if slots is None:
            slots = self._slots = self.engine.slots.take()
        return slots


def _type_of(source: Source, instances: Sequence[Any]) -> CoreExternType:
    if isinstance(source, HostSource):
        return source.type
    type: CoreExternType = instances[source.instance].lookups[source.name].type
    return type


@lru_cache(maxsize=64)
def _bounds(memory_bytes: int | None, table_elements: int | None, *counts: int) -> tuple[Any, ...]:
    """What wasmtime's limiter is to know, as ready-made arguments."""
    bytes = -1 if memory_bytes is None else memory_bytes
    elements = MAX_TABLE_ELEMENTS if table_elements is None else table_elements
    return tuple(map(capi.int64, (bytes, elements, *counts)))
