"""What is measured, and how often: one `Row` for each case on each side.

In: a function that takes one sample, in seconds for one call or in KiB for one guest. Out: samples, and ratios of the
peer's to ours. Rounds are interleaved and compared one by one, so that a noisy minute hits both sides.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

PEER = "wasmtime-py"
BATCH_SECONDS = 0.05

Call = Callable[[], Any]
Unit = Literal["s", "KiB", "calls/s"]
"""What a figure is shown in. A sample is in seconds for one call, or in KiB; `calls/s` are the inverse of seconds."""


class Timed:
    """A sample of a call: the seconds that one takes, from a batch of about `BATCH_SECONDS`."""

    def __init__(self, call: Call, calls: int = 1) -> None:
        """`calls` says how many calls of a guest one `call` makes."""
        self._call = call
        self._calls = calls
        self._count = 0

    def __call__(self) -> float:
        self._count = self._count or calibrated(self._call)
        return timed(self._call, self._count) / self._count / self._calls


@dataclass
class Row:
    """One case on one side, with a sample for each round; `direct` is the direct call of the same guest, where this
    is a call by other means."""

    case: str
    side: str
    sample: Callable[[], float] = field(repr=False)
    unit: Unit = "s"
    samples: list[float] = field(default_factory=list)
    direct: Row | None = field(default=None, repr=False)

    @property
    def least(self) -> float:
        return min(self.samples)

    @property
    def median(self) -> float:
        return statistics.median(self.samples)


def measure(rows: Sequence[Row], rounds: int) -> None:
    for _ in range(rounds):
        for row in rows:
            row.samples.append(row.sample())


def calibrated(call: Call) -> int:
    """How many calls fill about `BATCH_SECONDS`; warms up on the way."""
    count = 1
    while timed(call, count) < BATCH_SECONDS / 2 and count < 1 << 20:
        count *= 2
    return count


def timed(call: Call, count: int) -> float:
    """Seconds for `count` calls, with no garbage collection in between, as `timeit` does it."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(count):
            call()
        return time.perf_counter() - start
    finally:
        gc.enable()


def ratio(rows: Sequence[Row], row: Row) -> float | None:
    """The median over the rounds of the peer's figure over ours; None for the peer itself, and where it has none."""
    theirs = next((other for other in rows if other.case == row.case and other.side == PEER), None)
    if theirs is None or theirs is row:
        return None
    return statistics.median(their / our for their, our in zip(theirs.samples, row.samples))


def overhead(row: Row) -> float | None:
    """The median over the rounds of how many times as long as the direct call it takes; None where it is no
    other, or that was not measured."""
    if row.direct is None or not row.direct.samples:
        return None
    return statistics.median(our / direct for our, direct in zip(row.samples, row.direct.samples))


Ratios = dict[str, dict[str, float]]
"""By case and side: how many times less time or memory than the peer's."""


def ratios(rows: Sequence[Row]) -> Ratios:
    found: Ratios = {}
    for row in rows:
        if (times := ratio(rows, row)) is not None:
            found.setdefault(row.case, {})[row.side] = times
    return found
