"""Awaitables that nobody will await."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Awaitable
from inspect import CORO_CLOSED, getcoroutinestate

from wippywasm.awaitables import discard


async def outer(inner: Awaitable[int]) -> int:
    return await inner


async def innermost() -> int:
    return 1


def test_what_a_discarded_coroutine_would_await_is_discarded_too() -> None:
    held = innermost()

    async def closure() -> int:
        return await held

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        discard(outer(outer(closure())))
        gc.collect()
    assert getcoroutinestate(held) == CORO_CLOSED
