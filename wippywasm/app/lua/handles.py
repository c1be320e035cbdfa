"""What the host keeps for a Lua program: objects that stay here, known to the program by number.

In: objects. Out: numbers, and the objects again. All of them are closed when the call that got them ends.
Spec: SPEC section 11.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, Protocol, TypeVar

from wippywasm.errors import InvalidError, RateLimitedError

MAX_HANDLES = 10_000

T = TypeVar("T")


class Closable(Protocol):
    """What a handle may stand for; `close` may be a coroutine function, and is called once."""

    def close(self) -> Any: ...


class Handles:
    """The objects of one call, by number; a number is never used twice."""

    def __init__(self) -> None:
        self._objects: dict[int, Closable] = {}
        self._count = 0

    def add(self, object: Closable) -> int:
        """Keep an object; raises RateLimitedError where there are too many."""
        if len(self._objects) >= MAX_HANDLES:
            raise RateLimitedError(f"more than {MAX_HANDLES} objects are open; close some first")
        self._count += 1
        self._objects[self._count] = object
        return self._count

    def get(self, number: int, kind: type[T]) -> T:
        """The object of a number; raises InvalidError where it is closed or of another kind."""
        object = self._objects.get(number)
        if not isinstance(object, kind):
            words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()
            raise InvalidError(f"this {words} is closed")
        return object

    def take(self, number: int, kind: type[T]) -> T:
        """The same, which is the caller's from now on."""
        object = self.get(number, kind)
        del self._objects[number]
        return object

    async def drop(self, number: int) -> None:
        """Close an object; harmless to repeat."""
        object = self._objects.pop(number, None)
        if object is not None:
            await _close(object)

    async def close(self) -> None:
        """Close all, the youngest first."""
        for number in reversed(list(self._objects)):
            await self.drop(number)


async def _close(object: Closable) -> None:
    closing = object.close()
    if inspect.isawaitable(closing):
        await closing
