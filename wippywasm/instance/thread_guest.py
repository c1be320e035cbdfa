"""A guest in a thread of its own, for engines whose objects belong to the thread that made them.

In: a linked component. Out: a guest like any other, which tasks may call and host functions may suspend; its plain
calls hand over to the thread and wait for it.

Spec: SPEC section 8.
"""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from wippywasm.abi.state import RuntimeResource
from wippywasm.errors import ConflictError, UnavailableError
from wippywasm.instance.budget import OF_A_START, task_call
from wippywasm.instance.foreign import FRAME, mark
from wippywasm.instance.guest import Guest
from wippywasm.instance.guest_thread import GuestThread, take_thread
from wippywasm.model import ResourceType
from wippywasm.plan.items import HostFuncRef, LiftRef

if TYPE_CHECKING:
    from wippywasm.instance.component import Component
    from wippywasm.instance.frame import Frame


def in_own_thread(make: Callable[[], Guest]) -> Guest:
    """The guest that `make` makes, made in a thread of its own; raises what it raises."""
    thread = take_thread()
    try:
        inner = thread.do(make)
    except BaseException:
        thread.release()
        raise
    return ThreadGuest(inner.component, thread, inner)


async def start_in_own_thread(component: Component, new_frame: Callable[[], Frame], starts: bool) -> Guest:
    """The guest of the frame that `new_frame` makes, in a thread of its own, while this task waits for it.

    `starts` tells that code of the guest runs meanwhile, which may wait.
    """
    thread = take_thread()
    made: list[Frame] = []

    def make() -> None:
        frame = new_frame()
        made.append(frame)
        if not starts:
            frame.run()

    def interrupt(error: BaseException) -> None:
        for frame in made:
            frame.interrupt(error)

    try:
        await thread.run(make, interrupt)
        if starts:
            frame = made[0]
            await thread.run(frame.run, interrupt, (), task_call(frame.budget_ms, OF_A_START))
    except BaseException:
        for frame in made:
            thread.post(frame.close)
        thread.release()
        raise
    return ThreadGuest(component, thread, Guest(component, made[0]))


class ThreadGuest(Guest):
    """`Guest`, where the real one (`_inner`) is used in its own thread only."""

    def __init__(self, component: Component, thread: GuestThread, inner: Guest) -> None:
        self.component = component
        self._thread = thread
        self._inner = inner
        self._frame = inner._running()
        self._stepwise = {}
        self._end = weakref.finalize(self, _end, thread, inner)
        self._end.atexit = False
        for instance in self._frame.components:
            instance.send = thread.post
        for resource, name, item, key in component._methods:
            runtime = self._frame.resources[resource]
            runtime.methods[name] = self._bind(item, key)
            runtime.async_methods[name] = self._method_for_tasks(key)

    def call(self, name: str, /, *args: Any, **named: Any) -> Any:
        return self.func(name)(*args, **named)

    def func(self, name: str) -> Callable[..., Any]:
        self._running()
        key, _ = self.component.find_function(name)
        return self._bind(self.component._function_items[key], key)

    def close(self) -> None:
        frame = self._frame
        if frame is None:
            return
        if self._thread.is_called:
            raise ConflictError("a guest can't be closed while a call into it is running")
        self._frame = None
        self._stepwise = {}
        try:
            frame.drop_others()  # now, as `close` says; the rest is memory, which is freed in the guest's own thread
        finally:
            self._end()

    # ---- parts

    def _bind_stepwise(self, name: str) -> Callable[..., Awaitable[Any]]:
        frame, thread, inner = self._running(), self._thread, self._inner.call
        key, _ = self.component.find_function(name)
        store, budget_ms = frame.store, frame.budget_ms

        def call(*args: Any, **named: Any) -> Awaitable[Any]:
            made = task_call(budget_ms, store=store)
            return thread.run(partial(inner, key, *args, **named), frame.interrupt, frame.components, made)

        return call

    def _check_entry(self) -> None:
        """Refuse what would wait for a call that waits for this thread."""
        self._thread.check_entry(self._running().components)

    def _bind(self, item: LiftRef | HostFuncRef, key: str) -> Callable[..., Any]:
        inner, thread, weak = self._inner, self._thread, weakref.ref(self)

        def call(*args: Any, **named: Any) -> Any:
            guest = weak()
            if guest is None:
                raise UnavailableError("the guest is closed", hint="instantiate the component again")
            guest._check_entry()
            return thread.do(lambda: inner._bind(item, key)(*args, **named))

        mark(call, self.component.functions[key], self._resources(), call)
        call.__dict__[FRAME] = inner._running()
        return call

    def _method_for_tasks(self, key: str) -> Callable[..., Awaitable[Any]]:
        weak = weakref.ref(self)

        def call(*args: Any, **named: Any) -> Awaitable[Any]:
            guest = weak()
            if guest is None:
                raise UnavailableError("the guest is closed", hint="instantiate the component again")
            return guest.call_async(key, *args, **named)

        return call

    def _resources(self) -> Mapping[ResourceType, RuntimeResource]:
        return self._inner._resources()

    def _known_resource(self, type: ResourceType) -> RuntimeResource:
        return self._inner._known_resource(type)


def _end(thread: GuestThread, inner: Guest) -> None:
    thread.post(inner.close)
    thread.release()
