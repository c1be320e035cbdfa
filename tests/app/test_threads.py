"""Workers in threads: where they run, how they end, which cores they get. Spec: SPEC section 4."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.app.pools import Pool, make_pool
from wippywasm.app.pools.cores import Cores, reserve, usable_cores
from wippywasm.app.pools.threads import WorkerThread
from wippywasm.engine.turns import this_thread
from wippywasm.errors import DefinitionError, Trap, UnavailableError

COUNTER = """
  kind: function.wat
  method: count
  source: |
    (module
      (global $n (mut i32) (i32.const 0))
      (func (export "count") (param i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (global.get $n)))
"""


class Witness:
    """A worker that says which thread it is in."""

    closed: list[str]

    def __init__(self) -> None:
        self.home = threading.current_thread().name
        self.loop = asyncio.get_running_loop()

    async def call(self, args: Sequence[Any]) -> Any:
        assert threading.current_thread().name == self.home
        assert asyncio.get_running_loop() is self.loop
        what, *rest = args
        if what == "block":
            time.sleep(rest[0])
        elif what == "wait":
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.01)
                rest[0].append("ended")
        elif what == "raise":
            raise rest[0]
        return self.home

    def usable_after(self, error: BaseException) -> bool:
        return False

    def close(self) -> None:
        assert threading.current_thread().name == self.home
        Witness.closed.append(self.home)


async def new_witness() -> Witness:
    return Witness()


def new_pool(workers: int, cores: Cores = Cores()) -> Pool:  # noqa: B008  it is immutable
    Witness.closed = []
    return make_pool("t:f", {"worker_class": "wasm", "workers": workers, "type": "inline"}, new_witness, cores)


async def closed(pool: Pool) -> None:
    pool.close()
    await pool.wait_closed()


def our_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("t:")]


def test_every_worker_has_a_thread_and_leaves_the_event_loop_alone() -> None:
    async def main() -> None:
        pool = new_pool(3)
        await pool.start()
        assert sorted(our_threads()) == ["t:f 1", "t:f 2", "t:f 3"]
        calls = [asyncio.ensure_future(pool.call(["block", 0.05])) for _ in range(3)]
        turns = 0
        while not all(call.done() for call in calls):
            turns += 1
            await asyncio.sleep(0.001)
        assert sorted(call.result() for call in calls) == ["t:f 1", "t:f 2", "t:f 3"]
        assert turns > 5
        assert (pool.metrics().type, pool.metrics().live, pool.metrics().busy) == ("wasm", 3, 0)
        await closed(pool)
        assert sorted(Witness.closed) == ["t:f 1", "t:f 2", "t:f 3"]

    asyncio.run(main())
    assert our_threads() == []


def test_guests_in_threads_know_that_they_are_alone_there() -> None:
    async def is_alone() -> bool:
        return this_thread.is_alone

    async def main() -> None:
        thread = WorkerThread("t:f 1", None)
        assert await thread.run(is_alone)
        assert not await is_alone()
        thread.stop()
        await thread.ended()

    asyncio.run(main())


def test_a_worker_that_is_thrown_away_leaves_its_thread_to_the_next() -> None:
    async def main() -> None:
        pool = new_pool(1)
        await pool.start()
        for error in (ValueError("x"), SystemExit(3), KeyboardInterrupt()):
            with pytest.raises(type(error)):
                await pool.call(["raise", error])
            assert await pool.call([""]) == "t:f 1"
        assert our_threads() == ["t:f 1"]
        await closed(pool)
        with pytest.raises(UnavailableError):
            await pool.call([""])

    asyncio.run(main())


def test_a_cancelled_caller_waits_until_its_worker_has_ended() -> None:
    async def main() -> None:
        pool, log = new_pool(1), list[str]()
        await pool.start()
        call = asyncio.ensure_future(pool.call(["wait", log]))
        await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert log == ["ended"]
        assert await pool.call([""]) == "t:f 1"
        await closed(pool)

    asyncio.run(main())


def test_the_callers_chain_is_known_in_the_thread() -> None:
    async def main() -> None:
        home = asyncio.get_running_loop()

        class Again(Witness):
            async def call(self, args: Sequence[Any]) -> Any:
                again = asyncio.run_coroutine_threadsafe(pool.call(args), home)
                return await asyncio.wrap_future(again)

        async def make() -> Again:
            return Again()

        Witness.closed = []
        pool = make_pool("t:f", {"worker_class": "wasm", "workers": 2}, make)
        with pytest.raises(
            UnavailableError, match="would wait for itself: this chain of calls holds all its 2 workers"
        ):
            await asyncio.wait_for(pool.call([""]), 5)
        await closed(pool)

    asyncio.run(main())


def test_guests_in_threads(load_app: LoadApp) -> None:
    app = load_app("- name: f\n  pool: {worker_class: wasm, workers: 1, type: inline}" + COUNTER)

    async def main() -> None:
        async with app:
            assert [await app.call("t:f", 0) for _ in range(3)] == [1, 2, 3]
            with pytest.raises(Trap):
                await app.call("t:f", 13)
            assert await app.call("t:f", 0) == 1
        assert our_threads() == []

    asyncio.run(main())


def test_a_call_from_another_thread_comes_to_the_apps_own(load_app: LoadApp) -> None:
    app = load_app("- name: f\n  pool: {type: static, workers: 1}" + COUNTER)

    async def main() -> None:
        async with app:
            assert await asyncio.to_thread(asyncio.run, app.call("t:f", 0)) == 1
            assert await app.call("t:f", 0) == 2

    asyncio.run(main())


# cores ----------------------------------------------------------------------------------------------------------------


def test_how_many_workers_there_are_by_default() -> None:
    assert Cores((2, 3, 5), (0,)).workers == 3
    assert Cores().workers == min(len(usable_cores()), 4)
    assert [Cores((2, 3), (0,)).core_for(i) for i in range(3)] == [2, 3, 2]
    assert Cores().core_for(0) is None


def test_reserving_leaves_something_for_the_rest() -> None:
    count = len(usable_cores())
    assert reserve(count) is None
    if count > 1:
        assert reserve(1) == Cores(usable_cores()[-1:], usable_cores()[:-1])


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(usable_cores()) < 2, reason="binding threads needs Linux and two cores"
)
def test_threads_and_the_event_loop_run_on_cores_of_their_own(load_app: LoadApp, tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    (tmp_path / ".wippy.yaml").write_text(
        "scheduler:\n  wasm_isolation: {enabled: true, reserved_cores: 1}\nlua: {x: 1}\n"
    )
    app = load_app("- name: f\n  pool: {worker_class: wasm}" + COUNTER)

    async def main() -> None:
        async with app:
            (thread,) = (t for t in threading.enumerate() if t.name.startswith("t:f"))
            assert os.sched_getaffinity(thread.native_id or 0) == {max(before)}
            assert os.sched_getaffinity(0) == before - {max(before)}

    asyncio.run(main())
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("scheduler: 5", "'scheduler': expected a mapping"),
        ("scheduler:\n  wasm_isolation: {enabeld: true}", "'scheduler.wasm_isolation.enabeld': no such field"),
        ("scheduler:\n  wasm_isolation: {reserved_cores: 0}", "reserved_cores': expected a whole number from 1"),
        ("- 5", "settings are a mapping"),
        ("a: [", ".wippy.yaml:"),
    ],
)
def test_settings_that_are_wrong(load_app: LoadApp, tmp_path: Path, settings: str, message: str) -> None:
    (tmp_path / ".wippy.yaml").write_text(settings)
    with pytest.raises(DefinitionError) as caught:
        load_app("- name: f" + COUNTER)
    assert message in str(caught.value)


def test_more_cores_than_there_are_is_a_warning(load_app: LoadApp, tmp_path: Path) -> None:
    (tmp_path / ".wippy.yaml").write_text("scheduler:\n  wasm_isolation: {enabled: true, reserved_cores: 9999}")
    app: App = load_app("- name: f" + COUNTER)
    (warning,) = (w for w in app.warnings if "cores" in w.message)
    assert "none is reserved" in warning.message
