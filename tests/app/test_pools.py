"""Pools: who is served when, by whom, and what becomes of a worker afterwards. Spec: SPEC section 4."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from wippywasm.app.pools import Pool, make_pool
from wippywasm.app.pools.chain import MAX_DEPTH
from wippywasm.app.pools.gate import Gate
from wippywasm.app.pools.pool import LazyPool
from wippywasm.errors import Trap, UnavailableError, WitError

pytestmark = pytest.mark.filterwarnings("error")


class Recorder:
    """Makes workers that wait for `go`, and remembers what became of them."""

    def __init__(self) -> None:
        self.made = 0
        self.closed: list[int] = []
        self.running = 0
        self.most_running = 0
        self.go = asyncio.Event()
        self.go.set()
        self.fails: list[BaseException] = []

    async def make(self) -> RecordedWorker:
        self.made += 1
        return RecordedWorker(self, self.made)


class RecordedWorker:
    def __init__(self, recorder: Recorder, number: int) -> None:
        self.recorder = recorder
        self.number = number
        self.state = 0

    async def call(self, args: Sequence[Any]) -> Any:
        recorder = self.recorder
        recorder.running += 1
        recorder.most_running = max(recorder.most_running, recorder.running)
        try:
            await recorder.go.wait()
            if recorder.fails:
                raise recorder.fails.pop(0)
            self.state += 1
            return (self.number, self.state, *args)
        finally:
            recorder.running -= 1

    def usable_after(self, error: BaseException) -> bool:
        return isinstance(error, WitError)

    def close(self) -> None:
        self.recorder.closed.append(self.number)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def started(recorder: Recorder, **settings: Any) -> Pool:
    return make_pool("t:f", settings, recorder.make)


def test_inline_makes_a_worker_for_each_call() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="inline")
        assert [await pool.call([i]) for i in range(3)] == [(1, 1, 0), (2, 1, 1), (3, 1, 2)]
        assert recorder.closed == [1, 2, 3]
        assert pool.metrics().live == 0

    asyncio.run(main())


def test_lazy_reuses_and_keeps_state() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="lazy", max_size=2)
        assert recorder.made == 0
        assert [await pool.call([]) for _ in range(3)] == [(1, 1), (1, 2), (1, 3)]
        pool.close()
        assert recorder.closed == [1]

    asyncio.run(main())


def test_lazy_grows_to_its_size_and_makes_the_others_wait_in_order() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="lazy", max_size=2)
        recorder.go.clear()
        tasks = [asyncio.create_task(pool.call([i])) for i in range(6)]
        await settle()
        metrics = pool.metrics()
        assert (metrics.live, metrics.busy, metrics.queued, metrics.waits) == (2, 2, 4, 4)
        recorder.go.set()
        assert [r[2] for r in await asyncio.gather(*tasks)] == list(range(6))
        assert (recorder.made, recorder.most_running) == (2, 2)

    asyncio.run(main())


def test_lazy_uses_first_what_was_used_last_so_that_the_rest_may_end() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="lazy", max_size=3)
        recorder.go.clear()
        tasks = [asyncio.create_task(pool.call([])) for _ in range(3)]
        await settle()
        recorder.go.set()
        await asyncio.gather(*tasks)
        assert {(await pool.call([]))[0] for _ in range(5)} == {3}
        pool.close()

    asyncio.run(main())


def test_latency_is_from_asking_to_the_answer() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="lazy", max_size=1)
        recorder.go.clear()
        tasks = [asyncio.create_task(pool.call([])) for _ in range(2)]
        await asyncio.sleep(0.05)
        recorder.go.set()
        await asyncio.gather(*tasks)
        metrics = pool.metrics()
        assert 0.04 < metrics.latency_mean <= metrics.latency_max
        pool.close()

    asyncio.run(main())


def test_idle_workers_end() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = LazyPool("t:f", recorder.make, 4, idle_seconds=0.05)
        recorder.go.clear()
        tasks = [asyncio.create_task(pool.call([])) for _ in range(3)]
        await settle()
        recorder.go.set()
        await asyncio.gather(*tasks)
        assert pool.metrics().live == 3
        await asyncio.sleep(0.2)
        assert pool.metrics().live == 0
        assert sorted(recorder.closed) == [1, 2, 3]
        assert await pool.call([]) == (4, 1)
        pool.close()

    asyncio.run(main())


def test_static_makes_its_workers_at_the_start() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="static", workers=3)
        await pool.start()
        assert recorder.made == 3
        await asyncio.gather(*(pool.call([]) for _ in range(30)))
        assert recorder.made == 3
        assert pool.metrics().calls == 30
        pool.close()
        assert sorted(recorder.closed) == [1, 2, 3]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("settings", "type", "size"),
    [
        ({}, "lazy", 100),
        ({"workers": 0}, "lazy", 100),
        ({"workers": 0, "max_size": 7}, "lazy", 7),
        ({"workers": 3}, "static", 3),
        ({"size": 4}, "static", 4),
        ({"type": "lazy"}, "lazy", 16),
        ({"type": "static"}, "static", 8),
        ({"type": "static", "size": 5}, "static", 5),
        ({"type": "static", "size": 5, "workers": 2}, "static", 2),
    ],
)
def test_which_pool_an_entry_gets(settings: dict[str, Any], type: str, size: int) -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, **settings)
        recorder.go.clear()
        tasks = [asyncio.create_task(pool.call([])) for _ in range(size + 1)]
        await settle()
        assert (pool.metrics().type, pool.metrics().busy, pool.metrics().queued) == (type, size, 1)
        recorder.go.set()
        await asyncio.gather(*tasks)
        pool.close()

    asyncio.run(main())


def test_a_full_queue_makes_the_caller_wait() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="static", workers=1, buffer=2)
        await pool.start()
        recorder.go.clear()
        tasks = [asyncio.create_task(pool.call([i])) for i in range(3)]
        await settle()
        assert [pool.is_full] == [True]
        tasks.append(asyncio.create_task(pool.call([3])))
        await settle()
        assert pool.metrics().queued == 3
        recorder.go.set()
        assert [r[2] for r in await asyncio.gather(*tasks)] == [0, 1, 2, 3]
        assert [pool.is_full] == [False]
        pool.close()

    asyncio.run(main())


@pytest.mark.parametrize("settings", [{"type": "lazy", "max_size": 1}, {"type": "static", "workers": 1}])
def test_a_worker_that_trapped_is_thrown_away_and_replaced(settings: dict[str, Any]) -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, **settings)
        await pool.start()
        assert await pool.call([]) == (1, 1)
        recorder.fails = [Trap("boom"), WitError("said no")]
        with pytest.raises(Trap):
            await pool.call([])
        assert recorder.closed == [1]
        with pytest.raises(WitError):
            await pool.call([])
        assert await pool.call([]) == (2, 1)
        metrics = pool.metrics()
        assert (metrics.calls, metrics.errors, metrics.live) == (4, 1, 1)
        pool.close()

    asyncio.run(main())


def test_a_worker_that_can_not_be_made_leaves_its_place_free() -> None:
    async def main() -> None:
        outcomes: list[BaseException | None] = [Trap("start"), None]
        recorder = Recorder()

        async def make() -> RecordedWorker:
            outcome = outcomes.pop(0)
            if outcome is not None:
                raise outcome
            return await recorder.make()

        pool = make_pool("t:f", {"type": "lazy", "max_size": 1}, make)
        with pytest.raises(Trap):
            await pool.call([])
        assert await pool.call([]) == (1, 1)
        assert pool.metrics().live == 1
        pool.close()

    asyncio.run(main())


def test_a_static_pool_that_fails_to_start_closes_what_it_made() -> None:
    async def main() -> None:
        recorder = Recorder()

        async def make() -> RecordedWorker:
            if recorder.made == 2:
                raise Trap("start")
            return await recorder.make()

        pool = make_pool("t:f", {"type": "static", "workers": 3}, make)
        with pytest.raises(Trap):
            await pool.start()
        assert sorted(recorder.closed) == [1, 2]

    asyncio.run(main())


def test_a_cancelled_caller_gives_its_place_back() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="static", workers=1, buffer=1)
        await pool.start()
        recorder.go.clear()
        running, queued, waiting = (asyncio.create_task(pool.call([i])) for i in range(3))
        await settle()
        for task in (queued, waiting, running):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        recorder.go.set()
        assert (await asyncio.gather(*(pool.call([i]) for i in range(5))))[4] == (2, 5, 4)
        assert pool.metrics().busy == 0
        pool.close()

    asyncio.run(main())


def test_closing_turns_the_waiting_away_and_frees_the_busy_when_they_end() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="lazy", max_size=1)
        recorder.go.clear()
        tasks = [asyncio.create_task(pool.call([])) for _ in range(2)]
        await settle()
        pool.close()
        with pytest.raises(UnavailableError, match="t:f is closed"):
            await tasks[1]
        recorder.go.set()
        assert await tasks[0] == (1, 1)
        assert recorder.closed == [1]
        with pytest.raises(UnavailableError):
            await pool.call([])

    asyncio.run(main())


class Calling:
    """A worker that calls a pool itself, `depth` times."""

    def __init__(self, pools: list[Pool]) -> None:
        self.pools = pools

    async def call(self, args: Sequence[Any]) -> Any:
        return 0 if args[0] == 0 else 1 + await self.pools[0].call([args[0] - 1])

    def usable_after(self, error: BaseException) -> bool:
        return True

    def close(self) -> None:
        pass


def calling(**settings: Any) -> Pool:
    pools: list[Pool] = []

    async def make() -> Calling:
        return Calling(pools)

    pools.append(make_pool("t:f", settings, make))
    return pools[0]


def test_a_chain_that_would_wait_for_itself_is_refused() -> None:
    async def main() -> None:
        pool = calling(type="lazy", max_size=3)
        assert await pool.call([2]) == 2
        with pytest.raises(UnavailableError, match="holds all its 3 workers"):
            await asyncio.wait_for(pool.call([3]), 5)
        assert await pool.call([2]) == 2
        pool.close()

    asyncio.run(main())


def test_endless_recursion_ends() -> None:
    async def main() -> None:
        pool = calling(type="inline")
        assert await pool.call([MAX_DEPTH - 1]) == MAX_DEPTH - 1
        with pytest.raises(UnavailableError, match=f"nested {MAX_DEPTH} deep"):
            await pool.call([10_000])

    asyncio.run(main())


def test_a_thousand_calls_at_once() -> None:
    async def main() -> None:
        recorder = Recorder()
        pool = started(recorder, type="lazy", max_size=8)
        results = await asyncio.gather(*(pool.call([i]) for i in range(1000)))
        assert [r[2] for r in results] == list(range(1000))
        assert recorder.made <= 8
        metrics = pool.metrics()
        assert (metrics.calls, metrics.errors, metrics.busy, metrics.queued) == (1000, 0, 0, 0)
        assert 0 <= metrics.latency_mean <= metrics.latency_max
        pool.close()

    asyncio.run(main())


def test_gate_passes_over_the_cancelled() -> None:
    async def main() -> None:
        gate = Gate(1)
        await gate.enter()
        waiting = [asyncio.create_task(gate.enter()) for _ in range(3)]
        await settle()
        waiting[0].cancel()
        gate.leave()
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert waiting[2].done()
        assert not waiting[2].cancelled()
        gate.leave()
        assert not gate.is_full

    asyncio.run(main())
