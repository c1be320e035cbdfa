"""Hosts that do not let go: what blocks the thread, refuses to be cancelled, or awaits without ever waiting."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import threading
import time
from typing import Any

import pytest

import wippywasm
from tests.machine import test_nested
from wippywasm import Limits
from wippywasm.engine import wasmtime_fibers
from wippywasm.errors import PoisonedError, TimedOutError

SHORT = Limits(max_execution_ms=50)
CALLER = """(module
  (import "t:h/clock" "sleep" (func $sleep (param i32) (result i32)))
  (func (export "once") (param i32) (result i32) (call $sleep (local.get 0)))
  (func (export "for-ever") (loop $l (drop (call $sleep (i32.const 1))) (br $l)))
  (func (export "spin") (loop $l (br $l))))"""
WIT = """package t:h;
interface clock { sleep: func(ms: u32) -> u32; }
world w { import clock; export once: func(ms: u32) -> u32; export for-ever: func(); export spin: func(); }"""


def block(ms: int) -> int:
    time.sleep(ms / 1000)
    return ms


async def at_once(ms: int) -> int:
    return ms


def guest_of(load: Any, sleep: Any, limits: Limits | None = None) -> Any:
    return load(CALLER, wit=WIT).instantiate({"t:h/clock": {"sleep": sleep}}, limits=limits)


def test_a_plain_call_whose_host_blocks_for_too_long(load: Any) -> None:
    with pytest.raises(TimedOutError, match="max_execution_ms = 50"):
        guest_of(load, block, SHORT).call("once", 100)


async def test_a_call_whose_host_blocks_for_too_long(load: Any) -> None:
    guest = guest_of(load, block, SHORT)
    with pytest.raises(TimedOutError, match="max_execution_ms = 50"):
        await guest.call_async("once", 100)
    with pytest.raises(PoisonedError, match="max_execution_ms = 50"):
        await guest.call_async("once", 1)


@pytest.mark.parametrize("name", ["once", "for-ever"])
async def test_a_host_that_is_not_to_be_cancelled(load: Any, name: str) -> None:
    asked = 0

    async def stubborn(ms: int) -> int:
        nonlocal asked
        asked += 1
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return ms
        return 0

    guest = guest_of(load, stubborn, SHORT)
    with pytest.raises(TimedOutError, match="max_execution_ms = 50"):
        await guest.call_async(name, *([1] if name == "once" else []))
    assert asked == 1


async def test_a_call_that_was_out_of_time_is_named_by_who_comes_later(load: Any) -> None:
    async def sleep(ms: int) -> int:
        await asyncio.sleep(ms / 1000)
        return ms

    guest = guest_of(load, sleep, SHORT)
    with pytest.raises(TimedOutError):
        await guest.call_async("once", 3_600_000)
    with pytest.raises(PoisonedError, match="max_execution_ms = 50"):
        await guest.call_async("once", 1)


async def test_a_guest_whose_host_never_waits_leaves_the_event_loop_alive(load: Any) -> None:
    call = asyncio.ensure_future(guest_of(load, at_once, Limits(max_execution_ms=30_000)).call_async("for-ever"))
    for _ in range(5):
        await asyncio.sleep(0.001)
    assert not call.done()
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()


def test_a_guest_made_outside_of_a_loop_ends_in_time(load: Any) -> None:
    guest = guest_of(load, at_once, SHORT)
    with pytest.raises(TimedOutError, match="max_execution_ms = 50"):
        asyncio.run(guest.call_async("spin"))


def test_a_signal_ends_a_plain_call_that_has_a_limit(load: Any) -> None:
    guest = guest_of(load, at_once, Limits(max_execution_ms=60_000))
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        guest.call("spin")
    timer.join()


class Striking:
    """Does what a function does; raises what a signal's handler does when it is first called."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.count = 0

    def __call__(self, *args: Any) -> Any:
        self.count += 1
        if self.count == 1:
            raise KeyboardInterrupt
        return self.function(*args)


class StrikingTable:
    def __init__(self, table: Any) -> None:
        self.get = Striking(table.__getitem__)

    def __getitem__(self, key: int) -> Any:
        return self.get(key)


def test_a_signal_where_wasmtime_suspends_a_guest_is_raised_by_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(ms: int) -> int:
        await asyncio.sleep(ms / 1000)
        return ms

    async def main() -> None:
        component = wippywasm.load(CALLER, wit=WIT, engine="wasmtime")
        guest = component.instantiate({"t:h/clock": {"sleep": sleep}})
        assert await guest.call_async("once", 1) == 1
        monkeypatch.setattr(ctypes, "memmove", Striking(ctypes.memmove))
        await guest.call_async("once", 1)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())


def test_a_signal_where_a_guest_allocates_on_wasmtime_is_raised_by_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        once = test_nested.GUEST.format(turns=1).replace("(br $l)) (i32.load", ") (i32.load")
        component = wippywasm.load(once, wit=test_nested.WIT, engine="wasmtime")
        guest = await component.link({"t:h/c": {"text": test_nested.waiting}}).instantiate_async()
        assert await guest.call_async("run", 5) == 5
        monkeypatch.setattr(wasmtime_fibers, "_fibers", StrikingTable(wasmtime_fibers._fibers))
        await guest.call_async("run", 5)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())


async def told(ms: int) -> int:
    return ms


async def later(ms: int) -> int:
    await asyncio.sleep(0)
    try:
        await asyncio.sleep(ms / 1000)
    finally:
        await asyncio.sleep(0)
    return ms


@pytest.mark.parametrize("host", [told, later])
async def test_a_coroutine_of_the_host_runs_in_the_task_that_called_the_guest(load: Any, host: Any) -> None:
    seen = []

    async def sleep(ms: int) -> int:
        seen.append(asyncio.current_task())
        ms = await host(ms)
        seen.append(asyncio.current_task())
        return ms

    assert await guest_of(load, sleep).call_async("once", 3) == 3
    assert seen == [asyncio.current_task()] * 2


@pytest.mark.parametrize("waits", [False, True])
async def test_what_a_coroutine_of_the_host_raises_is_raised_by_the_call(load: Any, waits: bool) -> None:
    error = ZeroDivisionError("mine")

    async def sleep(ms: int) -> int:
        if waits:
            await asyncio.sleep(0)
        raise error

    guest = guest_of(load, sleep)
    with pytest.raises(ZeroDivisionError) as caught:
        await guest.call_async("once", 1)
    assert caught.value is error
    with pytest.raises(PoisonedError):
        await guest.call_async("once", 1)


@pytest.mark.parametrize("cancels", [1, 2])
async def test_a_coroutine_of_the_host_cleans_up_when_its_call_is_cancelled(load: Any, cancels: int) -> None:
    said: list[str] = []
    begun = []

    async def sleep(ms: int) -> int:
        try:
            begun.append(ms)
            await asyncio.sleep(3600)
        finally:
            said.append("first")
            try:
                await asyncio.sleep(0.01)
            finally:
                said.append("last")
        return ms

    call = asyncio.ensure_future(guest_of(load, sleep).call_async("once", 1))
    while not begun:
        await asyncio.sleep(0.001)
    for _ in range(cancels):
        await asyncio.sleep(0.005)
        call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert said == ["first", "last"]
