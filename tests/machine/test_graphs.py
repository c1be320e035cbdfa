"""One guest's call through another guest's frames, suspended at the far end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.machine.conftest import Clock
from wippywasm import Limits
from wippywasm.errors import ConflictError, PoisonedError, TimedOutError
from wippywasm.instance import guest_thread

GRAPH = """
(component
  (import "test:host/clock" (instance $clock (export "sleep" (func (param "ms" u32) (result u32)))))
  (component $inner
    (import "sleep" (func $sleep (param "ms" u32) (result u32)))
    (core func $sleep (canon lower (func $sleep)))
    (core module $m
      (import "host" "sleep" (func $sleep (param i32) (result i32)))
      (func (export "nap") (param i32) (result i32) (i32.add (call $sleep (local.get 0)) (i32.const 1)))
      (func (export "spin") (param i32) (result i32) (loop $l (br $l)) (unreachable)))
    (core instance $i (instantiate $m (with "host" (instance (export "sleep" (func $sleep))))))
    (func (export "nap") (param "ms" u32) (result u32) (canon lift (core func $i "nap")))
    (func (export "spin") (param "ms" u32) (result u32) (canon lift (core func $i "spin"))))
  (component $outer
    (import "nap" (func $nap (param "ms" u32) (result u32)))
    (import "spin" (func $spin (param "ms" u32) (result u32)))
    (core func $nap (canon lower (func $nap)))
    (core func $spin (canon lower (func $spin)))
    (core module $m
      (import "inner" "nap" (func $nap (param i32) (result i32)))
      (import "inner" "spin" (func $spin (param i32) (result i32)))
      (func (export "rest") (param i32) (result i32)
        (i32.add (call $nap (local.get 0)) (call $nap (local.get 0))))
      (func (export "spin") (param i32) (result i32) (call $spin (local.get 0))))
    (core instance $i (instantiate $m
      (with "inner" (instance (export "nap" (func $nap)) (export "spin" (func $spin))))))
    (func (export "rest") (param "ms" u32) (result u32) (canon lift (core func $i "rest")))
    (func (export "spin") (param "ms" u32) (result u32) (canon lift (core func $i "spin"))))
  (alias export $clock "sleep" (func $sleep))
  (instance $in (instantiate $inner (with "sleep" (func $sleep))))
  (alias export $in "nap" (func $nap))
  (alias export $in "spin" (func $spin))
  (instance $out (instantiate $outer (with "nap" (func $nap)) (with "spin" (func $spin))))
  (export "rest" (func $out "rest"))
  (export "spin" (func $out "spin")))
"""


async def test_the_far_end_waits(load: Any, imports: Any, clock: Clock) -> None:
    with load(GRAPH).instantiate(imports) as guest:
        calls = asyncio.ensure_future(guest.call_async("rest", 20))
        while not clock.running:
            await asyncio.sleep(0.001)
        with pytest.raises(ConflictError, match="cannot enter component instance: a call into the guest is waiting"):
            await guest.call_async("rest", 1)
        assert await calls == 42
        assert await guest.call_async("rest", 0) == 2


def guest_threads() -> int:
    return sum(t.name == "wippywasm guest" for t in threading.enumerate())


async def test_many_graphs_at_once(load: Any, imports: Any) -> None:
    busy = guest_threads() - len(guest_thread._idle)  # those of guests that other tests left to the collector
    linked = load(GRAPH).link(imports)
    guests = [linked.instantiate() for _ in range(guest_thread.MAX_IDLE + 8)]
    assert await asyncio.gather(*(g.call_async("rest", 10) for g in guests)) == [22] * len(guests)
    for guest in guests:
        guest.close()
    del guest, guests
    while guest_threads() > busy + guest_thread.MAX_IDLE:
        await asyncio.sleep(0.01)  # the suite's own time limit ends this where threads are never given back


async def test_cancelling(load: Any, imports: Any, clock: Clock) -> None:
    guest = load(GRAPH).instantiate(imports)
    call = asyncio.ensure_future(guest.call_async("rest", 60_000))
    while not clock.running:
        await asyncio.sleep(0.001)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (clock.running, clock.cancelled) == (0, 1)
    with pytest.raises(PoisonedError):
        await guest.call_async("rest", 1)
    guest.close()


async def test_a_graph_that_spins_ends_in_time(load: Any, imports: Any) -> None:
    linked = load(GRAPH).link(imports)
    guest = linked.instantiate(limits=Limits(max_execution_ms=50))
    with pytest.raises(TimedOutError, match="max_execution_ms = 50"):
        await guest.call_async("spin", 1)
    guest.close()
    with linked.instantiate() as other:
        assert await other.call_async("rest", 1) == 4


async def test_what_the_host_raises(load: Any) -> None:
    error = LookupError("gone")

    async def sleep(ms: int) -> int:
        await asyncio.sleep(0)
        raise error

    guest = load(GRAPH).instantiate({"test:host/clock": {"sleep": sleep}})
    with pytest.raises(LookupError) as caught:
        await guest.call_async("rest", 1)
    assert caught.value is error
    guest.close()
