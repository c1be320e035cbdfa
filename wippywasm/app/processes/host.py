"""Where processes run: how many there may be, and how much may wait for each.

In: `process.host` and `terminal.host` entries. Out: `Host`s. Spec: SPEC section 9.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from wippywasm.app.entry import Entry
from wippywasm.dataclass import dataclass
from wippywasm.errors import RateLimitedError

MAX_PROCESSES = 10_000
QUEUE_SIZE = 1024


@dataclass(eq=False)
class Host:
    """`places` messages may wait for each of its processes; `workers` threads run Lua for them."""

    id: str
    max_processes: int = MAX_PROCESSES
    places: int = QUEUE_SIZE
    workers: int = 1
    is_terminal: bool = False
    count: int = 0
    _threads: ThreadPoolExecutor | None = None

    @property
    def threads(self) -> ThreadPoolExecutor:
        """The threads, made when first asked for."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix=self.id)
        return self._threads

    def close(self) -> None:
        """Let the threads end, once they have nothing to do."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    def enter(self) -> None:
        """A process more; raises RateLimitedError where the host is full."""
        if self.count >= self.max_processes:
            hint = "end some, or give the host a larger host.max_processes"
            raise RateLimitedError(f"{self.id} runs {self.count} processes and takes no more", hint=hint)
        self.count += 1

    def leave(self) -> None:
        self.count -= 1

    def become(self, other: Host) -> None:
        """Take the settings of another; who is here stays."""
        self.max_processes, self.places, self.workers = other.max_processes, other.places, other.workers


def host_of(entry: Entry) -> Host:
    """The host that an entry describes; a terminal runs one process at a time."""
    if entry.kind == "terminal.host":
        return Host(entry.id, max_processes=1, is_terminal=True)
    settings: Mapping[str, Any] = entry.data.get("host") or {}
    return Host(
        entry.id,
        settings.get("max_processes", MAX_PROCESSES),
        settings.get("queue_size", QUEUE_SIZE),
        settings.get("workers") or os.cpu_count() or 1,
    )
