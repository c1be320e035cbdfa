"""A host function that calls another guest, which spins: that ends with the time of the guest that called the host."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from wippywasm import Limits
from wippywasm.errors import TimedOutError, UnsupportedFeatureError

CALLER = '(module (import "host" "f" (func $f)) (func (export "go") (call $f)))'
WIT = "package a:b; world w { import host: interface { f: func(); } export go: func(); }"
SPIN = '(module (func (export "spin") (loop $l (br $l))) (func (export "add") (param i32) (result i32) (local.get 0)))'
SPIN_WIT = "package a:b; world w { export spin: func(); export add: func(n: u32) -> u32; }"
START = "(module (func $spin (loop $l (br $l))) (start $spin))"
SHORT = Limits(max_execution_ms=100)
ENDS = (TimedOutError, UnsupportedFeatureError)
LIMITS = [None, Limits(max_execution_ms=600_000), Limits(max_memory_mb=10)]


class Host:
    """Calls a guest with these limits, or makes one whose start function spins where `starts`."""

    def __init__(self, load: Any, limits: Limits | None = None, starts: bool = False) -> None:
        self.caller = load(CALLER, wit=WIT).link({"host": self})
        self.spin = load(SPIN, wit=SPIN_WIT).link()
        self.start = load(START).link()
        self.limits = limits
        self.starts = starts

    def f(self) -> None:
        if self.starts:
            self.start.instantiate(limits=self.limits)
            return
        with self.spin.instantiate(limits=self.limits) as guest:
            guest.call("spin")


def check(host: Host, engine: str, started: float, error: BaseException) -> None:
    assert time.monotonic() - started < 30
    if engine == "wasmer" and host.limits is None and isinstance(error, UnsupportedFeatureError):
        assert "limits" in str(error.hint)
    else:
        assert isinstance(error, TimedOutError)
        assert "max_execution_ms = 100" in str(error)


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("starts", [False, True])
def test_plain_calls(load: Any, engine: str, limits: Limits | None, starts: bool) -> None:
    host = Host(load, limits, starts)
    started = time.monotonic()
    with host.caller.instantiate(limits=SHORT) as guest, pytest.raises(ENDS) as caught:
        guest.call("go")
    check(host, engine, started, caught.value)


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("starts", [False, True])
async def test_calls_by_tasks(load: Any, engine: str, limits: Limits | None, starts: bool) -> None:
    host = Host(load, limits, starts)
    started = time.monotonic()
    with await host.caller.instantiate_async(limits=SHORT) as guest, pytest.raises(ENDS) as caught:
        await guest.call_async("go")
    check(host, engine, started, caught.value)


class Keeping(Host):
    """Calls a guest that was there before."""

    callee: Any

    def f(self) -> None:
        self.callee.call("spin")


async def test_a_guest_that_another_task_made(load: Any) -> None:
    """On wasmer it has a thread of its own."""
    host = Keeping(load)
    host.callee = await host.spin.instantiate_async()
    with await host.caller.instantiate_async(limits=SHORT) as guest, pytest.raises(TimedOutError, match="= 100"):
        await guest.call_async("go")
    host.callee.close()


class Relay(Host):
    """Calls a guest without limits, which calls the host, which calls the one that spins."""

    def f(self) -> None:
        with self.caller.instantiate() as guest:
            if self.depth < 2:
                self.depth += 1
                guest.call("go")
        super().f()

    depth = 0


def test_a_guest_between(load: Any, engine: str) -> None:
    host = Relay(load)
    started = time.monotonic()
    with host.caller.instantiate(limits=SHORT) as guest, pytest.raises(ENDS) as caught:
        guest.call("go")
    check(host, engine, started, caught.value)


class Adding(Host):
    """Calls a guest which comes back at once, and sees what becomes of the time."""

    def f(self) -> None:
        with self.spin.instantiate(limits=self.limits) as guest:
            assert [guest.call("add", n) for n in range(50)] == list(range(50))


def test_what_comes_back_in_time(load: Any) -> None:
    host = Adding(load, Limits(max_memory_mb=10))
    for _ in range(3):
        with host.caller.instantiate(limits=Limits(max_execution_ms=600_000)) as guest:
            guest.call("go")
            guest.call("go")


def test_the_time_of_one_call_is_not_that_of_the_next(load: Any) -> None:
    """Nor that of another thread."""
    host = Adding(load)
    host.limits = Limits(max_memory_mb=10)
    with host.caller.instantiate(limits=Limits(max_execution_ms=20_000)) as guest:
        guest.call("go")
    with host.spin.instantiate() as free:
        assert free.call("add", 7) == 7
    with host.caller.instantiate() as guest:
        guest.call("go")
    limits = Limits(max_execution_ms=1000)
    spinning = Host(load, Limits(max_execution_ms=200))
    with spinning.caller.instantiate(limits=limits) as guest, pytest.raises(TimedOutError, match="= 200"):
        guest.call("go")
    found: list[int] = []

    def elsewhere() -> None:
        with host.spin.instantiate() as other:
            found.append(other.call("add", 1))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [1]
