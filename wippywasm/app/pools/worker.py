"""What a pool keeps: one instance that serves one call at a time.

The interface is async so that a call may wait; where the instance runs is the worker's own business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias


class Worker(Protocol):
    """An instance of a function."""

    async def call(self, args: Sequence[Any]) -> Any:
        """Run one call to its end."""
        ...

    def usable_after(self, error: BaseException) -> bool:
        """Whether the instance may serve again after a call that ended with `error`."""
        ...

    def close(self) -> None:
        """Free the instance; called once."""
        ...


WorkerFactory: TypeAlias = Callable[[], Awaitable[Worker]]
