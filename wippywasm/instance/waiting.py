"""Host functions that wait, called by a guest whose caller waits too.

In: awaitables that host functions return. Out: their values, found on a private event loop while the thread waits.

Spec: SPEC section 8.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from wippywasm.errors import ConflictError


class Waiting:
    """What a core host function returns where its result takes time.

    `awaitable` runs on an event loop, perhaps in another thread than the guest, so it must not touch the guest's
    memory. `finish` turns what it gives into the core results, where and when the guest may be touched.
    """

    __slots__ = ("awaitable", "finish")

    def __init__(self, awaitable: Awaitable[Any], finish: Callable[[Any], Any]) -> None:
        self.awaitable = awaitable
        self.finish = finish


def waits(value: Any) -> bool:
    """Whether a host function returned something to wait for."""
    return hasattr(type(value), "__await__")


def waits_when_called(function: Callable[..., Any]) -> bool:
    """Whether a function is known to return something to wait for."""
    return inspect.iscoroutinefunction(getattr(function, "__wrapped__", function))


def in_event_loop() -> bool:
    """Whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run_now(awaitable: Awaitable[Any]) -> Any:
    """The awaitable's value; this thread waits for it. Raises ConflictError where an event loop runs in this thread."""
    if not in_event_loop():
        return _run(awaitable)
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
    raise ConflictError(
        "a host function of the guest has to wait, and the event loop of this thread would wait with it",
        hint="use call_async; on an engine whose guests belong to threads, instantiate in a coroutine too",
    )


def _run(awaitable: Awaitable[Any]) -> Any:
    async def outcome() -> Any:
        return await awaitable

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(outcome())
    finally:
        _end(loop)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
    """The host function as one that returns what it waited for."""

    @wraps(function)
    def call(*args: Any) -> Any:
        value = function(*args)
        return run_now(value) if waits(value) else value

    return call


def core_waiting(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a core host function, which returns `Waiting`."""

    def call(*args: Any) -> Any:
        value = function(*args)
        return value.finish(run_now(value.awaitable)) if value.__class__ is Waiting else value

    return call
