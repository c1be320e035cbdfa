"""Adaptive pools: sizes that follow what more workers are worth. Spec: SPEC section 4."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wippywasm.app.pools import make_pool
from wippywasm.app.pools.adaptive import AdaptivePool, Controller, Load
from wippywasm.app.pools.gate import Gate

pytestmark = pytest.mark.filterwarnings("error")


def drive(controller: Controller, rate: Callable[[int], float], looks: int, queued: int = 50) -> list[int]:
    """The sizes a controller chooses for a load that serves `rate(size)` calls in each interval."""
    sizes = []
    for _ in range(looks):
        size = controller.size
        sizes.append(controller.observe(Load(round(rate(size)), size, queued)))
    return sizes


def test_it_grows_while_more_workers_serve_more() -> None:
    assert drive(Controller(16), lambda size: 100 * size, 200)[-1] == 16


def test_it_stays_where_more_workers_serve_no_more() -> None:
    sizes = drive(Controller(16), lambda size: 100 * min(size, 4), 600)
    assert set(sizes[-200:]) <= {4, 5}
    assert sizes[-200:].count(5) < 20


def test_it_shrinks_to_one_when_there_is_nothing_to_do() -> None:
    controller = Controller(16)
    drive(controller, lambda size: 100 * size, 200)
    for _ in range(400):
        controller.observe(Load(0, 0, 0))
    assert controller.size == 1


loads = st.builds(Load, st.integers(0, 10_000), st.integers(0, 20), st.integers(0, 100))


@settings(max_examples=60)
@given(st.integers(1, 20), st.lists(loads, max_size=200))
def test_it_stays_within_its_bounds(largest: int, seen: list[Load]) -> None:
    controller = Controller(largest)
    assert all(1 <= controller.observe(load) <= largest for load in seen)


class Sleeper:
    """A worker that waits; `alive` counts those there are."""

    alive = 0
    most = 0

    def __init__(self) -> None:
        Sleeper.alive += 1
        Sleeper.most = max(Sleeper.most, Sleeper.alive)

    async def call(self, args: Sequence[Any]) -> Any:
        await asyncio.sleep(0.002)
        return args[0]

    def usable_after(self, error: BaseException) -> bool:
        return True

    def close(self) -> None:
        Sleeper.alive -= 1


async def new_sleeper() -> Sleeper:
    return Sleeper()


def test_a_pool_that_is_full_grows_and_answers_every_call() -> None:
    async def main() -> None:
        Sleeper.alive = Sleeper.most = 0
        pool = make_pool("t:f", {"type": "adaptive", "max_size": 6}, new_sleeper)
        answers = await asyncio.gather(*(pool.call([i]) for i in range(1200)))
        assert answers == list(range(1200))
        metrics = pool.metrics()
        assert 2 <= Sleeper.most <= 6
        assert (metrics.type, metrics.calls, metrics.errors, metrics.queued) == ("adaptive", 1200, 0, 0)
        assert metrics.live == Sleeper.alive <= 6
        pool.close()
        assert Sleeper.alive == 0

    asyncio.run(main())


def test_a_function_that_calls_itself_gets_another_worker() -> None:
    async def main() -> Any:
        class Caller(Sleeper):
            async def call(self, args: Sequence[Any]) -> Any:
                return await pool.call([args[0] - 1]) if args[0] else "bottom"

        async def make() -> Caller:
            return Caller()

        pool = make_pool("t:f", {"type": "adaptive"}, make)
        result = await pool.call([10])
        assert isinstance(pool, AdaptivePool)
        assert (pool.largest, pool.metrics().size) == (16, 11)
        pool.close()
        return result

    assert asyncio.run(main()) == "bottom"


# the gate -------------------------------------------------------------------------------------------------------------


def test_a_gate_that_grows_lets_in_who_waits_in_order() -> None:
    async def main() -> None:
        gate, order = Gate(1), []

        async def enter(number: int) -> None:
            await gate.enter()
            order.append(number)

        tasks = [asyncio.ensure_future(enter(i)) for i in range(5)]
        await asyncio.sleep(0)
        gate.resize(3)
        await asyncio.sleep(0.001)
        assert (order, gate.taken, gate.waiting) == ([0, 1, 2], 3, 2)
        gate.resize(1)
        for _ in range(2):
            gate.leave()
        await asyncio.sleep(0.001)
        assert (order, gate.is_full) == ([0, 1, 2], True)
        gate.leave()
        await asyncio.sleep(0.001)
        assert order == [0, 1, 2, 3]
        tasks[4].cancel()

    asyncio.run(main())


@settings(max_examples=60)
@given(st.lists(st.one_of(st.sampled_from(["enter", "leave", "cancel"]), st.integers(1, 5)), max_size=40))
def test_a_gate_never_lets_in_more_than_it_has_places(steps: list[str | int]) -> None:
    async def main() -> None:
        gate, waiting, inside = Gate(2), [], 0
        for step in steps:
            if step == "enter":
                waiting.append(asyncio.ensure_future(gate.enter()))
            elif step == "cancel" and waiting:
                waiting.pop().cancel()
            elif step == "leave" and inside:
                gate.leave()
                inside -= 1
            elif isinstance(step, int):
                gate.resize(step)
            before = inside
            for _ in range(3):
                await asyncio.sleep(0)
            inside += sum(task.done() for task in waiting)
            waiting = [task for task in waiting if not task.done()]
            assert gate.taken == inside
            assert inside <= max(gate.places, before)
            assert not waiting or gate.is_full
        for task in waiting:
            task.cancel()

    asyncio.run(main())
