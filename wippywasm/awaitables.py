"""Awaitables that nobody will await.

In: what a host function returned. Out: nothing; it is ended.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from typing import Any


def discard(awaitable: Awaitable[Any]) -> None:
    """End an awaitable that nobody will await, so that it is not reported as forgotten, nor one that it would await."""
    if inspect.iscoroutine(awaitable) and inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED:
        for held in inspect.getcoroutinelocals(awaitable).values():
            if inspect.iscoroutine(held):
                discard(held)
    end = getattr(awaitable, "close", None) or getattr(awaitable, "cancel", None)
    if callable(end):
        end()
