"""Guests that wait in host functions: values, errors, cancellation, many at once, on each engine."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.machine.conftest import Clock
from tests.machine.guests import SLEEPER
from wippywasm.errors import ConflictError, PoisonedError, Trap, ValueMismatchError, WitError


async def test_a_guest_that_does_not_wait(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports) as guest:
        assert await guest.call_async("add", 2, 3) == 5
        assert guest.call("add", 2, 3) == 5
        assert await guest.call_async("count", ["a", "bc", "def", "ghij"]) == 4


async def test_the_guest_goes_on_with_what_was_awaited(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports) as guest:
        for ms in (0, 1, 5):
            assert await guest.call_async("sleep", ms) == ms
            assert await guest.call_async("sleep-twice", ms) == 2 * ms
            assert await guest.call_async("greet", ms) == f"slept for {ms} ms" * (1 + ms)
            assert await guest.call_async("length", "é" * ms) == 2 * ms


async def test_the_loop_goes_on_meanwhile(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports) as guest:
        call = asyncio.ensure_future(guest.call_async("sleep", 100))
        ticks = 0
        while not call.done():
            await asyncio.sleep(0.005)
            ticks += 1
        assert ticks >= 5
        assert await call == 100


async def test_results_with_errors(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports) as guest:
        assert await guest.call_async("attempt", 2) == 2
        with pytest.raises(WitError) as caught:
            await guest.call_async("attempt", 1)
        assert caught.value.payload == "odd"
        assert await guest.call_async("attempt", 4) == 4


@pytest.mark.parametrize("error", [ValueError("v"), KeyError("k"), OSError(3, "x")])
async def test_what_the_host_raises_is_the_same_object(load: Any, error: BaseException) -> None:
    async def fail(ms: int) -> Any:
        await asyncio.sleep(ms / 1000)
        raise error

    imports = {"test:host/clock": {"sleep": fail, "name": fail, "attempt": fail}}
    for ms in (0, 1):
        guest = load(SLEEPER).instantiate(imports)
        with pytest.raises(type(error)) as caught:
            await guest.call_async("sleep", ms)
        assert caught.value is error
        with pytest.raises(PoisonedError):
            await guest.call_async("add", 1, 2)
        guest.close()


async def test_a_value_that_does_not_fit_is_refused_before_the_guest_runs(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports) as guest:
        with pytest.raises(ValueMismatchError):
            await guest.call_async("sleep", "soon")
        assert await guest.call_async("sleep", 1) == 1


async def test_a_result_that_does_not_fit(load: Any, imports: Any) -> None:
    async def wrong(ms: int) -> Any:
        return "late"

    guest = load(SLEEPER).instantiate({"test:host/clock": {"sleep": wrong, "name": wrong, "attempt": wrong}})
    with pytest.raises(ValueMismatchError, match="result of"):
        await guest.call_async("sleep", 1)
    guest.close()


async def test_a_trap_after_waiting(load: Any, imports: Any) -> None:
    guest = load(SLEEPER).instantiate(imports)
    with pytest.raises(Trap, match="unreachable"):
        await guest.call_async("crash", 1)
    with pytest.raises(PoisonedError):
        await guest.call_async("sleep", 1)
    guest.close()


async def test_plain_functions_that_return_awaitables(load: Any) -> None:
    def sleep(ms: int) -> Any:
        return asyncio.sleep(ms / 1000, ms) if ms else 7

    guest = load(SLEEPER).instantiate({"test:host/clock": {"sleep": sleep, "name": sleep, "attempt": sleep}})
    assert await guest.call_async("sleep", 3) == 3
    assert await guest.call_async("sleep", 0) == 7
    guest.close()


async def test_cancelling_ends_the_guest_and_the_host_operation(load: Any, imports: Any, clock: Clock) -> None:
    guest = load(SLEEPER).instantiate(imports)
    call = asyncio.ensure_future(guest.call_async("sleep", 60_000))
    while not clock.running:
        await asyncio.sleep(0.001)
    started = time.monotonic()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert time.monotonic() - started < 30  # of 60
    assert (clock.running, clock.cancelled) == (0, 1)
    with pytest.raises(PoisonedError):
        await guest.call_async("add", 1, 2)
    guest.close()


async def test_a_guest_that_is_waiting_can_not_be_entered(load: Any, imports: Any, clock: Clock) -> None:
    guest = load(SLEEPER).instantiate(imports)
    call = asyncio.ensure_future(guest.call_async("sleep", 30))
    while not clock.running:
        await asyncio.sleep(0.001)
    with pytest.raises(ConflictError, match="cannot enter component instance: a call into the guest is waiting"):
        await guest.call_async("add", 1, 2)
    assert await call == 30
    assert await guest.call_async("add", 1, 2) == 3
    guest.close()


async def test_many_guests_at_once(load: Any, imports: Any) -> None:
    linked = load(SLEEPER).link(imports)
    guests = [linked.instantiate() for _ in range(100)]
    started = time.monotonic()
    results = await asyncio.gather(*(g.call_async("sleep", 100 + i) for i, g in enumerate(guests)))
    assert results == [100 + i for i in range(100)]
    assert time.monotonic() - started < 12  # of 15, one after the other
    for guest in guests:
        guest.close()


def test_a_plain_call_waits_by_itself(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports) as guest:
        assert guest.call("sleep-twice", 2) == 4
        assert guest.call("greet", 1) == "slept for 1 ms" * 2
        with pytest.raises(WitError):
            guest.call("attempt", 1)
        assert guest.call("sleep", 1) == 1


async def test_one_guest_serves_plain_calls_and_tasks(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports) as guest:
        assert await guest.call_async("sleep", 2) == 2
        assert guest.call("add", 1, 2) == 3
        assert guest.exports.add(4, 5) == 9
        assert await guest.call_async("sleep", 1) == 1


async def test_a_plain_call_does_not_hold_the_loop(load: Any, imports: Any) -> None:
    with load(SLEEPER).instantiate(imports) as guest, pytest.raises(ConflictError, match="event loop"):
        guest.call("sleep", 2)
    with load(SLEEPER).instantiate(imports) as guest:
        assert await guest.call_async("sleep", 3) == 3


def test_a_guest_made_outside_of_a_loop(load: Any, imports: Any, engine: str) -> None:
    with load(SLEEPER).instantiate(imports) as guest:
        assert asyncio.run(guest.call_async("add", 1, 2)) == 3
        if engine == "wasmtime":
            assert asyncio.run(guest.call_async("sleep", 2)) == 2
            return
        with pytest.raises(ConflictError, match="event loop"):
            asyncio.run(guest.call_async("sleep", 2))


LISTS = """
(component
  (import "words" (func $words (result (list string))))
  (core module $libc
    (memory (export "memory") 8)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $top)
      (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 7)) (i32.const -8)))))
  (core instance $libc (instantiate $libc))
  (core func $words (canon lower (func $words) (memory (core memory $libc "memory"))
    (realloc (core func $libc "realloc"))))
  (alias core export $libc "memory" (core memory $memory))
  (core module $m
    (import "" "words" (func $words (param i32)))
    (import "" "memory" (memory 1))
    (func (export "count") (result i32) (call $words (i32.const 16)) (i32.load (i32.const 20))))
  (core instance $i (instantiate $m (with "" (instance
    (export "words" (func $words)) (export "memory" (memory $memory))))))
  (func (export "count") (result u32) (canon lift (core func $i "count"))))
"""


async def test_a_result_with_many_parts_while_the_guest_is_in_a_task(load: Any) -> None:
    for words in ([], ["a", "bc"], ["word"] * 3000):
        with load(LISTS).instantiate({"words": lambda words=words: words}) as guest:
            assert await guest.call_async("count") == len(words)
            assert guest.call("count") == len(words)
            assert await guest.call_async("count") == len(words)
