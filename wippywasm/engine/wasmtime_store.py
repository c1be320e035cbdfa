"""A guest's store on wasmtime: its instances, and the host functions they may call.

In: compiled modules, host callables. Out: instances whose functions cost about as much as a call through ctypes can.

Reference: `wasmtime_capi`.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Sequence
from ctypes import byref, c_void_p
from functools import partial
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
    MAX_TABLES,
    CoreCallable,
    CoreInstance,
    CoreItem,
    Module,
    StoreLimits,
)
from wippywasm.engine.raw_calls import USUAL_ROOM, Slots, closed
from wippywasm.engine.spans import Span, bounded
from wippywasm.engine.wasmtime_epochs import watch
from wippywasm.engine.wasmtime_failures import failure_of, refused
from wippywasm.engine.wasmtime_fibers import Fibers, WaitingFunc, begin_type
from wippywasm.engine.wasmtime_hosts import LAST_NUMBER, HostCode
from wippywasm.engine.wasmtime_items import Item, WasmtimeFunc, copy_extern
from wippywasm.engine.wasmtime_modules import NOTED, START, WasmtimeInstance, WasmtimeModule
from wippywasm.engine.wasmtime_parts import Imports, PreparedPart, Shims, Sources
from wippywasm.engine.wasmtime_pool import TABLE_ELEMENTS
from wippywasm.engine.wasmtime_running import NEVER, Functions, Running
from wippywasm.errors import Frame, InternalError, Trap, UnavailableError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_engine import WasmtimeEngine

EXTERN_SIZE = capi.EXTERN_SIZE
EXTERNS = capi.INSTANCE_SIZE
"""Where the imports lie in the memory of an instance, behind the instance itself."""


class WasmtimeStore:
    """The instances of one guest, and the host functions they may call."""

    _native: Any = None
    _context: Any = None
    _room: list[None] | None = None

    def __init__(self, engine: WasmtimeEngine, limits: StoreLimits, room: list[None] | None = None) -> None:
        """`room` is the pool in which a place was taken for the store, which gives it back."""
        self.engine = engine
        self._functions = Functions()
        self.running = Running(self._functions)
        self._env = 0
        self._watched = False
        self._slots: dict[int, Slots] = {}
        self._held: list[Any] = []
        self._fibers: Fibers | None = None
        self.bounds = BoundsOf(limits)
        self._rewritten: list[tuple[WasmtimeModule, capi.Block]] = []
        """Instances of modules that were rewritten."""
        elements = TABLE_ELEMENTS if limits.table_elements is None else limits.table_elements
        self._native = capi.pointer(capi.store_new(engine.pointer, None, None))  # what is freed is all there then
        self._context = capi.pointer(capi.store_context(self._native))
        capi.set_epoch_deadline(self._context, NEVER)
        capi.store_limiter(self._native, _bound(limits.memory_bytes), elements, MAX_INSTANCES, MAX_TABLES, MAX_MEMORIES)
        self._room = room

    @property
    def context(self) -> Any:
        """The native store; raises `UnavailableError` once it is closed."""
        if self._context is None:
            raise closed()
        return self._context

    def instantiate(self, module: Module, imports: Sequence[CoreItem]) -> WasmtimeInstance:
        assert isinstance(module, WasmtimeModule)
        linking.check_count(module.imports, imports)
        block = capi.Block(EXTERNS + capi.EXTERN_SIZE * len(imports))
        self._put(module, imports, block)
        error = self._new_instance(module, block.at(EXTERNS), block)
        if error:
            raise refused(module, [item.type for item in imports if isinstance(item, Item)], error)
        return WasmtimeInstance(self, module, block)

    def assemble(self, part: Part, instances: Sequence[CoreInstance], make: Make) -> WasmtimeInstance:
        """`instantiate` with what the sources of `part` name; `instances` are all of this store."""
        module = part.module
        assert isinstance(module, WasmtimeModule)
        prepared = part.prepared
        if prepared is None:
            prepared = part.prepared = PreparedPart(self.engine, part.sources, instances)
        imports = prepared.imports.take()
        if prepared.sources.count:
            self._functions.make = make
            self._held.append(part)
            shimmed = instances if prepared.shims is None else [*instances, self._shim(prepared.shims)]
            self._put_sources(prepared.sources, shimmed, imports)
        block = capi.Block(capi.INSTANCE_SIZE)
        error = self._new_instance(module, imports.pointer, block)
        prepared.imports.give_back(imports)
        if error:
            raise refused(module, [_type_of(source, instances) for source in part.sources], error)
        return WasmtimeInstance(self, module, block)

    def _shim(self, shims: Shims) -> WasmtimeInstance:
        """What stands between a part and its host functions that may park the guest."""
        rest = self.fibers.imports(shims.types)
        count = shims.begins.count
        block = capi.Block(EXTERNS + EXTERN_SIZE * (count + len(rest)))
        begun = Imports(shims.begins)
        self._put_sources(shims.begins, (), begun)
        ctypes.memmove(block.at(EXTERNS), begun.pointer, EXTERN_SIZE * count)
        for index, item in enumerate(rest, count):
            copy_extern(item, block.address + EXTERNS + EXTERN_SIZE * index)
        error = self._new_instance(shims.module, block.at(EXTERNS), block)
        if error:
            raise refused(shims.module, [i.type for i in shims.module.imports], error)
        return WasmtimeInstance(self, shims.module, block)

    def _put_sources(self, sources: Sources, instances: Sequence[Any], imports: Imports) -> None:
        context = repeat(self.context)
        if sources.numbers:
            envs = imports.envs(self._env or self._hosts())
            made = map(
                capi.func_new_unchecked, context, sources.types, sources.callbacks, envs, repeat(None), imports.hosts
            )
            deque(made, 0)
        if sources.names:
            pointers = [instance.pointer for instance in instances]
            having = map(pointers.__getitem__, sources.instances)
            if not all(map(capi.instance_export, context, having, sources.names, sources.sizes, imports.exports)):
                raise InternalError("an instance lacks one of its exports")

    def _hosts(self) -> int:
        """The `env` of the store's host function 0."""
        if not self._env:
            self.running.calls_back = True
            self._env = self.engine.hosts.enter(self.running)
        return self._env

    def _new_instance(self, module: WasmtimeModule, imports: Any, block: capi.Block) -> str:
        """Instantiate into `block`; the message of wasmtime's refusal, if it refused."""
        if get_ident() not in stacks.fit:
            stacks.admit(self.running)
        is_within = under_way and not self.running.spans.calls and not self.running.on_fiber
        make = partial(bounded, self, capi.instance_new) if is_within else capi.instance_new
        trap = c_void_p()
        error = make(self.context, module.pointer, imports, module.import_count, block.pointer, byref(trap))
        if trap or (error and self.running.raised is not None):
            raise self.failure(error, trap.value or 0)
        if error:
            return str(capi.take_error(error))
        if module.noted:
            self._rewritten.append((module, block))
        if module.starts:
            WasmtimeInstance(self, module, block).find(START).call()
        return ""

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
        number = LAST_NUMBER - len(self._held)  # those of `assemble` count up from 0
        self._functions[number] = function
        self._held.append(code)
        func = WasmtimeFunc(self, type, capi.Block(capi.EXTERN_SIZE))
        env = capi.pointer(self._hosts() + number)
        capi.func_new_unchecked(self.context, code.type, code.callback, env, None, func.handle)
        return func

    def waiting_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> WasmtimeFunc:
        """A host function that may park its guest, for modules to import; see `FiberStore`."""
        halved = begin_type(type)
        func = WaitingFunc(self, type, capi.Block(capi.EXTERN_SIZE))
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
        """Have the guest stopped after each slice from now on, until `unwatch`: it can be interrupted then."""
        if not self._watched:
            self._watched = self.running.calls_back = True
            watch(self._native, self.running, self.engine.ticker)
        ticker = self.engine.ticker
        ticker.used = True
        if not ticker.awake:
            ticker.wake()
        capi.set_epoch_deadline(self.context, self.running.slice)

    def start_clock(self, timeout: BaseException | None = None, seconds: float = 0) -> Span:
        """The guest can be interrupted until `stop_clock`, and is after so many seconds, with `timeout`, if given."""
        running = self.running
        if not running.spans:
            running.interrupt = None
        span = running.spans.begin(timeout, seconds)
        self.watch()
        return span

    def stop_clock(self, span: Span) -> None:
        """The other end of `start_clock`."""
        running = self.running
        running.spans.end(span)
        if self._context is not None and not running.is_armed:
            capi.set_epoch_deadline(self._context, NEVER)

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

    def interrupt(self, error: BaseException) -> None:
        """End the guest that runs, perhaps in another thread, within some slices: its call raises `error`."""
        self.running.interrupt = error
        self.running.spans.interrupt(error)

    def failure(self, error: int, trap: int) -> BaseException:
        """Own what a call into the guest gave back, and say what it was."""
        return self.explained(failure_of(self.running, error, trap, self.bounds, self._place))

    def explained(self, error: BaseException) -> BaseException:
        """The error, as one that a limit led to, where it is."""
        for module, block in self._rewritten if self.bounds.any and isinstance(error, Trap) else ():
            if module.noted:
                instance = WasmtimeInstance(self, module, block)
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

    def _free(self) -> None:
        native, self._native, self._context = self._native, None, None
        for slots in self._slots.values():
            self.engine.slots.give_back(slots)
        self.running.end_future()
        self.engine.hosts.leave(self._env)
        capi.store_delete(native)
        if self._room is not None:
            self._room.append(None)
        self._functions.clear()
        self._functions.make = None
        self._fibers = None  # whose functions lead back here
        self._held.clear()
        self._rewritten.clear()

    def __del__(self) -> None:
        if self._native is not None:
            self._free()

    def slots(self, count: int) -> Slots:
        """The buffer for calls with that many arguments or results."""
        room = USUAL_ROOM if count <= USUAL_ROOM else 1 << (count - 1).bit_length()
        slots = self._slots.get(room)
        if slots is None:
            slots = self._slots[room] = self.engine.slots.take(room)
        return slots


def _type_of(source: Source, instances: Sequence[Any]) -> CoreExternType:
    if isinstance(source, HostSource):
        return source.type
    type: CoreExternType = instances[source.instance].lookups[source.name][2]
    return type


def _bound(limit: int | None) -> int:
    return -1 if limit is None else limit
