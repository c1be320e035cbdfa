"""What a guest asks of a disk, done at once where it is small, else in a thread so that the loop goes on.

In: a blocking function and how many bytes it moves. Out: its value, or something to await.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, Generic, TypeVar

from wippywasm.wasi.filesystem.protocol import AnyDescriptor

SMALL_BYTES: Final = 128 << 10
"""Reading or writing this much of a regular file takes less than changing threads does."""
SLOW: Final = SMALL_BYTES + 1
"""As a size: what waits for the disk whatever it moves."""
SYNC_FLAGS: Final = frozenset({"file-integrity-sync", "data-integrity-sync", "requested-write-sync"})
"""A file that was opened with one of these is on the disk when a write to it returns."""

T = TypeVar("T")


def in_turn(of: AnyDescriptor, size: int, function: Callable[[], T]) -> T | Awaitable[T]:
    """`function()`, which works on that descriptor; an awaitable of it where `size` bytes of a disk are many."""
    return InThread(function) if of.on_disk and size > SMALL_BYTES else function()


class InThread(Generic[T]):
    """Runs a function in a thread once it is awaited; one that nobody awaits does nothing, and needs no closing."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.to_thread(self._function).__await__()


def write_size(of: AnyDescriptor, size: int) -> int:
    """`size` for `in_turn`, of a write."""
    return SLOW if of.flags & SYNC_FLAGS else size


def sync_size(of: AnyDescriptor) -> int:
    """The size for `in_turn`, of a sync: nothing was written to a read-only mount."""
    return 0 if of.read_only else SLOW
