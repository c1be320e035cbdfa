"""Awaitables of host functions: those that nobody will await, and those that have been begun.

In: what a host function returned. Out: nothing, where it is ended; or an awaitable for what is left of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Coroutine, Generator
from types import coroutine
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


def only_makes_coroutines(function: Any) -> bool:
    """Whether a host function does nothing before what it returns is awaited, itself or the one that ours calls."""
    while hasattr(function, "__wrapped__") and str(function.__module__).startswith("wippywasm."):
        function = function.__wrapped__
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def rest_of(begun: Coroutine[Any, Any, Any], yielded: Any) -> Awaitable[Any]:
    """What is left of a coroutine that has been sent into once, and has yielded something; closing it closes that."""
    left = _rest(begun, yielded)
    next(left)
    return left


@coroutine
def _rest(begun: Coroutine[Any, Any, Any], yielded: Any) -> Generator[Any, Any, Any]:
    try:
        yield  # `rest_of` comes as far as this, so that `close` finds it inside of `try`
        while True:
            try:
                yield yielded
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001  (it is the coroutine's)
                try:
                    yielded = begun.throw(error)
                except StopIteration as stop:
                    return stop.value
            else:
                return (yield from begun)
    finally:
        begun.close()
