"""Canonical built-ins other than those of resources, as core callables.

In: a step, the run-time state of its component instance. Out: callables. Those of asynchronous components that do not
run yet are linked all the same, so that a component which merely imports them loads; calling one is the error.

Spec: `CanonicalABI.md`, "`canon context.get`", "`canon context.set`", "`canon backpressure.{inc,dec}`".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from wippywasm.abi.state import ComponentInstance
from wippywasm.abi.traps import cannot_leave
from wippywasm.core import CoreFuncType
from wippywasm.engine.port import CoreFunc
from wippywasm.errors import Trap, UnsupportedFeatureError
from wippywasm.plan.steps import CanonicalBuiltin

RUNNING = frozenset({"context.get", "context.set", "backpressure.inc", "backpressure.dec"})
"""Those that do what they say; calling any other is refused."""
CONTEXT_SLOTS = 2
MAX_BACKPRESSURE = 2**16


class Context:
    """What built-ins keep for one component instance.

    `slots` are the context slots of the call that runs in it, zero when it starts; nested calls have their own.
    """

    __slots__ = ("_outer", "backpressure", "slots")

    def __init__(self) -> None:
        self.slots = [0] * CONTEXT_SLOTS
        self._outer: list[list[int]] = []
        self.backpressure = 0

    def starting(self, core: CoreFunc) -> ContextFunc:
        """The core function as one that starts a call which `ending` ends: `post-return` still finds its slots."""
        function = core.call

        def call(*args: Any) -> Any:
            self._outer.append(self.slots)
            self.slots = [0] * CONTEXT_SLOTS
            return function(*args)

        return ContextFunc(core.type, call)

    def ending(self, core: CoreFunc) -> ContextFunc:
        """The `post-return` of such a call."""
        function = core.call

        def call(*args: Any) -> Any:
            function(*args)
            self.slots = self._outer.pop()

        return ContextFunc(core.type, call)

    def nested(self, core: CoreFunc) -> ContextFunc:
        """The core function as one that is a call of its own, perhaps inside of another: `realloc`, destructors."""
        function = core.call

        def call(*args: Any) -> Any:
            outer, self.slots = self.slots, [0] * CONTEXT_SLOTS
            result = function(*args)
            self.slots = outer
            return result

        return ContextFunc(core.type, call)


class ContextFunc:
    """A core function that finds fresh context slots."""

    def __init__(self, type: CoreFuncType, call: Callable[..., Any]) -> None:
        self.type = type
        self.call = call


def make_builtin(step: CanonicalBuiltin, instance: ComponentInstance, context: Context) -> Callable[..., Any]:
    """The core callable of a built-in for one component instance."""
    match step.name:
        case "context.get":
            return _context_get(context, _slot(step))
        case "context.set":
            return _context_set(context, _slot(step))
        case "backpressure.inc" | "backpressure.dec":
            return _backpressure(context, 1 if step.name.endswith("inc") else -1)
        case _:
            return _refuse(step.name, instance)


def _slot(step: CanonicalBuiltin) -> int:
    slot = step.immediates["slot"]
    assert isinstance(slot, int)
    return slot


def _context_get(context: Context, slot: int) -> Callable[[], int]:
    return lambda: context.slots[slot]


def _context_set(context: Context, slot: int) -> Callable[[int], None]:
    def context_set(value: int) -> None:
        context.slots[slot] = value

    return context_set


def _backpressure(context: Context, by: int) -> Callable[[], None]:
    def backpressure() -> None:
        context.backpressure += by
        if not 0 <= context.backpressure < MAX_BACKPRESSURE:
            raise Trap("backpressure counter overflow", code="backpressure")

    return backpressure


def _refuse(name: str, instance: ComponentInstance) -> Callable[..., NoReturn]:
    def refuse(*args: object) -> NoReturn:
        if not instance.may_leave:
            cannot_leave(name)
        raise UnsupportedFeatureError(f"the built-in `{name}`", "wippywasm")

    return refuse
