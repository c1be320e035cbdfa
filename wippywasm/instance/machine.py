"""Calls by a task: the machine that steps a guest, chosen for each.

In: a frame and one of its functions. Out: a coroutine function. On a store with fibers the guest runs on one
(`Frame.stepwise`).

Spec: SPEC section 8; DESIGN section 3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from wippywasm.abi.waiting import is_awaitable
from wippywasm.plan.items import HostFuncRef, LiftRef

if TYPE_CHECKING:
    from wippywasm.instance.frame import Frame


def stepwise(frame: Frame, item: LiftRef | HostFuncRef, name: str) -> Callable[..., Awaitable[Any]]:
    """The function for calls by a task; a top-level `result` comes as Ok or Err."""
    if isinstance(item, HostFuncRef):
        return _awaited(frame.linked.functions[item.index])
    if frame.parking.fiber_store is not None:
        return frame.stepwise(item.index, name)
    return _awaited(frame.lifted(item.index, None, name))


def _awaited(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """A host function that the guest exports as it is."""

    async def call(*args: Any) -> Any:
        value = function(*args)
        return await value if is_awaitable(value) else value

    return call
