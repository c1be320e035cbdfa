"""What a pool counts.

In: the calls it serves. Out: `PoolMetrics`, a plain snapshot. Spec: SPEC section 4.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from wippywasm.dataclass import dataclass
from wippywasm.errors import WitError


@dataclass(frozen=True)
class PoolMetrics:
    """`waits` are calls that found no worker free; latencies are in seconds, from asking to the answer.

    `live` workers are there, `busy` ones at work, `size` is how many there may be now (0 where nothing bounds it).
    `errors` are calls that failed; a guest's own `err` is an answer and not among them. `finished` have ended.
    """

    type: str
    calls: int
    errors: int
    waits: int
    live: int
    busy: int
    size: int
    queued: int
    latency_mean: float
    latency_max: float
    finished: int = 0


class Meter:
    """Counts the calls of one pool."""

    def __init__(self) -> None:
        self.calls = 0
        self.errors = 0
        self.waits = 0
        self.finished = 0
        self._total = 0.0
        self._max = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count what happens inside as one call."""
        self.calls += 1
        start = time.monotonic()
        try:
            yield
        except WitError:
            raise
        except BaseException:
            self.errors += 1
            raise
        finally:
            self._took(time.monotonic() - start)

    def _took(self, seconds: float) -> None:
        self.finished += 1
        self._total += seconds
        self._max = max(self._max, seconds)

    def snapshot(self, type: str, *, live: int, busy: int, size: int = 0, queued: int = 0) -> PoolMetrics:
        mean = self._total / self.finished if self.finished else 0.0
        return PoolMetrics(
            type, self.calls, self.errors, self.waits, live, busy, size, queued, mean, self._max, self.finished
        )
