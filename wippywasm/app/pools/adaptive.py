"""A pool whose size follows what more workers are worth.

In: how many calls were served in each interval, how many workers were busy, how many calls waited. Out: how many
workers there may be. A pool that is full with calls waiting gets a quarter more workers, and keeps them only where
throughput rises; after each attempt in vain the next is put off for longer. One that is half idle gives workers up, one
at a time.

Spec: SPEC section 4.
"""

from __future__ import annotations

import asyncio

from wippywasm.app.pools.chain import times_held
from wippywasm.app.pools.pool import LazyPool
from wippywasm.app.pools.worker import Worker, WorkerFactory
from wippywasm.dataclass import dataclass

INTERVAL = 0.1
"""Seconds between two looks."""
PROBE_LOOKS = 3
"""Looks that an attempt lasts, its first one not counted: the new workers are being made."""
GAIN = 0.05
"""The part by which throughput must rise for more workers to stay."""
IDLE_LOOKS = 10
"""Looks with half the workers idle before one is given up."""
LONGEST_PAUSE = 256
"""Looks between two attempts, at most."""


@dataclass(frozen=True)
class Load:
    """What one interval saw: calls served, the most workers busy, calls waiting at its end."""

    served: int
    busy: int
    queued: int


class Controller:
    """Decides on a size from 1 to `largest`, one `Load` after another."""

    def __init__(self, largest: int) -> None:
        self.size = 1
        self._largest = largest
        self._rate: float | None = None
        self._before = 1
        self._probe: list[int] | None = None
        self._pause = 0
        self._next_pause = 2
        self._idle = 0

    def observe(self, load: Load) -> int:
        """The size for the next interval."""
        if self._probe is not None:
            self._watch(self._probe, load)
            return self.size
        self._rate = load.served if self._rate is None else 0.7 * self._rate + 0.3 * load.served
        self._pause = max(0, self._pause - 1)
        is_full = load.busy >= self.size and load.queued > 0
        self._idle = 0 if load.busy * 2 > self.size or load.queued else self._idle + 1
        if is_full and self._pause == 0 and self.size < self._largest:
            self._grow()
        elif self._idle >= IDLE_LOOKS and self.size > 1:
            self.size, self._idle, self._next_pause, self._rate = self.size - 1, 0, 2, None
        return self.size

    def _grow(self) -> None:
        self._before, self._probe = self.size, []
        self.size = min(self._largest, self.size + max(1, self.size // 4))

    def _watch(self, probe: list[int], load: Load) -> None:
        probe.append(load.served)
        if len(probe) <= PROBE_LOOKS:
            return
        rate, self._probe = sum(probe[1:]) / PROBE_LOOKS, None
        if rate > (self._rate or 0) * (1 + GAIN):
            self._rate, self._next_pause = rate, 2
            return
        self.size = self._before
        self._pause, self._next_pause = self._next_pause, min(2 * self._next_pause, LONGEST_PAUSE)


class AdaptivePool(LazyPool):
    """Workers are made on demand, as many as its controller allows; those idle for long end."""

    type = "adaptive"

    def __init__(self, name: str, factory: WorkerFactory, largest: int, idle_seconds: float) -> None:
        super().__init__(name, factory, 1, idle_seconds)
        self.largest = largest
        self._controller = Controller(largest)
        self._look: asyncio.TimerHandle | None = None
        self._served = 0
        self._most_busy = 0

    def close(self) -> None:
        super().close()
        if self._look is not None:
            self._look.cancel()

    async def _take(self) -> Worker:
        if self._look is None:
            self._served = self._meter.finished
            self._look = asyncio.get_running_loop().call_later(INTERVAL, self._observe)
        self._make_room_for_own_chain()
        worker = await super()._take()
        self._most_busy = max(self._most_busy, self._workers.taken)
        return worker

    def _make_room_for_own_chain(self) -> None:
        """A call that holds all workers itself can't wait for a look."""
        held = times_held(self)
        if self._workers.places <= held < self.largest:
            self._controller.size = held + 1
            self._workers.resize(held + 1)

    def _observe(self) -> None:
        """Look at the last interval; without a call for as long as it takes to be of size 1 there is no need to."""
        served, self._served = self._meter.finished - self._served, self._meter.finished
        load = Load(served, self._most_busy, self._workers.waiting)
        self._most_busy = self._workers.taken
        self._workers.resize(self._controller.observe(load))
        is_at_rest = not served and not self._workers.taken and self._controller.size == 1
        self._look = None if is_at_rest else asyncio.get_running_loop().call_later(INTERVAL, self._observe)

    def _give_back(self, worker: Worker, *, is_usable: bool) -> None:
        super()._give_back(worker, is_usable=is_usable and self._workers.taken <= self._workers.places)
