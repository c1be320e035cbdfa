"""Budgets: every call that spins, waits or grows too much ends with an error that names its limit."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from tests.machine.conftest import Clock
from tests.machine.guests import SLEEPER
from wippywasm import Limits
from wippywasm.engine.turns import this_thread
from wippywasm.engine.wasmtime_running import Running
from wippywasm.errors import PoisonedError, TimedOutError, Trap, UnavailableError

SHORT = Limits(max_execution_ms=100)
ENDLESS_START = "(module (func $spin (loop $l (br $l))) (start $spin))"


@pytest.mark.parametrize("is_held", [True, False])
def test_a_call_that_a_closed_guest_refuses_leaves_no_clock_running(load: Any, is_held: bool) -> None:
    component = load('(module (func (export "f")))', wit="f: func();")
    guest = component.instantiate(limits=Limits(max_execution_ms=20))
    function = guest.func("f") if is_held else guest.exports.f
    function()
    guest.close()
    for _ in range(2):
        with pytest.raises(UnavailableError):
            function()
    time.sleep(0.03)
    with component.instantiate() as other:  # which ran out of the other's time
        other.call("f")


async def test_a_call_that_spins(load: Any, imports: Any) -> None:
    linked = load(SLEEPER).link(imports)
    guest = linked.instantiate(limits=SHORT)
    started = time.monotonic()
    with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
        await guest.call_async("spin")
    assert time.monotonic() - started < 30
    with pytest.raises(PoisonedError):
        await guest.call_async("add", 1, 2)
    guest.close()
    with linked.instantiate(limits=SHORT) as other:
        assert await other.call_async("add", 1, 2) == 3


async def test_a_call_that_waits(load: Any, imports: Any, clock: Clock) -> None:
    guest = load(SLEEPER).instantiate(imports, limits=SHORT)
    with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
        await guest.call_async("sleep", 60_000)
    assert (clock.running, clock.cancelled) == (0, 1)
    guest.close()


async def test_a_call_within_its_budget(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports, limits=Limits(max_execution_ms=60_000)) as guest:
        assert await guest.call_async("sleep", 5) == 5
        assert await guest.call_async("add", 1, 2) == 3


def test_plain_calls(load: Any, imports: Any) -> None:
    linked = load(SLEEPER).link(imports)
    for name, args in (("spin", ()), ("sleep", (60_000,))):
        guest = linked.instantiate(limits=SHORT)
        assert guest.call("add", 1, 2) == 3
        started = time.monotonic()
        with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
            guest.call(name, *args)
        assert time.monotonic() - started < 30
        guest.close()


def test_a_long_budget_holds_too(load: Any, imports: Any) -> None:
    """Longer than what looks after guests goes on without being asked to."""
    guest = load(SLEEPER).instantiate(imports, limits=Limits(max_execution_ms=900))
    started = time.monotonic()
    with pytest.raises(TimedOutError):
        guest.call("spin")
    assert 0.85 < time.monotonic() - started < 30
    guest.close()


def test_guests_that_fill_their_memory_without_end(load: Any) -> None:
    """Each round of the loop takes milliseconds, so none must count as little as any other."""
    guest = load(
        """(module (memory 512) (func (export "fill")
          (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 33554432)) (br $l))))"""
    ).instantiate(limits=SHORT)
    started = time.monotonic()
    with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
        guest.call("fill")
    assert time.monotonic() - started < 30
    guest.close()


def test_start_functions(load: Any) -> None:
    with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
        load(ENDLESS_START).instantiate(limits=SHORT)


async def test_start_functions_by_tasks(load: Any) -> None:
    linked = load(ENDLESS_START).link()
    with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
        await linked.instantiate_async(limits=SHORT)
    for limits in (None, Limits(max_execution_ms=600_000)):
        task = asyncio.ensure_future(linked.instantiate_async(limits=limits))
        for _ in range(5):
            await asyncio.sleep(0.005)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_start_functions_that_wait(load: Any, clock: Clock) -> None:
    linked = load(
        """(module (import "test:host/clock" "sleep" (func $sleep (param i32) (result i32)))
          (global $slept (mut i32) (i32.const 0)) (func $start (global.set $slept (call $sleep (i32.const 5))))
          (start $start) (func (export "slept") (result i32) (global.get $slept)))""",
        wit="package a:b; world w { import test:host/clock; export slept: func() -> u32; }"
        " package test:host { interface clock { sleep: func(ms: u32) -> u32; } }",
    ).link({"test:host/clock": clock})
    for _ in range(2):
        with await linked.instantiate_async() as guest:
            assert await guest.call_async("slept") == 5
            assert guest.call("slept") == 5


async def test_spinning_guests_leave_the_loop_alive(load: Any, imports: Any) -> None:
    linked = load(SLEEPER).link(imports)
    guests = [linked.instantiate() for _ in range(4)]
    calls = [asyncio.ensure_future(guest.call_async("spin")) for guest in guests]
    with linked.instantiate() as quick:
        for _ in range(5):
            await asyncio.sleep(0.01)
            assert await quick.call_async("add", 1, 2) == 3
    for call in calls:
        call.cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    for guest in guests:
        guest.close()


async def test_timeouts_leave_no_threads(load: Any, imports: Any) -> None:
    linked = load(SLEEPER).link(imports)
    before = threading.active_count()
    for _ in range(10):
        guest = linked.instantiate(limits=Limits(max_execution_ms=1))
        with pytest.raises(TimedOutError):
            await guest.call_async("spin")
        guest.close()
    assert threading.active_count() <= before + 3


@pytest.mark.parametrize(
    ("grow", "limits", "named"),
    [
        ("memory.grow (i32.const 1)", Limits(max_memory_mb=2), "max_memory_mb = 2"),
        ("table.grow (ref.null func) (i32.const 1)", Limits(max_table_elements=50), "max_table_elements = 50"),
    ],
)
async def test_growth_bombs(load: Any, grow: str, limits: Limits, named: str) -> None:
    bomb = f"""(module (memory 1) (table 1 funcref) (global $n (mut i32) (i32.const 0))
      (func (export "grown") (result i32) (global.get $n))
      (func (export "grow") (loop $l
        (if (i32.ge_s ({grow}) (i32.const 0))
          (then (global.set $n (i32.add (global.get $n) (i32.const 1))) (br $l)))))
      (func (export "bomb") (loop $l (br_if $l (i32.ge_s ({grow}) (i32.const 0)))) unreachable))"""
    linked = load(bomb).link()
    with linked.instantiate(limits=limits) as guest:
        await guest.call_async("grow")
        assert await guest.call_async("grown") in (31, 49)
    guest = linked.instantiate(limits=limits)
    with pytest.raises(Trap, match=named):
        await guest.call_async("bomb")
    guest.close()


async def test_recursion_without_end(load: Any) -> None:
    linked = load('(module (func $f (export "f") (call $f) (call $f)) (func (export "g")))').link()
    guest = linked.instantiate()
    with pytest.raises(Trap, match="call stack exhausted"):
        await guest.call_async("f")
    guest.close()
    with linked.instantiate() as other:
        await other.call_async("g")


@pytest.mark.parametrize("when", ["argument", "result"])
async def test_an_allocation_without_end(load: Any, when: str) -> None:
    """Before the guest has run, and for the result of a host function that waited."""

    async def name() -> str:
        await asyncio.sleep(0)
        return "long enough to allocate"

    guest = load(
        """(module (import "test:host/i" "name" (func $name (param i32))) (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $l (br $l)) unreachable)
          (func (export "take") (param i32 i32)) (func (export "ask") (call $name (i32.const 8))))""",
        wit="package a:b; world w { import test:host/i; export take: func(s: string); export ask: func(); }"
        " package test:host { interface i { name: func() -> string; } }",
    ).instantiate({"test:host/i": {"name": name}}, limits=Limits(max_execution_ms=150))
    started = time.monotonic()
    with pytest.raises(TimedOutError):
        await (guest.call_async("take", "text") if when == "argument" else guest.call_async("ask"))
    assert time.monotonic() - started < 30
    guest.close()


def test_a_guest_with_a_thread_to_itself_is_stopped_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Running().slice.value
    monkeypatch.setattr(this_thread, "is_alone", True)
    assert Running().slice.value > 2 * shared


async def test_a_cancellation_while_a_guest_out_of_time_is_ended_is_seen(load: Any, engine: str) -> None:
    if engine == "wasmtime":
        pytest.skip("a host function that blocks its thread has the event loop's on wasmtime")
    text = '(module (import "a:b/c" "pause" (func $pause)) (func (export "run") (call $pause)))'
    wit = "package a:b; interface c { pause: func(); } world w { import c; export run: func(); }"
    host = {"a:b/c": {"pause": lambda: time.sleep(0.4)}}
    guest = load(text, wit=wit).instantiate(host, limits=Limits(max_execution_ms=50))
    task = asyncio.ensure_future(guest.call_async("run"))
    asyncio.get_running_loop().call_later(0.2, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    guest.close()
