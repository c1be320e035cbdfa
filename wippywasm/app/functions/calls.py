"""Which calls are under way, so that an app can end without cutting them off, and cut off those that do not end.

In: calls as they start and end. Out: a way to wait until none is left, and to end the rest; meanwhile only calls made
by calls are let in.

Spec: SPEC section 8.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from wippywasm.app.pools.chain import is_nested
from wippywasm.errors import UnavailableError

_END = 2.0
"""Seconds that `cut_off` waits for calls that it has ended: for hosts that take their time over a cancellation."""


class CallCounter:
    """The calls of one app, by the tasks that make them: a call within another of the same task ends with that."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._cut: set[asyncio.Task[Any]] = set()
        self._ended: asyncio.Event | None = None
        self._is_closing = False
        self._is_cut_off = False

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what happens inside; raises `UnavailableError` for a new call while the app ends, and for one that is
        cut off."""
        if self._is_cut_off or (self._is_closing and not is_nested()):
            raise UnavailableError("the app is stopping")
        task = asyncio.current_task()
        if task is None or task in self._tasks:
            yield
            return
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task in self._cut and not _is_cancelled_by_others(task):
                raise UnavailableError("the app stopped before the call had ended") from None
            raise
        finally:
            self._tasks.discard(task)
            self._cut.discard(task)
            if self._ended is not None:
                self._ended.set()

    async def drained(self, grace: float) -> None:
        """Let in no new calls, and wait at most `grace` seconds for those under way."""
        self._is_closing = True
        if grace > 0:
            await self._wait(grace)

    async def cut_off(self) -> None:
        """End the calls that are left, but one that ends the app itself: they raise `UnavailableError`."""
        self._is_cut_off = True
        for task in self._tasks - {asyncio.current_task()}:
            self._cut.add(task)
            task.cancel()
        await self._wait(_END)

    async def _wait(self, seconds: float) -> None:
        """Wait until there are no calls, other than this task's own."""
        loop, own = asyncio.get_running_loop(), asyncio.current_task()
        deadline = loop.time() + seconds
        while self._tasks - {own} and (left := deadline - loop.time()) > 0:
            self._ended = asyncio.Event()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ended.wait(), left)


def _is_cancelled_by_others(task: asyncio.Task[Any]) -> bool:
    """Whether somebody else asked for it, too, as far as CPython tells: not before 3.11."""
    return sys.version_info >= (3, 11) and task.uncancel() > 0
