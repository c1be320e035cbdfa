"""Host functions that wait, called by a guest whose caller waits too.

In: awaitables that host functions return. Out: their values, found on a private event loop while the thread waits.

Spec: SPEC section 8.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn

from wippywasm.awaitables import discard
from wippywasm.errors import ConflictError
from wippywasm.threads import in_event_loop

if TYPE_CHECKING:
    import asyncio

    from wippywasm.abi.waiting import Finish


class _Thread(threading.local):
    """What awaits for the guests that run in this thread, where a task does, and finishes with the value."""

    wait: Callable[[Awaitable[Any], Finish], Any] | None = None


this_thread = _Thread()


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


def run_now(awaitable: Awaitable[Any]) -> Any:
    """The awaitable's value; this thread waits for it. Raises ConflictError where an event loop runs in this thread."""
    if in_event_loop():
        refuse_to_wait(awaitable)
    return _run(awaitable)


def refuse_to_wait(awaitable: Awaitable[Any], _: Finish | None = None) -> NoReturn:
    """Raise ConflictError: whoever called the guest has an event loop to run."""
    discard(awaitable)
    raise ConflictError(
        "a host function of the guest has to wait, and the event loop of this thread would wait with it",
        hint="use call_async; on an engine whose guests belong to threads, instantiate in a coroutine too",
    )


def _run(awaitable: Awaitable[Any]) -> Any:
    import asyncio

    async def outcome() -> Any:
        return await awaitable

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(outcome())
    finally:
        _end(loop)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
