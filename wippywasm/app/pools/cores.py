"""Which cores threads of guests run on, and which the event loop keeps.

In: the cores this process may use, and how many of them `scheduler.wasm_isolation` reserves. Out: `Cores`. Where the
system can't bind threads to cores they are counted all the same. Spec: SPEC section 4.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from wippywasm.dataclass import dataclass

MAX_DEFAULT_WORKERS = 4


@dataclass(frozen=True)
class Cores:
    """`reserved` are for guests, `others` for the rest of the process; with nothing reserved no thread is bound."""

    reserved: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    @property
    def workers(self) -> int:
        """How many workers a pool has that does not say."""
        return len(self.reserved) or min(len(usable_cores()), MAX_DEFAULT_WORKERS)

    def core_for(self, thread: int) -> int | None:
        """The core of a pool's thread, counted from 0."""
        return self.reserved[thread % len(self.reserved)] if self.reserved else None


def usable_cores() -> tuple[int, ...]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def reserve(count: int) -> Cores | None:
    """The last `count` cores for guests; None where that leaves none for the rest."""
    usable = usable_cores()
    if not 0 < count < len(usable):
        return None
    return Cores(usable[-count:], usable[:-count])


def bind_thread(cores: Collection[int]) -> None:
    """Let the calling thread run on these cores only, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        return
    try:
        os.sched_setaffinity(0, cores)
    except OSError:
        return
