"""What the tests of streams share: a bounded run, errors by their payload, a sink that is slow.

In: coroutines, calls. Out: what they give, or the payload of the error that they raise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from wippywasm.errors import WitError
from wippywasm.values import Variant

CLOSED = Variant("closed")


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 10))


def error_of(function: Callable[[], Any]) -> Any:
    with pytest.raises(WitError) as raised:
        function()
    return raised.value.payload


class Slow:
    """A sink that takes `room` bytes, and more when `later` is called."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.got = b""
        self.flushed = 0
        self.more = asyncio.Event()

    def is_ready(self) -> bool:
        return self.room > 0

    async def ready(self) -> None:
        await self.more.wait()
        self.more.clear()

    def permit(self) -> int:
        return self.room

    def put(self, data: bytes) -> None:
        assert len(data) <= self.room
        self.got += data
        self.room -= len(data)

    def flush(self) -> None:
        self.flushed += 1

    def close(self) -> None: ...

    def later(self, room: int) -> None:
        self.room += room
        self.more.set()


def settled_now(value: Any) -> Any:
    assert not hasattr(value, "__await__")
    return value
