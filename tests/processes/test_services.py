"""Supervision on a clock of the tests' own: back-off, order, stopping. Spec: SPEC section 9."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.processes.conftest import FakeClock, FakeWorld, processes, settle
from wippywasm.app.context import Context
from wippywasm.app.entry import Entry
from wippywasm.app.lifecycle import Lifecycle, Restart, in_start_order, lifecycle_of
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.service import State
from wippywasm.app.processes.services import Services
from wippywasm.errors import InternalError, RateLimitedError, TimedOutError


def service(name: str, process: str | None = None, **lifecycle: Any) -> Entry:
    data = {"process": f"t:{process or name}", "host": "t:host", "lifecycle": {"auto_start": True, **lifecycle}}
    return Entry(f"t:{name}_service", "process.service", {}, MappingProxyType(data), "x.yaml", 1)


class Supervised:
    """Services of Python programs; delays have no jitter unless `random` says so."""

    def __init__(self, world: FakeWorld, *services: Entry, random: Callable[[], float] = lambda: 0.5) -> None:
        self.world = world
        self.clock = FakeClock()
        self.processes: Processes = processes(world, self.clock)
        self.services = Services(random)
        self.commit(*services, changed=())

    def commit(self, *services: Entry, changed: tuple[str, ...]) -> None:
        contexts = {entry.id: Context() for entry in services}
        self.services.commit(services, contexts, changed, self.processes)

    def state(self, name: str) -> State:
        return self.services.running[f"t:{name}_service"].state

    async def end(self) -> None:
        stop = asyncio.ensure_future(self.services.stop())
        await self.clock.pass_(1000)
        await stop
        await self.processes.close()
        assert self.world.live == 0


def run(test: Coroutine[Any, Any, None]) -> None:
    async def alone() -> None:
        await test
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(alone())


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def crasher(starts: list[float], clock: Callable[[], float]) -> Callable[[], Coroutine[Any, Any, None]]:
    async def crash() -> None:
        starts.append(clock())
        raise InternalError("crashed")

    return crash


def test_a_service_that_crashes_starts_again_with_the_back_off_given() -> None:
    async def test() -> None:
        starts: list[float] = []
        world = FakeWorld(bad=crasher(starts, lambda: app.clock.now()))
        restart = {"initial_delay": 2.0, "max_delay": 20.0, "backoff_factor": 3.0}
        app = Supervised(world, service("bad", restart=restart))
        await app.services.start()
        await app.clock.pass_(70)
        assert starts == [0, 2, 8, 26, 46, 66]
        assert app.state("bad") is State.WAITING
        assert app.services.running["t:bad_service"].restarts == 6
        await app.end()

    run(test())


def test_jitter_is_a_share_of_the_delay() -> None:
    restart = Restart(initial_delay=10, jitter=0.1)
    delays = [restart.delay(1, iter([r]).__next__) for r in (0.0, 0.5, 1.0)]
    assert delays == pytest.approx([9, 10, 11])


@given(
    st.floats(0, 100), st.floats(0, 100), st.floats(1, 1000), st.floats(0, 1), st.integers(1, 10**9), st.floats(0, 1)
)
def test_no_delay_is_out_of_bounds(first: float, most: float, factor: float, jitter: float, n: int, r: float) -> None:
    delay = Restart(first, most, factor, jitter).delay(n, lambda: r)
    assert 0 <= delay <= most * (1 + jitter) * (1 + 1e-9)


def test_attempts_end() -> None:
    async def test() -> None:
        starts: list[float] = []
        world = FakeWorld(bad=crasher(starts, lambda: app.clock.now()))
        app = Supervised(world, service("bad", restart={"initial_delay": 1.0, "max_attempts": 2}))
        await app.services.start()
        await app.clock.pass_(1000)
        assert starts == [0, 1, 3]
        assert app.state("bad") is State.FAILED
        await app.end()

    run(test())


def test_what_was_stable_begins_anew() -> None:
    async def test() -> None:
        starts: list[float] = []

        async def works_then_crashes() -> None:
            starts.append(app.clock.now())
            await app.clock.sleep(6 if len(starts) == 3 else 0)
            raise InternalError("crashed")

        app = Supervised(FakeWorld(bad=works_then_crashes), service("bad", stable_threshold=5.0))
        await app.services.start()
        await app.clock.pass_(12)
        assert starts == [0, 1, 3, 10, 12]
        await app.end()

    run(test())


@pytest.mark.parametrize("how", ["returns", "terminated", "not retryable"])
def test_what_does_not_start_again(how: str) -> None:
    async def test() -> None:
        starts: list[int] = []

        async def ends() -> None:
            starts.append(1)
            if how == "terminated":
                await forever()
            if how == "not retryable":
                error = InternalError("no use")
                error.retryable = False
                raise error

        app = Supervised(FakeWorld(ends=ends), service("ends"))
        await app.services.start()
        await settle()
        for process in app.processes.table.processes():
            app.processes.kill(process, "was terminated")
        await app.clock.pass_(1000)
        assert (starts, app.state("ends")) == ([1], State.EXITED)
        await app.end()

    run(test())


def recording(name: str, log: list[str]) -> Callable[[], Coroutine[Any, Any, None]]:
    async def work() -> None:
        log.append(f"+{name}")
        try:
            await forever()
        finally:
            log.append(f"-{name}")

    return work


def test_services_start_after_what_they_require_and_stop_before_it() -> None:
    async def test() -> None:
        log: list[str] = []
        names = ("web", "db", "cache", "unused")
        world = FakeWorld(**{name: recording(name, log) for name in names})
        app = Supervised(
            world,
            service("web", requires=("t:db_service",), depends_on=("t:cache_service",)),
            service("db", auto_start=False),
            service("cache", requires=("t:db_service",)),
            service("unused", auto_start=False),
        )
        await app.services.start()
        await settle()
        assert log == ["+db", "+cache", "+web"]
        log.clear()
        stop = asyncio.ensure_future(app.services.stop())
        await app.clock.pass_(9)
        assert log == []
        await app.clock.pass_(30)
        await stop
        assert log == ["-web", "-cache", "-db"]
        await app.end()

    run(test())


def test_a_service_has_its_time_to_stop_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        ended: list[tuple[str, float]] = []

        def slow(name: str) -> Callable[[], Coroutine[Any, Any, None]]:
            async def work() -> None:
                try:
                    await forever()
                finally:
                    ended.append((name, app.clock.now()))

            return work

        world = FakeWorld(slow=slow("slow"), slower=slow("slower"))
        app = Supervised(world, service("slow", stop_timeout=3.0), service("slower", stop_timeout=7.0))
        await app.services.start()
        await app.end()
        assert ended == [("slow", 3), ("slower", 7)]
        assert [record.getMessage() for record in caplog.records] == [
            "t:slow_service did not stop within 3 s, and was ended",
            "t:slower_service did not stop within 7 s, and was ended",
        ]
        assert {record.levelname for record in caplog.records} == {"WARNING"}

    run(test())


def test_what_fails_while_others_stop_is_not_started_again(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        starts: list[float] = []

        async def fails() -> None:
            starts.append(app.clock.now())
            await app.clock.sleep(1)
            raise InternalError("crashed")

        world = FakeWorld(first=fails, last=forever)
        app = Supervised(world, service("first"), service("last", requires=("t:first_service",), stop_timeout=5.0))
        await app.services.start()
        await app.end()
        assert starts == [0]
        assert "t:first_service ended, and is not started again: crashed" in caplog.text
        assert "starts again" not in caplog.text

    run(test())


def test_what_waits_to_start_again_is_not_started_while_others_stop() -> None:
    async def test() -> None:
        starts: list[float] = []
        world = FakeWorld(bad=crasher(starts, lambda: app.clock.now()), last=forever)
        app = Supervised(world, service("bad"), service("last", requires=("t:bad_service",), stop_timeout=5.0))
        await app.services.start()
        await settle()
        assert app.state("bad") is State.WAITING
        await app.end()
        assert starts == [0]

    run(test())


def test_a_service_that_waits_to_start_again_stops_at_once() -> None:
    async def test() -> None:
        app = Supervised(FakeWorld(bad=crasher([], lambda: 0)), service("bad"))
        await app.services.start()
        await settle()
        assert app.state("bad") is State.WAITING
        await app.services.stop()
        assert not app.services.running
        await app.end()

    run(test())


def test_what_can_not_start_is_told_and_the_rest_is_stopped() -> None:
    async def test() -> None:
        world = FakeWorld(good=forever)
        app = Supervised(world, service("good"), service("full", process="good"))
        app.processes.hosts[0].max_processes = 1
        with pytest.raises(RateLimitedError, match="no more") as caught:
            await app.services.start()
        assert caught.value.details["entry"] == "t:full_service"
        await app.end()

    run(test())


def test_an_app_may_do_without_an_optional_service() -> None:
    async def test() -> None:
        world = FakeWorld(good=forever)
        app = Supervised(world, service("good"), service("full", process="good", startup="optional"))
        app.processes.hosts[0].max_processes = 1
        await app.services.start()
        assert app.state("good") is State.RUNNING
        assert app.state("full") is State.WAITING
        app.processes.hosts[0].max_processes = 2
        await app.clock.pass_(1)
        assert app.state("full") is State.RUNNING
        await app.end()

    run(test())


def test_starting_takes_no_longer_than_it_may() -> None:
    class Slow(FakeWorld):
        async def new_worker(self, id: str, host: Any, terminal: Any = None) -> Any:
            await forever()

    async def test() -> None:
        app = Supervised(Slow(good=forever), service("good", start_timeout=4.0))
        start = asyncio.ensure_future(app.services.start())
        await app.clock.pass_(4)
        with pytest.raises(TimedOutError, match="4 s"):
            await start
        await app.end()

    run(test())


def test_services_follow_their_entries() -> None:
    async def test() -> None:
        log: list[str] = []
        world = FakeWorld(**{name: recording(name, log) for name in ("kept", "other", "gone", "new")})
        fast: dict[str, Any] = {"stop_timeout": 1.0}
        before = [service(name, **fast) for name in ("kept", "other", "gone")]
        app = Supervised(world, *before)
        await app.services.start()
        await settle()
        log.clear()
        after = [service(name, **fast) for name in ("kept", "other", "new")]
        changed = ("t:other_service", "t:gone_service", "t:new_service")
        app.commit(*after, changed=changed)
        await app.clock.pass_(2)
        assert sorted(log[:2]) == ["-gone", "-other"]
        assert sorted(log[2:]) == ["+new", "+other"]
        await app.end()

    run(test())


def test_a_lifecycle_has_its_defaults() -> None:
    entry = Entry("t:s", "process.service", {}, {"lifecycle": {}}, "x.yaml", 1)
    assert lifecycle_of(entry) == Lifecycle(False, False, 10, 10, 5, (), Restart(1, 90, 2, 0.1, 0))


GRAPHS = st.integers(1, 8).flatmap(
    lambda n: st.fixed_dictionaries({i: st.lists(st.integers(0, i), max_size=4, unique=True) for i in range(n)})
)


@given(GRAPHS, st.data())
def test_the_order_has_everything_that_is_required_and_first(graph: dict[int, list[int]], data: st.DataObject) -> None:
    requires = {f"t:{n}": tuple(f"t:{m}" for m in to if m != n) for n, to in graph.items()}
    lifecycles = {id: Lifecycle(requires=others) for id, others in requires.items()}
    wanted = data.draw(st.lists(st.sampled_from(list(requires)), unique=True))
    order = in_start_order(wanted, lifecycles)
    assert len(order) == len(set(order))
    assert set(wanted) <= set(order)
    for at, id in enumerate(order):
        assert set(requires[id]) <= set(order[:at])
    needed = set(wanted)
    for id in reversed(order):
        assert id in needed
        needed |= set(requires[id])
