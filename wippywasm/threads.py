"""Which thread this is, by a number that no other ever has: the system gives a thread that of one which has ended.

In: nothing. Out: `here.number`, and whether an event loop runs here.
"""

from __future__ import annotations

import itertools
import sys
import threading

_numbers = itertools.count(1)


class Here(threading.local):
    """`number` is this thread's."""

    def __init__(self) -> None:
        self.number = next(_numbers)


here = Here()


def in_event_loop() -> bool:
    """Whether an event loop runs in this thread."""
    if "asyncio" not in sys.modules:
        return False
    import asyncio  # late, as in `engine.turns`

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
