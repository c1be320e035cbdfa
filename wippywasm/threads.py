"""Which thread this is, by a number that no other ever has: the system gives a thread that of one which has ended.

In: nothing. Out: `here.number`.
"""

from __future__ import annotations

import itertools
import threading

_numbers = itertools.count(1)


class Here(threading.local):
    """`number` is this thread's."""

    def __init__(self) -> None:
        self.number = next(_numbers)


here = Here()
