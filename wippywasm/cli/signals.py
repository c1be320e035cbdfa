"""Signals that end what runs in order, instead of the process at once.

In: a handler. Out: calls of it by the running event loop. Spec: SPEC section 13.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_to(handle: Callable[[int], None]) -> Iterator[None]:
    """Inside, the loop calls `handle` with the number of each signal; afterwards signals do what they did before.

    This does not wait for the loop to close, which leaves SIGINT to Python: from then on it would be a traceback out of
    whatever the process does last.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number, action in before.items():
            try:
                loop.remove_signal_handler(number)
            finally:  # a SIGINT between the two is a KeyboardInterrupt
                signal.signal(number, action)
