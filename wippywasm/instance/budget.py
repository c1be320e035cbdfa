"""The time that a call may take, waiting included.

In: a coroutine function and a budget. Out: one that ends with TimedOutError when the budget is spent, its guest ended.

Spec: SPEC section 6 (`max_execution_ms`).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from wippywasm.calling import Call, TaskCall, around
from wippywasm.engine.port import TimedStore
from wippywasm.engine.spans import in_span, new_span
from wippywasm.errors import TimedOutError

OF_A_CALL = "the call took longer than its limit max_execution_ms = {:g}"
OF_A_START = "instantiation took longer than its limit max_execution_ms = {:g}"
OF_A_DESTRUCTOR = "a destructor took longer than the {:g} ms that it may take, since nobody awaits it"


def out_of_time(budget_ms: float, message: str = OF_A_CALL) -> TimedOutError:
    """The error for what took longer than it may."""
    return TimedOutError(message.format(budget_ms), details={"max_execution_ms": budget_ms})


def task_call(budget_ms: float | None, message: str = OF_A_CALL, store: Any = None) -> TaskCall:
    """A call that the running task makes, with that budget if any."""
    if budget_ms is None:
        return TaskCall(store=store)
    return TaskCall(out_of_time(budget_ms, message), budget_ms / 1000, store)


def _nobody(timeout: BaseException) -> None:
    """Where no other thread runs for the call: it looks at its time when it goes on."""


async def within(call: Call, awaitable: Awaitable[Any], expire: Callable[[BaseException], None] = _nobody) -> Any:
    """What `awaitable` gives, which is cancelled when the call is out of time; raises its timeout then.

    `expire` gets the timeout before: a host function may catch the cancellation, and its guest is not to go on.
    """
    import asyncio  # late, as in `engine.turns`

    timeout = call.timeout
    assert timeout is not None
    timer = _Timer(call, timeout, expire)
    try:
        return await awaitable
    except asyncio.CancelledError:
        if timer.is_cause():
            raise timeout from None
        raise
    except Exception as error:
        if timer.is_cause() and error.args != timeout.args:  # what a host raised when it was cancelled
            raise timeout from error
        raise
    finally:
        timer.stop()


class _Timer:
    """Cancels the running task in a while, and knows whether a cancellation is its own."""

    def __init__(self, call: Call, timeout: BaseException, expire: Callable[[BaseException], None]) -> None:
        import asyncio

        task = asyncio.current_task()
        assert task is not None
        assert call.deadline is not None
        self._call = call
        self._task = task
        self._before = task.cancelling() if hasattr(task, "cancelling") else 0
        self._expired = False
        self._timeout = timeout
        self._expire_call = expire
        self._handle = asyncio.get_running_loop().call_later(call.deadline - time.monotonic(), self._expire)

    def _expire(self) -> None:
        if self._call.is_met:
            return
        self._expired = True
        self._call.end(self._timeout)
        self._expire_call(self._timeout)
        self._task.cancel(str(self._timeout))

    def is_cause(self) -> bool:
        """Take the cancellation back; False where the task was cancelled by somebody else too."""
        if not self._expired:
            return False
        if hasattr(self._task, "uncancel"):
            return int(self._task.uncancel()) <= self._before
        return not self._call.is_canceled_again

    def stop(self) -> None:
        self._handle.cancel()


def in_tasks(function: Callable[..., Awaitable[Any]], budget_ms: float) -> Callable[..., Awaitable[Any]]:
    """The coroutine function with a budget for each call."""

    async def call(*args: Any, **named: Any) -> Any:
        with task_call(budget_ms) as made:
            return await within(made, function(*args, **named))

    return call


def in_calls(
    function: Callable[..., Any], store: TimedStore, budget_ms: float, message: str = OF_A_CALL
) -> Callable[..., Any]:
    """The function with a budget for each call."""

    def call(*args: Any, **named: Any) -> Any:
        outer = around()
        if outer is not None and outer.store is store:  # the task's call, whose budget it is
            span = new_span()
        else:
            span = new_span(out_of_time(budget_ms, message), budget_ms / 1000)
        return in_span(store, span, function, *args, **named)

    return call
