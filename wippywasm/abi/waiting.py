"""Host functions that wait: what they return is awaited before their guest goes on.

In: what a host function returned. Out: whether that is something to await, and the shape of what awaits it: a `Park`
gets the awaitable and a continuation from its value to core results, and gives those results, now or (where it has the
guest suspended) later. How a guest is suspended is the business of whoever supplies the `Park`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import NoneType
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from wippywasm.awaitables import discard, only_makes_coroutines
from wippywasm.errors import InternalError
from wippywasm.values import Err, Ok, Some, Variant

if TYPE_CHECKING:
    from wippywasm.abi.scopes import Scope

Finish: TypeAlias = Callable[[Any], Any]
Park: TypeAlias = Callable[..., Any]
"""Gets an awaitable, a `Finish`, and perhaps steps."""

PLAIN = frozenset({NoneType, bool, int, float, str, bytes, list, tuple, dict, set, Ok, Err, Some, Variant})
"""Classes of most results, known to be no awaitables."""


def is_awaitable(value: object) -> bool:
    """Whether a host function's result is still to come."""
    return hasattr(value.__class__, "__await__")


class Pace:
    """How the allocations of a guest go: where `nested` is above 0, its `Park` knows whether it is better suspended."""

    __slots__ = ("nested",)

    def __init__(self) -> None:
        self.nested = 0.0


ALWAYS_QUICK = Pace()


async def there(value: Any) -> Any:
    """A value to await that is there already."""
    return value


async def resolved(awaitable: Awaitable[Any], scope: Scope) -> Any:
    """The value of `awaitable`; what the guest lent for the call is given back however that ends.

    From here on the host has what the guest gave.
    """
    scope.lifted.clear()
    try:
        return await awaitable
    finally:
        scope.subtask.deliver_resolve()


def fail(scope: Scope, function: Callable[..., Any]) -> None:
    """The call of that host function has failed, perhaps before anybody awaited what it returned: see `Scope.fail`."""
    if only_makes_coroutines(function):
        scope.fail()
    else:
        scope.fail_to_return()
    scope.subtask.deliver_resolve()


def refuse_to_wait(awaitable: Awaitable[Any], finish: Finish, steps: Any = None) -> NoReturn:
    """The `Park` of functions that nobody can suspend."""
    discard(awaitable)
    raise InternalError("a host function waits, and nothing here can wait for it")
