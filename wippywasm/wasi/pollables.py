"""`wasi:io/poll`: the `pollable` resource, and waiting for several.

In: waitables. Out: what guests wait with.

Spec: `wasi:io/poll`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from wippywasm.errors import Trap
from wippywasm.instance.offered import HostInterface
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.waitables import Waitable, wait_any

MAX_POLLED = 1 << 14
"""A guest may ask for at most so many at once."""


class Pollable(Handle):
    """Becomes ready with what it was subscribed to, its `parent`, which must outlive it."""

    def __init__(self, source: Waitable, parent: Handle | None = None) -> None:
        super().__init__(parent)
        self.source = source

    def ready(self) -> bool:
        return self.source.is_ready()

    def block(self) -> Awaitable[None] | None:
        return None if self.source.is_ready() else self._block()

    async def _block(self) -> None:
        while not self.source.is_ready():
            await self.source.ready()


class Poll(HostInterface):
    """`wasi:io/poll`."""

    wit = "wasi:io/poll"

    pollable = Pollable

    def poll(self, pollables: Sequence[Pollable]) -> list[int] | Awaitable[list[int]]:
        """The indices of those that are ready, at least one; traps on an empty list."""
        if not pollables:
            raise Trap("poll was called with an empty list", code="empty poll list")
        if len(pollables) > MAX_POLLED:
            raise Trap(f"poll was called with {len(pollables)} pollables, more than {MAX_POLLED}", code="too many")
        return ready_indices(pollables) or first_ready(pollables)


def ready_indices(pollables: Sequence[Pollable]) -> list[int]:
    """Which are ready now."""
    return [i for i, p in enumerate(pollables) if p.source.is_ready()]


async def first_ready(pollables: Sequence[Pollable]) -> list[int]:
    """Which are ready, as soon as one is."""
    while True:
        await wait_any(p.source for p in pollables)
        found = ready_indices(pollables)
        if found:
            return found
