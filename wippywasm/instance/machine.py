"""Calls by a task: the machine that steps a guest, chosen for each.

In: a frame and one of its functions. Out: a coroutine function. Where the store has fibers the guest runs on one
(`Frame.stepwise`), unless a suspended call would pass through another guest's frames: those are Python's, which must
stay on a stack of their own, so such guests run in a thread of theirs. A guest that belongs to the thread which made it
runs right here, and can't be suspended; one that can is made in a thread of its own (`thread_guest`). What runs when a
guest is made runs in a thread, too.

Spec: SPEC section 8; DESIGN section 3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from wippywasm.engine.spans import in_span, new_span
from wippywasm.instance import budget
from wippywasm.plan.items import HostFuncRef, LiftRef

if TYPE_CHECKING:
    from wippywasm.instance.frame import Frame


def stepwise(frame: Frame, item: LiftRef | HostFuncRef, name: str) -> Callable[..., Awaitable[Any]]:
    """The function for calls by a task; it returns ok or raises WitError."""
    if isinstance(item, HostFuncRef):
        function = frame.stepwise_reexported(item.index, name)
    elif frame.parking.fiber_store is None:
        function = _here(frame.limited(frame.lifted(item.index, name)))
    elif frame.recipe.is_composed or frame.recipe.contexts:
        return in_thread(frame, frame.lifted(item.index, name))
    else:
        function = _clocked(frame, frame.stepwise(item.index, name))
    return frame.limited_in_tasks(function)


def _clocked(frame: Frame, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A function on a fiber, with the clock for what it does between two waits."""
    store, budget_ms = frame.timed_store, frame.budget_ms
    if store is None or budget_ms is None:
        return function

    async def call(*args: Any, **named: Any) -> Any:
        span = new_span(budget.out_of_time(budget_ms), budget_ms / 1000)
        try:
            store.start_clock(span)
            return await function(*args, **named)
        finally:
            try:  # as `in_span` does
                store.stop_clock(span)
            except BaseException:
                store.stop_clock(span)
                raise

    return call


def _here(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """A function that runs right here."""

    async def call(*args: Any, **named: Any) -> Any:
        return function(*args, **named)

    return call


def in_thread(
    frame: Frame, function: Callable[..., Any], message: str = budget.OF_A_CALL
) -> Callable[..., Awaitable[Any]]:
    """The function in the guest's own thread, where it may be interrupted, with a budget for each call."""
    store, budget_ms = frame.timed_store, frame.budget_ms

    def run(*args: Any, **named: Any) -> Any:
        if store is None:
            return function(*args, **named)
        timeout = None if budget_ms is None else budget.out_of_time(budget_ms, message)
        return in_span(store, new_span(timeout, (budget_ms or 0) / 1000), function, *args, **named)

    async def call(*args: Any, **named: Any) -> Any:
        if frame.thread is None:
            from wippywasm.instance.guest_thread import take_thread  # for few engines

            frame.thread = take_thread()
        made = budget.task_call(budget_ms, message)
        return await frame.thread.run(partial(run, *args, **named), frame.interrupt, frame.components, made)

    return call


async def start(frame: Frame) -> None:
    """Do the steps of a new frame in a thread, which is given back; where they fail the frame is closed."""
    run = in_thread(frame, frame.run, budget.OF_A_START)
    try:
        await run()
    except BaseException:
        frame.close()
        raise
    thread, frame.thread = frame.thread, None
    assert thread is not None
    thread.release()
