"""Calls that would block the event loop, made in a thread of their own: name lookups, certificates, lingering sockets.

In: a function. Out: its outcome, to wait for on any event loop.

The threads are daemons: a name server that does not answer keeps nobody from leaving.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class InThread(Generic[T]):
    """Runs `function` at once; it is ready when that has ended."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._future: Future[T] = Future()
        self._future.set_running_or_notify_cancel()
        threading.Thread(target=self._run, args=(function,), daemon=True, name="wippywasm network").start()

    def _run(self, function: Callable[[], T]) -> None:
        try:
            self._future.set_result(function())
        except Exception as error:  # noqa: BLE001  it is raised where the outcome is asked for
            self._future.set_exception(error)

    def is_ready(self) -> bool:
        return self._future.done()

    async def ready(self) -> None:
        wrapped = asyncio.wrap_future(self._future)
        try:
            await asyncio.wait({wrapped})
        finally:
            if not wrapped.cancel():
                wrapped.exception()

    def result(self) -> T:
        """What the function returned or raised; only when it is ready."""
        return self._future.result(0)

    def when_done(self, then: Callable[[], None]) -> None:
        """Call `then` once it has ended, in whatever thread."""
        self._future.add_done_callback(lambda _: then())
