"""Guests on fibers: a host function may suspend its guest, and the thread goes on with something else meanwhile.

In: a store, a function of it. Out: a coroutine function that calls it; what the guest waits for is awaited in the
caller's task.

No Python frame may live across a fiber switch. So a host function that may wait stands behind a shim of wasm: the shim
calls the host, which either returns its result or has left an `Operation` and says so; then the shim calls `suspend`,
the one asynchronous host function there is, and when it is back, `finish`, which turns what was awaited into results.

Reference: wasmtime's `async.h`.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ctypes import c_void_p
from time import monotonic
from typing import TYPE_CHECKING, Any

import wasmtime

from wippywasm.calling import Call, around, current, under_way
from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.codegen import without_signal_check
from wippywasm.engine.port import CoreCallable
from wippywasm.engine.recursion import awaits_for_guests
from wippywasm.engine.turns import SLICE_SECONDS, Held, crowd, turns_of
from wippywasm.engine.wasmtime_allocations import Allocations, Place, Steps
from wippywasm.engine.wasmtime_items import WasmtimeFunc
from wippywasm.engine.wasmtime_shims import result_types, shim_module
from wippywasm.engine.wasmtime_stepwise import StepwiseFunc

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_store import WasmtimeStore

NOTHING = CoreFuncType()
_SAME_SLICE = 0.001
"""Seconds for which a guest may have been suspended that goes on with its slice."""
_ROUNDS_OF_A_TIMER = 4
"""Of an event loop, until `asyncio.wait_for` has cancelled a task whose time is up."""


class Operation:
    """What a guest is suspended for, and what turns its value into the core results of the host function."""

    __slots__ = ("allocations", "awaitable", "finish", "has_value", "steps", "unfinished", "value")

    def __init__(self, awaitable: Awaitable[Any], finish: Callable[[Any], Any], steps: Steps | None) -> None:
        self.awaitable = awaitable
        self.finish = finish
        self.steps = steps
        self.value: Any = None
        self.has_value = False
        """Whether that is the host function's, which nothing has taken."""
        self.allocations: Allocations | None = None
        """Those under way, of which the value is made."""
        self.unfinished: Any = awaitable

    def close(self, has_store: bool = True) -> None:
        """End what is under way: the guest is not going on. What the host function has returned is the guest's, unless
        that is gone with its store."""
        if self.has_value:
            if has_store:
                with suppress(Exception):  # the guest ends with another error
                    self.finish(self.value)
            return
        end = getattr(self.unfinished, "close", None)
        if end is not None:
            end()


class Parked:
    """What a guest's callbacks, which are C's for that matter, tell its Python.

    `continuation` says whether the host function is done for which the guest is suspended. `struck` is what a signal's
    handler raised in a callback, which can't raise it.
    """

    __slots__ = ("continuation", "struck")

    def __init__(self) -> None:
        self.continuation: Any = None
        self.struck: BaseException | None = None


class WaitingFunc(WasmtimeFunc):
    """A host function that may suspend its guest; its extern is the shim's, once an instance imports it."""

    __slots__ = ("begin",)
    begin: WasmtimeFunc | None

    def _make_call(self) -> CoreCallable:
        self.settle()
        return super()._make_call()

    def settle(self) -> None:
        """Make its shim now, where no instance has imported it."""
        if self.begin is not None:
            self.store.fibers.shim([self])


class Fibers:
    """What a store needs to run its guest on a fiber."""

    def __init__(self, store: WasmtimeStore) -> None:
        self._store_ref = weakref.ref(store)
        self._running = store.running
        self._finishers: dict[tuple[CoreValType, ...], WasmtimeFunc] = {}
        self._suspend: WasmtimeFunc | None = None
        self._stepwise: weakref.WeakKeyDictionary[WasmtimeFunc, StepwiseFunc] = weakref.WeakKeyDictionary()
        self.operation: Operation | None = None
        self._place: Place | None = None
        self._said = capi.block(8)
        self.ready = self._said.view()
        """The first byte tells whether the guest that is suspended may go on. The rest is 0, for `strlen` to end at."""
        self._waits = ctypes.byref(capi.Continuation(_STRLEN, self._said.address, None))
        self._allocates = ctypes.byref(capi.Continuation(_IS_READY_ADDRESS, id(self), None))
        self.parked = Parked()
        self.ticker = store.engine.ticker
        self.crowd = crowd
        self._call: Call | None = None
        """That of the guest, where it is noted for what its coroutines begin."""

    @property
    def _store(self) -> WasmtimeStore:
        store = self._store_ref()
        assert store is not None
        return store

    # ---- host functions that wait

    @property
    def may_park(self) -> bool:
        """Whether the host function that runs now may suspend its guest: nothing of the host's is below it."""
        return self._running.on_fiber and self._running.depth == 1 and not self._running.inner_future

    @property
    def is_slow(self) -> bool:
        """Whether the guest took long of late where it can't be suspended."""
        return self._running.is_slow

    @property
    def on_fiber(self) -> bool:
        """Whether the guest runs on a fiber."""
        return self._running.on_fiber

    def begin_coroutine(self) -> Call | None:
        """Note the call for what a coroutine begins, which is over where the coroutine is; the clock does it where one
        runs. A call is noted in its task for good, and serves the next ones of the task until one has waited."""
        if self._running.spans.calls:
            return None
        call = self._call
        if call is None or current.get() is not call:
            call = self._call = Call(around())
            current.set(call)
        call.is_over = False
        return call

    def _end_coroutines(self, error: BaseException | None = None) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.ends_with(error)
            call.close()

    def park(self, awaitable: Awaitable[Any], finish: Callable[[Any], Any], steps: Steps | None = None) -> int:
        """Leave an operation for the shim to suspend the guest for; the value returned counts for nothing."""
        self.operation = Operation(awaitable, finish, steps)
        self.ready[0] = 0
        self._running.parked = 1
        self.parked.continuation = self._waits if steps is None else self._allocates
        _this_thread.parked = self.parked
        return 0

    def _finish(self) -> Any:
        operation, self.operation = self.operation, None
        self._running.parked = 0
        assert operation is not None
        if self.parked.struck is not None:
            operation.close()
            self._raise_struck()
        return operation.finish(operation.value)

    def shim(self, functions: Sequence[WaitingFunc]) -> None:
        """Put shims in front of host functions that no instance has imported yet."""
        types = tuple(f.type for f in functions)
        begins = [f.begin for f in functions if f.begin is not None]
        instance = self._store.instantiate(
            self._store.engine.compile_own(shim_module(types)), [*begins, *self.imports(types)]
        )
        for index, function in enumerate(functions):
            ctypes.memmove(function.extern.address, instance.export(str(index)).extern.address, capi.EXTERN_SIZE)
            function.begin = None

    def imports(self, types: Sequence[CoreFuncType]) -> list[WasmtimeFunc]:
        """What shims of these types import after the host's halves."""
        return [*(self._finisher(results) for results in result_types(types)), self._suspender()]

    def _finisher(self, results: tuple[CoreValType, ...]) -> WasmtimeFunc:
        made = self._finishers.get(results)
        if made is None:
            made = self._store.host_func(CoreFuncType((), results), self._finish, "finish")
            self._finishers[results] = made
        return made

    def _suspender(self) -> WasmtimeFunc:
        if self._suspend is None:
            self._suspend = suspender(self._store, self)
        return self._suspend

    # ---- calls

    def stepwise(self, func: WasmtimeFunc) -> StepwiseFunc:
        """The function as one whose `call` is a coroutine function."""
        made = self._stepwise.get(func)
        if made is None:
            if isinstance(func, WaitingFunc):
                func.settle()
            self._store.watch()
            made = self._stepwise[func] = StepwiseFunc(func, self)
        return made

    async def drive(self, future: int) -> None:
        """Run a future that is suspended until it is done."""
        under_way.append(None)
        try:
            await self._drive(future)
        finally:
            under_way.pop()
        self._end_coroutines()

    @awaits_for_guests
    async def _drive(self, future: int) -> None:
        import asyncio  # late, as in `turns`

        since = armed = monotonic()
        held: Held | None = None
        done = False
        while not done:
            if self.parked.struck is not None:
                self._raise_struck()
            operation = self.operation
            if operation is None or operation.allocations is not None:
                await turns_of(asyncio.get_running_loop()).rest()
                now = monotonic()
            else:
                operation.value = await operation.awaitable
                if operation.steps is None:
                    operation.has_value = True
                    self.ready[0] = 1
                else:
                    self._allocate(operation, operation.steps)
                now = monotonic()
                if held is None and now - since >= SLICE_SECONDS:
                    held = Held(asyncio.get_running_loop(), since)
                if held is not None and held.check():
                    await turns_of(asyncio.get_running_loop()).rest()
                elif crowd.waiting:
                    await crowd.start()
            if now - armed >= _SAME_SLICE:
                armed = now
                self._arm()
            self._running.on_fiber = True
            try:
                done = capi.future_poll(future)
            finally:
                self._running.on_fiber = False

    def _allocate(self, operation: Operation, steps: Steps) -> None:
        """The value is there: the guest may go on, or allocates for it first."""
        if self._place is None:
            self._place = Place()
        allocations = Allocations(self._store, self._place, steps(operation.value))
        operation.finish = allocations.end
        operation.unfinished = allocations
        if allocations.begin():
            operation.allocations = allocations
        else:
            self.ready[0] = 1

    def is_ready(self) -> bool:
        """Whether the guest that allocates may go on; called on its stack, where it may allocate meanwhile."""
        operation = self.operation
        if operation is not None and operation.allocations is not None and not self.ready[0]:
            if not operation.allocations.advance():
                return False
            operation.allocations = None
            self.ready[0] = 1
        return bool(self.ready[0])

    def strike(self, error: BaseException) -> bool:
        """What was raised there is to end the guest; whether that may go on to meet it now."""
        self.parked.struck = error
        operation = self.operation
        self._running.end_inner()
        return bool(self.ready[0]) or (operation is not None and operation.allocations is not None)

    def _raise_struck(self) -> None:
        if self.parked.struck is not None:
            error, self.parked.struck = self.parked.struck, None
            raise error

    @staticmethod
    async def let_cancel() -> None:
        """Where the guest held the loop, a cancellation may be due that is to end its call first."""
        import asyncio

        for _ in range(_ROUNDS_OF_A_TIMER):
            await asyncio.sleep(0)

    def _arm(self) -> None:
        """Give the guest a new slice."""
        capi.set_epoch_deadline(self._store.context, self._running.slice)
        self.ticker.used = True
        if not self.ticker.awake:
            self.ticker.wake()

    def abandon(self, error: BaseException) -> None:
        """End the call that is under way, and forget what it left behind."""
        has_store = self._running.future != 0  # else it was collected first, and ended that
        self._running.end_future()
        self._end_coroutines(error)
        operation, self.operation = self.operation, None
        self._running.parked = 0
        self.parked.struck = None
        if operation is not None:
            operation.close(has_store)


# ---- the asynchronous host function


class _Thread(threading.local):
    """`parked` is that of the guest which ran last in this thread, and is about to be suspended."""

    parked: Parked


_this_thread = _Thread()
_fibers: weakref.WeakValueDictionary[int, Fibers] = weakref.WeakValueDictionary()
"""By their `id`, which is the `env` of `_is_ready`."""


# Signals may strike in the callbacks, and what is raised there is lost, with what they were to say. So each does its
# work a second time then. Each starts with `try`, before which CPython 3.10 runs no signal handlers.


def _is_ready(key: int) -> bool:
    try:
        return _fibers[key].is_ready()
    except BaseException as error:  # noqa: BLE001
        return _fibers[key].strike(error)


def _suspend(
    env: int, caller: int, args: int, count: int, results: int, result_count: int, trap: int, continuation: int
) -> None:
    try:
        ctypes.memmove(continuation, _this_thread.parked.continuation, _CONTINUATION_SIZE)
    except BaseException as error:  # noqa: BLE001
        parked = _this_thread.parked
        ctypes.memmove(continuation, parked.continuation, _CONTINUATION_SIZE)
        parked.struck = error


_IS_READY = capi.ContinuationEntry(without_signal_check(_is_ready))
_IS_READY_ADDRESS = ctypes.cast(_IS_READY, c_void_p).value
_SUSPEND = capi.AsyncEntry(without_signal_check(_suspend))
_STRLEN = ctypes.cast(ctypes.CDLL(None).strlen, c_void_p).value
"""Whether a byte is 0 or 1, as a C function says it, which takes a tenth of the time that one of Python's does."""
_CONTINUATION_SIZE = ctypes.sizeof(capi.Continuation)


def new_linker(engine: wasmtime.Engine) -> wasmtime.Linker:
    """A linker that has `suspend`, for the stores of an engine."""
    linker = wasmtime.Linker(engine)
    type = wasmtime.FuncType([], [])
    error = capi.linker_define_async_func(
        capi.pointer_of(linker), b"", 0, b"", 0, capi.pointer_of(type), ctypes.cast(_SUSPEND, c_void_p), None, None
    )
    assert not error
    return linker


def suspender(store: WasmtimeStore, fibers: Fibers) -> WasmtimeFunc:
    """`suspend` in a store."""
    extern = capi.new_extern()
    found = capi.linker_get(capi.pointer_of(store.engine.linker), store.context, b"", 0, b"", 0, extern.pointer)
    assert found
    _fibers[id(fibers)] = fibers
    return WasmtimeFunc(store, NOTHING, extern)
