"""How much a call takes at most, whatever ran before it.

In: a call. Out: bytes. Tables that all types share grow now and then, by megabytes where tests have made many types: so
the least of two calls is what one of them takes itself.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable


def assert_peak(call: Callable[[], object], below: float | Callable[[], float]) -> None:
    """Fails where it holds as many bytes at once, or more; a second call is made only where the first did.

    How many may depend on what the call has done.
    """
    peak = _peak(call)
    bound = below() if callable(below) else below
    if peak >= bound:
        peak = min(peak, _peak(call))
    assert peak < bound, f"{peak} bytes, {bound} allowed"


def peak_of(call: Callable[[], object]) -> int:
    """The most bytes that it holds at once."""
    return min(_peak(call), _peak(call))


def _peak(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
