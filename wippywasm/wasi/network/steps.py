"""Work that waits, written as a generator, and made to go on by whoever looks at it.

In: a generator that yields what it waits for. Out: its outcome. It needs no task and no event loop: a guest that is
called without one makes it go on whenever it asks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Sequence
from typing import Generic, TypeAlias, TypeVar

from wippywasm.wasi.waitables import Waitable, wait_any

T = TypeVar("T")
Work: TypeAlias = Generator[Waitable, None, T]


class Deadline:
    """Ready when its time has come: at `end`, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def is_ready(self) -> bool:
        return time.monotonic() >= self.end

    async def ready(self) -> None:
        await asyncio.sleep(max(0.0, self.end - time.monotonic()))


class AnyOf:
    """Ready when one of several is."""

    def __init__(self, *waitables: Waitable) -> None:
        self._waitables: Sequence[Waitable] = waitables

    def is_ready(self) -> bool:
        return any(w.is_ready() for w in self._waitables)

    async def ready(self) -> None:
        await wait_any(self._waitables)


class Steps(Generic[T]):
    """`current` is what it waits for, None once it has ended."""

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._value: T | None = None
        self._error: Exception | None = None
        self.current: Waitable | None = None
        self._go_on()

    def advance(self) -> bool:
        """Go on as far as it goes; whether it has ended."""
        while self.current is not None and self.current.is_ready():
            self._go_on()
        return self.current is None

    def _go_on(self) -> None:
        try:
            self.current = next(self._work)
        except StopIteration as end:
            self.current, self._value = None, end.value
        except Exception as error:  # noqa: BLE001  it is raised where the outcome is asked for
            self.current, self._error = None, error

    def result(self) -> T:
        """What it returned or raised, once it has ended."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def close(self) -> None:
        """End it early."""
        self.current = None
        self._work.close()
