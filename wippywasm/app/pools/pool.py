"""The ways to keep workers: none at all, or a shared set of bounded size, made at the start or on demand.

In: calls. Out: their results. A worker whose call failed in a way that it can't be trusted after is thrown away.
Spec: SPEC section 4.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any

from wippywasm.app.pools.chain import entered, times_held
from wippywasm.app.pools.gate import Gate
from wippywasm.app.pools.metrics import Meter, PoolMetrics
from wippywasm.app.pools.worker import Worker, WorkerFactory
from wippywasm.errors import UnavailableError


class PoolClosedError(UnavailableError):
    """A call found its pool closed before it had a worker, so another pool may serve it."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(f"{pool.name} is closed")
        self.pool = pool


class Pool(ABC):
    """Serves the calls of one function; belongs to the event loop that it was started in."""

    type: str

    def __init__(self, name: str, factory: WorkerFactory) -> None:
        self.name = name
        self._factory = factory
        self._meter = Meter()
        self._is_closed = False
        self._live = 0
        self._empty = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether a call would have to wait even for a place in the queue."""
        return False

    async def start(self) -> None:
        """Make what must be there before the first call."""
        return

    async def call(self, args: Sequence[Any]) -> Any:
        """Run one call; raises what the worker raises, or `UnavailableError` when closed."""
        with self._meter.call(), entered(self):
            worker = await self._take()
            try:
                result = await worker.call(args)
            except BaseException as error:
                self._give_back(worker, is_usable=worker.usable_after(error))
                raise
            self._give_back(worker, is_usable=True)
            return result

    def close(self) -> None:
        """Refuse calls from now on and free the idle workers; those at work are freed when their call ends."""
        self._is_closed = True
        self._look_for_end()

    async def wait_closed(self) -> None:
        """Wait until what `close` began is done: every worker is freed."""
        await self._empty.wait()

    @abstractmethod
    def metrics(self) -> PoolMetrics: ...
    @abstractmethod
    async def _take(self) -> Worker: ...
    @abstractmethod
    def _give_back(self, worker: Worker, *, is_usable: bool) -> None: ...

    def _check_open(self) -> None:
        if self._is_closed:
            raise PoolClosedError(self)

    def _look_for_end(self) -> None:
        if self._is_closed and self._live == 0:
            self._empty.set()

    async def _new(self) -> Worker:
        self._live += 1
        try:
            return await self._factory()
        except BaseException:
            self._live -= 1
            self._look_for_end()
            raise

    def _discard(self, worker: Worker) -> None:
        self._live -= 1
        worker.close()
        self._look_for_end()


class InlinePool(Pool):
    """A new worker for each call."""

    type = "inline"

    async def _take(self) -> Worker:
        self._check_open()
        return await self._new()

    def _give_back(self, worker: Worker, *, is_usable: bool) -> None:
        self._discard(worker)

    def metrics(self) -> PoolMetrics:
        return self._meter.snapshot(self.type, live=self._live, busy=self._live)


class SharedPool(Pool):
    """At most `size` workers. Who finds them all at work waits; who finds the queue of `buffer` full waits for that."""

    def __init__(self, name: str, factory: WorkerFactory, size: int, buffer: int | None = None) -> None:
        super().__init__(name, factory)
        self._workers = Gate(size)
        self._queue = Gate(size + buffer) if buffer is not None else None
        self._idle: deque[Worker] = deque()

    @property
    def is_full(self) -> bool:
        return self._queue is not None and self._queue.is_full

    def metrics(self) -> PoolMetrics:
        queued = self._workers.waiting + (self._queue.waiting if self._queue is not None else 0)
        gate = self._workers
        return self._meter.snapshot(self.type, live=self._live, busy=gate.taken, size=gate.places, queued=queued)

    def close(self) -> None:
        super().close()
        for gate in (self._workers, self._queue):
            if gate is not None:
                gate.turn_away(lambda: PoolClosedError(self))
        while self._idle:
            self._discard(self._idle.pop())

    async def _take(self) -> Worker:
        self._check_open()
        self._check_own_chain()
        self._meter.waits += self._workers.is_full
        if self._queue is not None:
            await self._queue.enter()
        try:
            return await self._take_queued()
        except BaseException:
            self._leave_queue()
            raise

    async def _take_queued(self) -> Worker:
        await self._workers.enter()
        try:
            self._check_open()
            return self._reuse() if self._idle else await self._new()
        except BaseException:
            self._workers.leave()
            raise

    def _check_own_chain(self) -> None:
        if self._workers.is_full and times_held(self) >= self._workers.places:
            raise UnavailableError(
                f"{self.name} would wait for itself: this chain of calls holds all its {self._workers.places} workers",
                hint="give it more workers, or 'pool: {type: inline}'",
            )

    def _reuse(self) -> Worker:
        return self._idle.pop()

    def _keep(self, worker: Worker) -> None:
        self._idle.append(worker)

    def _give_back(self, worker: Worker, *, is_usable: bool) -> None:
        if is_usable and not self._is_closed:
            self._keep(worker)
        else:
            self._discard(worker)
        self._workers.leave()
        self._leave_queue()

    def _leave_queue(self) -> None:
        if self._queue is not None:
            self._queue.leave()


class StaticPool(SharedPool):
    """All workers are made at the start."""

    type = "static"

    async def start(self) -> None:
        try:
            for _ in range(self._workers.places):
                self._keep(await self._new())
        except BaseException:
            self.close()
            raise


class LazyPool(SharedPool):
    """Workers are made on demand and end after `idle_seconds` without work; the last one used is used first."""

    type = "lazy"

    def __init__(self, name: str, factory: WorkerFactory, size: int, idle_seconds: float) -> None:
        super().__init__(name, factory, size)
        self._idle_seconds = idle_seconds
        self._idle_since: deque[float] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        super().close()
        self._idle_since.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _reuse(self) -> Worker:
        self._idle_since.pop()
        return super()._reuse()

    def _keep(self, worker: Worker) -> None:
        super()._keep(worker)
        loop = asyncio.get_running_loop()
        self._idle_since.append(loop.time())
        if self._timer is None:
            self._timer = loop.call_later(self._idle_seconds, self._expire)

    def _expire(self) -> None:
        """End those idle for long enough, the longest idle first, and look again when the next is due."""
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._idle and self._idle_since[0] + self._idle_seconds <= loop.time():
            self._idle_since.popleft()
            self._discard(self._idle.popleft())
        if self._idle:
            self._timer = loop.call_at(self._idle_since[0] + self._idle_seconds, self._expire)
