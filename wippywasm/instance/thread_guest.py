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

from wippywasm.abi.destroying import drop_moving
from wippywasm.abi.handles import handles_in
from wippywasm.abi.lift import Lifted, mark_lifted
from wippywasm.abi.options import Options
from wippywasm.abi.source import Side
from wippywasm.abi.state import ComponentInstance, RuntimeResource
from wippywasm.errors import ConflictError, UnavailableError
from wippywasm.instance.budget import OF_A_START, task_call
from wippywasm.instance.foreign import mark
from wippywasm.instance.guest import Guest, bar
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
        self._end = weakref.finalize(self, thread.post, _let_go, thread, inner)
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

    def _refuse_closing(self, frame: Frame) -> None:
        if self._thread.is_called:
            raise ConflictError("a guest can't be closed while a call into it is running")
        if frame.components[0].may_enter is False:
            self._thread.do(_nothing)  # a destructor is in there, for which nobody else waits

    def _let_go(self, frame: Frame) -> None:
        self._stepwise = {}
        try:
            frame.drop_others()  # now, as `close` says; the rest is memory, which is freed in the guest's own thread
        finally:
            self._thread.post(_let_go, self._thread, self._inner)
            self._end.detach()
            self._frame = None

    # ---- parts

    def _bind_stepwise(self, name: str) -> Callable[..., Awaitable[Any]]:
        frame, thread, inner = self._running(), self._thread, self._inner.call
        key, _ = self.component.find_function(name)
        store, budget_ms = frame.store, frame.budget_ms

        def call(*args: Any, **named: Any) -> Awaitable[Any]:
            made = task_call(budget_ms, store=store)
            return thread.run(partial(inner, key, *args, **named), frame.interrupt, frame.components, made)

        return call

    def _bind(self, item: LiftRef | HostFuncRef, key: str) -> Callable[..., Any]:
        inner, enter = self._inner, _Entrance(self)

        def call(*args: Any, **named: Any) -> Any:
            return enter(lambda: inner._bind(item, key)(*args, **named))

        served = call
        if isinstance(item, HostFuncRef):
            served = inner._running().linked.functions[item.index]
        else:
            mark_lifted(call, _Apart(inner, enter, item.index))
        mark(call, self.component.functions[key], self._resources(), served)
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


class _Entrance:
    """Where others enter a guest's thread, and wait meanwhile."""

    __slots__ = ("_guest", "_thread")

    def __init__(self, guest: ThreadGuest) -> None:
        self._guest = weakref.ref(guest)
        self._thread = guest._thread

    def __call__(
        self,
        function: Callable[[], Any],
        caller: ComponentInstance | None = None,
        lose: Callable[[Any], None] | None = None,
    ) -> Any:
        """What the function gives there, which `lose` gets where nobody waits for it any more.

        Refuses what would wait for a call that waits for this thread.
        """
        guest = self._guest()
        if guest is None:
            raise UnavailableError("the guest is closed", hint="instantiate the component again")
        self._thread.check_entry(guest._running().components, caller)
        return self._thread.do(function, lose)

    def drop(self, given: Any) -> None:
        """Drop the resources in what a call there gave to another guest."""
        for handle in handles_in(given):
            self._thread.post(drop_moving, handle)


class _Apart(Lifted):
    """A function that other guests call, which enter the guest's thread with what they give, and come back with what
    they get: `send` and `receive` do the rest, each in the thread whose table it is."""

    __slots__ = ("_enter", "_index", "_inner")
    is_apart = True

    def __init__(self, inner: Guest, enter: _Entrance, index: int) -> None:
        frame = inner._running()
        lift = frame.plan.lifts[index]
        self.type = lift.type
        self.options = Options(lift.options.string_encoding, lift.options.is_async)
        self.binding = frame.binding(lift.instance, lift.options)
        self._inner = inner
        self._enter = enter
        self._index = index

    def bind(self, caller: ComponentInstance | None, name: str, side: Side) -> Callable[..., Any]:
        inner, enter, index = self._inner, self._enter, self._index
        bound: Callable[..., Any] | None = None

        def there(*args: Any) -> Any:
            nonlocal bound
            if bound is None:
                bound = inner._running().lifted_for(caller, index, name, side)
            return bound(*args)

        return lambda *args: enter(partial(there, *args), caller, enter.drop)


def _nothing() -> None:
    """What is done once all is done that was posted before."""


def _let_go(thread: GuestThread, inner: Guest) -> None:
    """Free the guest in its thread and give that back, once."""
    frame = inner._frame
    if frame is not None:
        try:
            bar(frame)  # where nobody has closed it
            inner._let_go(frame)
        finally:
            thread.keep()
