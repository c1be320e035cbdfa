"""A running instance of a component or core module, as Python sees it.

In: a frame whose steps are done. Out: calls. A guest lives until `close()`, the end of its `with` block, or until
nothing refers to it or to its resources any more.

Threads: where the engine binds stores to threads (wasmer), only the thread that made a guest may use it; elsewhere a
guest may move between threads, but two can't be in it at once. Both are refused with ThreadError (docs/engines.md).

Spec: SPEC sections 5, 6, 14.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from wippywasm.abi.destroying import run_deferred
from wippywasm.abi.entry import AWAITED, BARRED, CLOSED, check_look, is_left_by_collector, refuse_thread
from wippywasm.abi.state import RuntimeResource
from wippywasm.errors import ConflictError, UnavailableError
from wippywasm.instance import machine
from wippywasm.instance.exports import ExportedInstance
from wippywasm.instance.foreign import mark
from wippywasm.instance.frame import Frame
from wippywasm.model import ResourceType
from wippywasm.plan.items import ComponentItem, HostFuncRef, ImportedModule, LiftRef, StaticModule

if TYPE_CHECKING:
    from wippywasm.instance.component import Component


_T = TypeVar("_T")


class Guest:
    """One instance. `exports` has its functions as attributes, `call` takes them by name.

    A call raises ValueMismatchError where an argument does not fit (the guest has not run then), WitError for the
    guest's own `err`, Trap where the guest trapped, PoisonedError after that, UnavailableError once it is closed,
    ThreadError from another thread, ConflictError while a task's call waits in it, and whatever a host function raised.
    """

    _exports: ExportedInstance | None = None
    _left: Mapping[ResourceType, RuntimeResource]
    """The resource types of one that is closed: its resources are still known as such."""

    def __init__(self, component: Component, frame: Frame) -> None:
        self.component = component
        self._frame: Frame | None = frame
        self._callables: dict[str, Callable[..., Any]] = {}
        """By key, and by the other names that they were called by."""
        self._stepwise: dict[str, Callable[..., Awaitable[Any]]] = {}
        if component._methods:
            _offer_methods(self, frame)

    def call(self, name: str, /, *args: Any, **named: Any) -> Any:
        """Call an export; `name` is as in `Component.find_function`. A `result` comes out as its ok value.

        Arguments may be given by their names in snake_case.
        """
        try:
            function = self._callables[name]
        except (KeyError, TypeError):
            function = self.func(name)
        return function(*args, **named)

    def func(self, name: str) -> Callable[..., Any]:
        """The callable behind an export: calling it costs least. Raises NotFoundError, or why a call is refused."""
        component = self.component
        self._running()
        key = name if name.__class__ is str and name in component.functions else component.find_function(name)[0]
        function = self._callables[name] = self._bind(component._function_items[key], key)
        return function

    async def call_async(self, name: str, /, *args: Any, **named: Any) -> Any:
        """`call` for tasks: where a host function waits, the guest is suspended and the event loop goes on.

        Cancelling the task ends the guest. What a host function's awaitable raises comes out as the same object.
        """
        try:
            function = self._stepwise[name]
        except (KeyError, TypeError):
            function = self._bind_stepwise(name)
            self._stepwise[name] = function
        return await function(*args, **named)

    def _bind_stepwise(self, name: str) -> Callable[..., Awaitable[Any]]:
        frame = self._running()
        key, _ = self.component.find_function(name)
        return _alone(frame, machine.stepwise, self.component._function_items[key], key)

    @property
    def exports(self) -> ExportedInstance:
        """What the guest exports: functions and resources as attributes, instances as items."""
        if self._exports is None:
            self._exports = ExportedInstance(self, self.component.plan.exports)
        return self._exports

    @property
    def closed(self) -> bool:
        return self._frame is None

    @property
    def usable(self) -> bool:
        """Whether the guest can be called again: not once it trapped, or was closed."""
        frame = self._frame
        return frame is not None and all(i.poison is None and i.may_enter is not BARRED for i in frame.components)

    def close(self) -> None:
        """End the guest and free all it holds; Python objects and resources of other guests that it owned are closed.

        Raises ConflictError while a call into the guest is running, and ThreadError from a thread that may not use it.
        Closing twice does nothing, unless Ctrl-C ended the first: it goes on where that was.
        """
        frame = self._frame
        if frame is None:
            return
        self._refuse_closing(frame)
        bar(frame)
        # Nothing may come between the test and what it guards: see `abi.entry`.
        if not frame.closing:
            frame.closing = True
            try:
                self._let_go(frame)
            finally:
                frame.closing = False

    def _refuse_closing(self, frame: Frame) -> None:
        """Raise why this thread can't close the guest now, if `bar` does not know it."""
        if not frame.components[0].is_here:
            refuse_thread(frame.components[0])

    def _let_go(self, frame: Frame) -> None:
        """Free all, as far as that has not been done; raises what the first destructor does."""
        self._left = frame.resources
        self._callables = {}
        self._stepwise = {}
        try:
            frame.drop_others()  # now, as `close` says: a thread of its own frees the rest when it comes to it
        finally:  # which goes on where Ctrl-C came
            frame.close()
            self._frame = None

    def __reduce__(self) -> NoReturn:
        raise TypeError("a guest can't be copied or pickled: instantiate its component again")

    def __enter__(self) -> Guest:
        self._running()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<guest of {self.component!r}{', closed' if self.closed else ''}>"

    # ---- for exports and for linking to another guest

    def _running(self) -> Frame:
        if self._frame is None:
            raise UnavailableError("the guest is closed", hint="instantiate the component again")
        return self._frame

    def _bind(self, item: LiftRef | HostFuncRef, key: str) -> Callable[..., Any]:
        bound = self._callables.get(key)
        if bound is None:
            bound = self._callables[key] = _alone(self._running(), self._new, item, key)
        return bound

    def _new(self, frame: Frame, item: LiftRef | HostFuncRef, key: str) -> Callable[..., Any]:
        if isinstance(item, HostFuncRef):
            function, served = frame.reexported(item.index, key), frame.linked.functions[item.index]
        else:
            function = served = frame.lifted(item.index, key)
        bound = function if frame.budget_ms is None else frame.limited(function)
        mark(bound, self.component.functions[key], frame.resources, served)
        return bound

    def _module(self, module: StaticModule | ImportedModule) -> bytes | memoryview:
        frame = self._running()
        if isinstance(module, StaticModule):
            return frame.plan.modules[module.index].wasm
        return frame.linked.modules[frame.plan.host_modules.index(module)].wasm

    def _component(self, component: ComponentItem) -> Component:
        return self.component._nested(component)

    def _resources(self) -> Mapping[ResourceType, RuntimeResource]:
        return self._running().resources

    def _known_resource(self, type: ResourceType) -> RuntimeResource:
        frame = self._frame
        return (self._left if frame is None else frame.resources)[type]


def _alone(frame: Frame, look: Callable[..., _T], *args: Any) -> _T:
    """`look(frame, *args)`, which looks into the guest's store, while no other thread is in the guest or closes it."""
    entering = frame.components[:1]  # as `entry.ENTERING` says
    root = entering[0]
    # Nothing may come between the test and what it guards: see `abi.entry`.
    if root.may_enter:
        root.may_enter = False
    elif is_left_by_collector(entering):
        return _alone(frame, look, *args)
    else:
        check_look(entering)
        return look(frame, *args)
    try:
        return look(frame, *args)
    finally:
        root.may_enter = root.poison is None or BARRED  # as `leave` does: Ctrl-C may come where that is called
        if root.deferred:
            run_deferred(root)


def bar(frame: Frame) -> None:
    """Let no call enter any more. Raises ConflictError where one is running."""
    root = frame.components[0]
    # Nothing may come between the test and what it guards: see `abi.entry`.
    if root.may_enter is not False and root.may_enter is not AWAITED:
        root.may_enter, root.poison = BARRED, CLOSED
    elif is_left_by_collector([root]):
        bar(frame)
    else:
        raise ConflictError("a guest can't be closed while a call into it is running")
    for instance in frame.components:
        instance.close()


def _offer_methods(guest: Guest, frame: Frame) -> None:
    """Give the guest's resources their methods, each bound when it is first called."""
    for resource, name, item, key in guest.component._methods:
        runtime = frame.resources[resource]
        runtime.methods.setdefault(name, _late(guest, item, key))
        runtime.async_methods.setdefault(name, partial(guest.call_async, key))


def _late(guest: Guest, item: LiftRef | HostFuncRef, key: str) -> Callable[..., Any]:
    return lambda *args, **named: guest._bind(item, key)(*args, **named)
