"""A component whose imports are found: the way to many instances.

In: a component, what serves its imports. Out: guests.

Spec: SPEC section 14.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from wippywasm.calling import refuse_late, under_way
from wippywasm.engine.port import NO_LIMITS, Engine, Module, StoreLimits
from wippywasm.engine.turns import turn_to_make
from wippywasm.errors import BinaryError, InvalidError, UnavailableError
from wippywasm.instance.closing import Closing
from wippywasm.instance.demand import Demand, demand_of
from wippywasm.instance.frame import Frame
from wippywasm.instance.guest import Guest
from wippywasm.instance.host_modules import LinkedModule
from wippywasm.instance.limits import Limits
from wippywasm.instance.linked import Linked
from wippywasm.instance.machine import start
from wippywasm.instance.pooled import PooledStores
from wippywasm.instance.recipe import Code, Recipe
from wippywasm.threads import here, in_event_loop

if TYPE_CHECKING:
    from wippywasm.instance.component import Component


class LinkedComponent(Closing):
    """A component with all its imports found; each `instantiate` is independent of the others.

    Closed by `close()`, or at the end of a `with` block.
    """

    def __init__(self, component: Component, linked: Linked) -> None:
        self.component = component
        self._linked = linked
        self._recipe: Recipe | None = None
        self._bounded: tuple[tuple[Limits, StoreLimits], StoreLimits] | None = None
        self._pooled = PooledStores(component.engine)
        self._closed = False
        self._lock = threading.Lock()

    def instantiate(self, *, limits: Limits | None = None) -> Guest:
        """A new instance; raises as `Component.instantiate` does.

        Where the engine binds guests to threads (wasmer) and an event loop runs in this thread, the guest gets a thread
        of its own, in which it can be suspended.
        """
        if limits is not None:
            _check_limits(limits)
        if self.component.engine.thread_bound and in_event_loop():
            from wippywasm.instance.thread_guest import in_own_thread  # for few engines

            return in_own_thread(lambda: self._instantiate(limits, _INTERRUPTIBLE))
        return self._instantiate(limits, NO_LIMITS)

    async def instantiate_async(self, *, limits: Limits | None = None) -> Guest:
        """`instantiate` for tasks: while code of the guest runs, such as a start function, the event loop goes on.

        What a host function waits for is awaited; cancelling the task ends the guest. Of many that are begun at once,
        the loop makes a few at a time, and does what else it has to do between.
        """
        _check_limits(limits)
        await turn_to_make()
        starts = (self._recipe or self._prepared()).starts
        if self.component.engine.thread_bound:
            from wippywasm.instance.thread_guest import start_in_own_thread

            return await start_in_own_thread(self.component, lambda: self._new_frame(limits, _INTERRUPTIBLE), starts)
        if not starts:
            return self.instantiate(limits=limits)
        frame = self._new_frame(limits, NO_LIMITS)
        await start(frame)
        return Guest(self.component, frame)

    def _new_frame(self, limits: Limits | None, least: StoreLimits) -> Frame:
        if under_way:
            refuse_late()
        engine, owner = self.component.engine, None
        recipe = self._recipe or self._prepared()
        if engine.thread_bound:
            owner = here.number
            if threading.current_thread().daemon:
                least = _INTERRUPTIBLE  # or the interpreter could not end while it runs
        bounds = least if limits is None else self._bounds(limits, least)
        pooled = None if self._pooled.stays_out else self._pooled.take(recipe, bounds)
        recipe, store = pooled or (recipe, engine.new_store(bounds))
        return Frame(recipe, store, owner, None if limits is None else limits.max_execution_ms)

    def _instantiate(self, limits: Limits | None, least: StoreLimits) -> Guest:
        frame = self._new_frame(limits, least)
        try:
            frame.run()
        except BaseException:
            frame.close()
            raise
        return Guest(self.component, frame)

    def _bounds(self, limits: Limits, least: StoreLimits) -> StoreLimits:
        """The limits for a store; worked out once where all instances have the same."""
        known = self._bounded
        if known is None or known[0] != (limits, least):
            demand = self._demand()
            limits.check(demand)
            bounds = limits.store_limits(demand)
            bounds = replace(bounds, interruptible=least.interruptible or bounds.interruptible)
            known = self._bounded = (limits, least), bounds
        return known[1]

    def _demand(self) -> Demand:
        supplied = [m.info for m in self._linked.modules]
        return demand_of(self.component.plan, supplied) if supplied else self.component._needs()

    def _prepared(self) -> Recipe:
        self._check_open()
        own = self.component._compiled()
        code = Code(own, tuple(_given(self.component.engine, m) for m in self._linked.modules))
        recipe = Recipe(self.component.plan, self._linked, code)
        with self._lock:
            self._check_open()
            self._recipe = recipe
        return recipe

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError("the linked component is closed", hint="link the component again")

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Let go of the code and of what instances would be made in: no more are made (UnavailableError).

        Its guests go on. Closing twice does nothing.
        """
        with self._lock:
            self._closed, self._recipe = True, None
            self._pooled = PooledStores(self.component.engine)


_INTERRUPTIBLE = StoreLimits(interruptible=True)


def _check_limits(limits: Limits | None) -> None:
    if limits is not None and not isinstance(limits, Limits):
        raise InvalidError(f"limits must be a Limits(…), not {limits!r}", hint="such as Limits(max_memory_mb=64)")


def _given(engine: Engine, module: LinkedModule) -> Module:
    """The module that an import was given; what is wrong with its code is told of the import."""
    try:
        return engine.compile(module.wasm, module.info)
    except BinaryError as error:
        raise error.of_file(module.told) from None
