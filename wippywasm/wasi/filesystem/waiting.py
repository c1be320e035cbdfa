"""What a guest asks of a disk, done at once where it is small, else in a thread so that the loop goes on.

In: a blocking function and how many bytes it moves. Out: its value, or something to await.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

SMALL_BYTES: Final = 128 << 10
"""Reading or writing this much of a regular file takes less than changing threads does."""
SLOW: Final = SMALL_BYTES + 1
"""As a size: something that waits for the disk whatever it moves."""

T = TypeVar("T")


def in_turn(size: int, function: Callable[[], T]) -> T | Awaitable[T]:
    """`function()`, or an awaitable of it where `size` bytes are many."""
    return function() if size <= SMALL_BYTES else asyncio.to_thread(function)
