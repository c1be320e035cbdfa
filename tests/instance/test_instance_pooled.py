"""Instances from an engine's pool behave as all others do, and those that have no room there are made without it."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

import wippywasm
from wippywasm import Limits
from wippywasm.engine import wasmtime_pool
from wippywasm.engine.port import MAX_TABLE_ELEMENTS
from wippywasm.errors import PoisonedError, TimedOutError, Trap
from wippywasm.instance.pooled import AFTER, MOST_REALLOCS

SHORT = Limits(max_execution_ms=100)
COUNTER = """
(module
  (import "a:b/host" "wait" (func $wait (param i32) (result i32)))
  (memory (export "memory") 1)
  (table 10 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "count") (result i32)
    (i32.store (i32.const 65532) (i32.add (i32.load (i32.const 65532)) (i32.const 1)))
    (i32.load (i32.const 65532)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow-table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0)))
  (func (export "wait") (param i32) (result i32) (call $wait (local.get 0)))
  (func (export "size") (param i32 i32) (result i32) (local.get 1))
  (func (export "spin") (loop $l (br $l)))
  (func (export "crash") unreachable))
"""
WIT = """
  package a:b;
  interface host { wait: func(ms: u32) -> u32; }
  world w {
    import host;
    export count: func() -> u32;
    export grow: func(pages: u32) -> s32;
    export grow-table: func(by: u32) -> s32;
    export wait: func(ms: u32) -> u32;
    export size: func(text: string) -> u32;
    export spin: func();
    export crash: func();
  }
"""


async def wait(ms: int) -> int:
    await asyncio.sleep(ms / 1000)
    return ms


@pytest.fixture
def linked(load: Any) -> Any:
    """A component of which some instances have been made."""
    linked = load(COUNTER, wit=WIT).link({"a:b/host": {"wait": wait}})
    for _ in range(AFTER + 1):
        linked.instantiate().close()
    return linked


def _room(linked: Any) -> int | None:
    entered = linked._pooled._entered
    return None if entered is None else len(entered[1]._room)


def test_which_engines_have_a_pool(linked: Any) -> None:
    is_there = linked.component.engine.name == "wasmtime" and wasmtime_pool.pool_config() is not None
    assert _room(linked) == (wasmtime_pool.STORES if is_there else None)


def test_each_instance_begins_anew(linked: Any) -> None:
    for _ in range(3 * wasmtime_pool.STORES):
        with linked.instantiate() as guest:
            assert [guest.call("count") for _ in range(3)] == [1, 2, 3]
            assert guest.call("grow", 3) == 1
            assert guest.call("size", "four") == 4


def test_more_at_once_than_the_pool_has_room_for(linked: Any) -> None:
    before = _room(linked)
    guests = [linked.instantiate() for _ in range(wasmtime_pool.STORES + 10)]
    if before is not None:
        assert _room(linked) == 0
    for guest in guests:
        assert guest.call("count") == 1
    for guest in guests:
        assert guest.call("count") == 2
        guest.close()
    assert _room(linked) == before


def _component(instances: int, reallocs: int) -> str:
    """Instances of a module with a memory; `f0` and so on take a list, each with a `realloc` of its own."""
    realloc = '(func (export "r%d") (param i32 i32 i32 i32) (result i32) (i32.const 1024))'
    lift = """(func (export "f%d") (param "x" (list string)) (result u32)
      (canon lift (core func $i%d "count") (memory (core memory $i%d "m")) (realloc (core func $i%d "r%d"))))"""
    pairs = [(i, r) for i in range(instances) for r in range(reallocs)]
    return f"""(component (core module $m (memory (export "m") 1) {"".join(realloc % r for r in range(reallocs))}
      (func (export "count") (param i32 i32) (result i32) (local.get 1)))
    {"".join(f"(core instance $i{i} (instantiate $m))" for i in range(instances))}
    {"".join(lift % (k, i, i, i, r) for k, (i, r) in enumerate(pairs))})"""


@pytest.mark.parametrize(("instances", "reallocs"), [(2, 1), (2, 4), (1, MOST_REALLOCS)])
def test_a_full_pool_whose_guests_all_allocate(load: Any, linked: Any, instances: int, reallocs: int) -> None:
    """What is ours in a store counts too, so that no guest takes what another needs."""
    pooled = load(_component(instances, reallocs)).link()
    guests = [pooled.instantiate() for _ in range(AFTER + wasmtime_pool.STORES + 5)]
    assert (_room(pooled) == 0) == (_room(linked) is not None)
    for guest in guests:
        assert [guest.call(f"f{k}", ["a"] * 4) for k in range(instances * reallocs)] == [4] * instances * reallocs
    for guest in guests:
        guest.close()


def test_guests_that_allocate_in_more_ways_stay_out(load: Any, linked: Any) -> None:
    pooled = load(_component(1, MOST_REALLOCS + 1)).link()
    for _ in range(AFTER + 3):
        with pooled.instantiate() as guest:
            assert [guest.call(f"f{k}", ["a"] * 4) for k in range(MOST_REALLOCS + 1)] == [4] * (MOST_REALLOCS + 1)
    assert _room(pooled) is None


def test_tables_are_as_large_in_the_pool_as_elsewhere(load: Any, linked: Any) -> None:
    most = MAX_TABLE_ELEMENTS
    with load(COUNTER, wit=WIT).instantiate({"a:b/host": {"wait": wait}}) as outside, linked.instantiate() as inside:
        for guest in (outside, inside):
            assert guest.call("grow-table", most - 9) == -1
            assert guest.call("grow-table", most - 10) == 10
    before = _room(linked)
    with linked.instantiate(limits=Limits(max_table_elements=most + 1)) as guest:
        assert _room(linked) == before
        assert guest.call("grow-table", most - 9) == 10


def test_room_of_guests_that_trapped_or_were_forgotten(linked: Any) -> None:
    before = _room(linked)
    for _ in range(wasmtime_pool.STORES):
        guest = linked.instantiate()
        with pytest.raises(Trap):
            guest.call("crash")
        with pytest.raises(PoisonedError):
            guest.call("count")
        guest.close()
        linked.instantiate().call("count")
    del guest
    gc.collect()
    assert _room(linked) == before


def test_limits_hold(linked: Any) -> None:
    with linked.instantiate(limits=Limits(max_memory_mb=1, max_table_elements=100)) as guest:
        assert guest.call("grow", 15) == 1
        assert guest.call("grow", 1) == -1
        assert guest.call("grow-table", 90) == 10
        assert guest.call("grow-table", 1) == -1
    with linked.instantiate() as guest:
        assert guest.call("grow", 1000) == 1
        assert guest.call("grow-table", 1_000_000) == 10


def test_budgets_hold(linked: Any) -> None:
    async def use() -> None:
        guest = linked.instantiate(limits=SHORT)
        with pytest.raises(TimedOutError):
            await guest.call_async("spin")
        guest.close()

    guest = linked.instantiate(limits=SHORT)
    with pytest.raises(TimedOutError):
        guest.call("spin")
    guest.close()
    asyncio.run(use())
    with linked.instantiate(limits=SHORT) as guest:
        assert guest.call("count") == 1


def test_tasks(linked: Any) -> None:
    async def use() -> None:
        guests = [await linked.instantiate_async() for _ in range(10)]
        assert await asyncio.gather(*(g.call_async("wait", 3) for g in guests)) == [3] * 10
        for guest in guests:
            assert await guest.call_async("count") == 1
            guest.close()

    asyncio.run(use())


def test_threads(linked: Any) -> None:
    before = _room(linked)
    counted: list[int] = []

    def use() -> None:
        for _ in range(50):
            with linked.instantiate() as guest:
                counted.append(guest.call("count"))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [1] * 200
    assert _room(linked) == before


@pytest.mark.parametrize(
    "module",
    [
        '(module (memory i64 1) (func (export "f")))',
        '(module (memory 1) (memory 1) (memory 1) (func (export "f")))',
        '(module (memory 1 1 shared) (func (export "f")))',
        '(module (func (export "f")))',
    ],
    ids=["64 bits", "several", "shared", "none"],
)
def test_modules_that_stay_out(load: Any, module: str) -> None:
    component = load(module, wit="f: func();")
    if component.engine.name != "wasmtime":
        pytest.skip("wasmer has no pool, nor most of this")
    linked = component.link()
    for _ in range(AFTER + 3):
        with linked.instantiate() as guest:
            guest.call("f")
    assert _room(linked) is None


def test_a_machine_without_the_address_space(monkeypatch: pytest.MonkeyPatch, load: Any) -> None:
    monkeypatch.setattr(wasmtime_pool, "_RESERVED", 1 << 62)
    assert wasmtime_pool.pool_config() is None
    engine = type(load(COUNTER, wit=WIT).engine)()
    linked = wippywasm.load(COUNTER, wit=WIT, engine=engine).link({"a:b/host": {"wait": wait}})
    for _ in range(AFTER + 3):
        with linked.instantiate() as guest:
            assert guest.call("count") == 1
    assert _room(linked) is None
