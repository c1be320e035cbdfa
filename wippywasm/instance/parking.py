"""Where the host functions of one guest wait: on the guest's fiber, in the guest's own thread, or right here.

In: an awaitable that a host function returned, and what makes core results of its value. Out: those results; or nothing
yet, where the guest is on a fiber and is suspended instead.

Spec: SPEC section 8.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import CO_COROUTINE
from types import CoroutineType, FunctionType, MethodType
from typing import Any

from wippywasm.abi.options import Binding
from wippywasm.abi.waiting import ALWAYS_QUICK, Finish, is_awaitable, there
from wippywasm.awaitables import discard, rest_of
from wippywasm.calling import Call, is_by_task
from wippywasm.engine.batch import Loop
from wippywasm.engine.port import CoreFunc, Fibers, FiberStore, Store, TimedStore
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.instance.budget import within
from wippywasm.instance.waiting import Waiting, run_now, this_thread


class Parking:
    """The `abi.Park` of one guest. `timed_store` is its store, where guests in that can be ended while they run, and
    `fiber_store` where they can be suspended."""

    def __init__(self, store: Store, timed_store: TimedStore | None) -> None:
        self._timed_store = timed_store
        self.fiber_store: FiberStore | None = store if hasattr(type(store), "fibers") else None  # type: ignore[assignment]
        self.pace = ALWAYS_QUICK if self.fiber_store is None else self.fiber_store.pace

    def __call__(self, awaitable: Awaitable[Any], finish: Callable[[Any], Any], steps: Any = None) -> Any:
        wait = this_thread.wait
        if wait is not None:
            return wait(self._in_time(awaitable, is_by_task), finish)
        if self.fiber_store is not None:
            fibers = self.fiber_store.fibers
            if fibers.may_park:
                return _parked(fibers, awaitable, finish, steps)
            if fibers.on_fiber:
                discard(awaitable)
                raise UnsupportedFeatureError("waiting inside of a destructor or an allocation", "wippywasm")
        return finish(run_now(self._in_time(awaitable)))

    def _in_time(self, awaitable: Awaitable[Any], is_kept: Callable[[BaseException], bool] | None = None) -> Any:
        """The awaitable within the time of the call that waits, unless somebody keeps that anyway."""
        left = None if self._timed_store is None else self._timed_store.time_left()
        if left is None or (is_kept is not None and is_kept(left[1])):
            return awaitable
        return within(Call(None, left[1], left[0]), awaitable)

    def is_better_suspended(self, function: Any) -> bool:
        """Whether the guest is slow, and can be suspended in its call of this host function, which has returned."""
        if self.fiber_store is None or this_thread.wait is not None:
            return False
        fibers = self.fiber_store.fibers
        return fibers.is_slow and fibers.may_park and may_wait(function)

    @property
    def on_fiber(self) -> bool:
        """Whether the guest runs on a fiber now."""
        return self.fiber_store is not None and self.fiber_store.fibers.on_fiber

    def core(self, function: Callable[..., Any], results: Callable[[Any], Any] | None = None) -> Callable[..., Any]:
        """A host function over core values that may return something to wait for; `results` checks what it gives."""
        finish = results or _as_it_is

        def call(*args: Any) -> Any:
            value = function(*args)
            if value.__class__ is Waiting:
                return self(value.awaitable, value.finish)
            return self(value, finish) if is_awaitable(value) else finish(value)

        return call


def _parked(fibers: Fibers, awaitable: Awaitable[Any], finish: Finish, steps: Any) -> Any:
    """Begin a coroutine where the guest is: most are done without waiting, and to suspend a guest takes longer.

    Results that need memory are lowered while the guest is suspended, since its allocations may take long.
    """
    if awaitable.__class__ is not CoroutineType:
        return fibers.park(awaitable, finish, steps)
    call = fibers.begin_coroutine()
    try:
        yielded = awaitable.send(None)
    except BaseException as error:
        if call is not None:
            call.is_over = True
        if not isinstance(error, StopIteration):
            raise
        value = error.value
    else:
        return fibers.park(rest_of(awaitable, yielded), finish, steps)
    return finish(value) if steps is None else fibers.park(there(value), finish, steps)


class StepwiseBinding(Binding):
    """What lifting stepwise needs of an instance: its functions as coroutine functions, looked up when needed."""

    def __init__(self, binding: Binding, store: FiberStore) -> None:
        self.__dict__.update(instance=binding.instance, resources=binding.resources, _of=binding, _store=store)

    _of: Binding
    _store: FiberStore

    def _stepwise(self, func: CoreFunc | None) -> Any:
        return None if func is None else self._store.fibers.stepwise(func)

    @property
    def crowd(self) -> Any:
        return self._store.fibers.crowd

    @property
    def memory(self) -> Any:
        return self._of.memory

    @property
    def realloc(self) -> Any:
        return self._stepwise(self._of.realloc)

    @property
    def post_return(self) -> Any:
        return self._stepwise(self._of.post_return)

    @property
    def batch(self) -> Any:
        batch = self._of.batch
        return batch.in_steps(self._store) if isinstance(batch, Loop) else None


def _as_it_is(value: Any) -> Any:
    return value


def may_wait(function: Any) -> bool:
    """Whether a host function may return something to wait for: all of the user's own may, ours where they say so.

    They say so by being coroutine functions, or by the type that they return.
    """
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    if isinstance(function, MethodType):
        function = function.__func__
    if isinstance(function, FunctionType):
        is_ours = str(function.__module__).startswith("wippywasm.wasi")
        returned = str(function.__annotations__.get("return", ""))
        return not is_ours or bool(function.__code__.co_flags & CO_COROUTINE) or "Awaitable" in returned
    return not isinstance(function, type) and not str(type(function).__module__).startswith("wippywasm.")
