"""Guests that host functions call: they end when the call does that they are within, by its time or its task."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from wippywasm import Limits
from wippywasm.engine import spans
from wippywasm.errors import ConflictError, TimedOutError, UnsupportedFeatureError

CALLER = '(module (import "host" "f" (func $f)) (func (export "go") (call $f)))'
WIT = "package a:b; world w { import host: interface { f: func(); } export go: func(); }"
INNER = """(module (func (export "spin") (loop $l (br $l)))
  (func (export "quick") (param i32) (result i32) (local.get 0)))"""
INNER_WIT = "package a:b; world w { export spin: func(); export quick: func(n: u32) -> u32; }"
SHORT = Limits(max_execution_ms=100)
LIMITS = [None, Limits(max_execution_ms=600_000), Limits(max_memory_mb=10)]
OUT_OF_TIME = "max_execution_ms = 100"


class Guests:
    """`inner` is what the host function calls; `caller` gives guests that call such a function."""

    def __init__(self, load: Any) -> None:
        self._caller = load(CALLER, wit=WIT)
        self.inner = load(INNER, wit=INNER_WIT).link()

    def caller(self, f: Callable[[], Any], limits: Limits | None = None) -> Any:
        return self._caller.instantiate({"host": {"f": f}}, limits=limits)


@pytest.fixture
def guests(load: Any) -> Guests:
    return Guests(load)


async def call_cancelled(caller: Any, started: threading.Event) -> None:
    """Call by a task, which is cancelled once the event has come; the call ends."""
    task = asyncio.ensure_future(caller.call_async("go"))
    while not started.is_set():
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# ---- the time of the call


def hosts(inner: Any) -> dict[str, Callable[[], Any]]:
    """Asynchronous host functions that call a guest which spins."""

    async def at_once() -> None:
        inner.call("spin")

    async def later() -> None:
        await asyncio.sleep(0)
        inner.call("spin")

    async def in_a_task() -> None:
        await asyncio.gather(at_once(), later())

    async def in_a_thread() -> None:
        await asyncio.to_thread(inner.call, "spin")

    async def in_a_loop() -> None:
        while True:
            await inner.call_async("quick", 1)

    return {f.__name__: f for f in (at_once, later, in_a_task, in_a_thread, in_a_loop)}


@pytest.mark.parametrize("name", hosts(None))
async def test_an_asynchronous_host(guests: Guests, name: str) -> None:
    inner = guests.inner.instantiate()
    with guests.caller(hosts(inner)[name], SHORT) as caller, pytest.raises(TimedOutError, match=OUT_OF_TIME):
        await caller.call_async("go")
    await closed(inner)


async def closed(inner: Any) -> None:
    """Close a guest, which may end in a thread that nobody waits for."""
    deadline = time.monotonic() + 30
    while not inner.closed:
        try:
            inner.close()
        except ConflictError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


def test_a_guest_that_was_made_before_there_was_a_loop(guests: Guests, engine: str) -> None:
    """On wasmer there is no way to end it."""
    inner = guests.inner.instantiate()
    ends = UnsupportedFeatureError if engine == "wasmer" else TimedOutError

    async def main() -> None:
        with guests.caller(hosts(inner)["later"], SHORT) as caller, pytest.raises(ends):
            await caller.call_async("go")

    asyncio.run(main())
    inner.close()


# ---- calls that begin when it is over


class Late:
    """Waits until the time of its guest is up, and calls others then."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.raised: list[BaseException] = []

    def f(self) -> None:
        time.sleep(0.15)
        for attempt in (self.by_name, self.by_attribute, self.make):
            try:
                attempt()
            except TimedOutError as error:
                self.raised.append(error)

    def by_name(self) -> None:
        self.inner.call("quick", 1)

    def by_attribute(self) -> None:
        self.inner.exports.quick(1)

    def make(self) -> None:
        self.linked.instantiate().close()

    linked: Any

    def check(self, error: BaseException) -> None:
        assert self.raised == [error] * 3
        assert self.inner.call("quick", 7) == 7, "it has not been entered"
        self.inner.close()


@pytest.mark.parametrize("limits", LIMITS)
def test_plain_calls_that_are_late(guests: Guests, limits: Limits | None) -> None:
    late = Late(guests.inner.instantiate(limits=limits))
    late.linked = guests.inner
    with guests.caller(late.f, SHORT) as caller, pytest.raises(TimedOutError, match=OUT_OF_TIME) as caught:
        caller.call("go")
    late.check(caught.value)


@pytest.mark.parametrize("limits", LIMITS)
async def test_calls_by_tasks_that_are_late(guests: Guests, limits: Limits | None) -> None:
    late = Late(guests.inner.instantiate(limits=limits))
    late.linked = guests.inner
    with guests.caller(late.f, SHORT) as caller, pytest.raises(TimedOutError, match=OUT_OF_TIME):
        await caller.call_async("go")
    assert [str(e) for e in late.raised] == ["the call took longer than its limit max_execution_ms = 100"] * 3
    assert late.inner.call("quick", 7) == 7
    late.inner.close()


async def test_a_host_that_goes_on_although_it_is_cancelled(guests: Guests) -> None:
    inner, raised = guests.inner.instantiate(), []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            for _ in range(3):
                try:
                    await inner.call_async("quick", 1)
                except TimedOutError as error:
                    raised.append(error)

    with guests.caller(stubborn, SHORT) as caller, pytest.raises(TimedOutError, match=OUT_OF_TIME):
        await caller.call_async("go")
    assert len(raised) == 3
    assert await inner.call_async("quick", 7) == 7
    inner.close()


@pytest.mark.parametrize("limits", [SHORT, None])
async def test_what_goes_on_after_the_call_has_its_own_time(guests: Guests, limits: Limits | None) -> None:
    """A task that a host function makes lives on, whether the call was ended or not."""
    inner, answers = guests.inner.instantiate(), []
    over = asyncio.Event()

    async def others() -> None:
        await over.wait()
        answers.append(inner.call("quick", 1))
        answers.append(await inner.call_async("quick", 2))

    made: list[asyncio.Task[None]] = []

    async def make() -> None:
        made.append(asyncio.ensure_future(others()))
        await asyncio.sleep(0.15 if limits else 0)

    with guests.caller(make, limits) as caller:
        if limits is None:
            await caller.call_async("go")
        else:
            with pytest.raises(TimedOutError, match=OUT_OF_TIME):
                await caller.call_async("go")
    over.set()
    await made[0]
    assert answers == [1, 2]
    inner.close()


DROPS = """(component
  (core module $m (func (export "dtor") (param i32) (global.set 0 (i32.const 1)))
    (global (mut i32) (i32.const 0)) (func (export "dropped") (result i32) (global.get 0)))
  (core instance $i (instantiate $m))
  (type $r' (resource (rep i32) (dtor (core func $i "dtor"))))
  (core func $new (canon resource.new $r'))
  (export $r "r" (type $r'))
  (func (export "make") (param "n" u32) (result (own $r)) (canon lift (core func $new)))
  (func (export "dropped") (result u32) (canon lift (core func $i "dropped"))))"""


async def test_what_is_left_over_is_dropped(guests: Guests, load: Any) -> None:
    inner = load(DROPS).instantiate()

    def f() -> None:
        held = inner.call("make", 3)
        time.sleep(0.15)
        held.close()

    with guests.caller(f, SHORT) as caller, pytest.raises(TimedOutError, match=OUT_OF_TIME):
        await caller.call_async("go")
    assert inner.call("dropped") == 1
    inner.close()


# ---- the end of the task


async def test_a_cancelled_task(guests: Guests, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose plain host function calls a guest that spins. On wasmtime the event loop stands still, for a while."""
    monkeypatch.setattr(spans, "HELD_SECONDS", 0.2)
    inner, started = guests.inner.instantiate(), threading.Event()

    def f() -> None:
        started.set()
        inner.call("spin")

    with guests.caller(f) as caller:
        if engine == "wasmer":
            await call_cancelled(caller, started)
        else:
            with pytest.raises(TimedOutError, match="held the event loop") as caught:
                await caller.call_async("go")
            assert caught.value.details["budget"] == "held"
            assert "call_async" in str(caught.value.hint)
    inner.close()


@pytest.mark.parametrize("first", [False, True])
async def test_a_guest_that_holds_the_loop_of_an_asynchronous_host(
    guests: Guests, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    monkeypatch.setattr(spans, "HELD_SECONDS", 0.2)
    inner = guests.inner.instantiate()
    host = hosts(inner)["at_once" if first else "later"]
    with guests.caller(host) as caller, pytest.raises(TimedOutError, match="held the event loop"):
        await caller.call_async("go")
    inner.close()


async def test_its_own_limit_may_be_more(guests: Guests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "HELD_SECONDS", 0.05)
    inner = guests.inner.instantiate(limits=Limits(max_execution_ms=200))
    with guests.caller(hosts(inner)["later"]) as caller, pytest.raises(TimedOutError, match="max_execution_ms = 200"):
        await caller.call_async("go")
    inner.close()


async def test_a_cancelled_task_whose_host_awaits_a_thread(guests: Guests) -> None:
    inner, started = guests.inner.instantiate(), threading.Event()

    async def f() -> None:
        started.set()
        await asyncio.to_thread(inner.call, "spin")

    with guests.caller(f) as caller:
        await call_cancelled(caller, started)
    await closed(inner)


async def test_a_thread_that_was_about_to_begin(guests: Guests) -> None:
    inner, gate, raised = guests.inner.instantiate(), threading.Event(), []

    def work() -> None:
        gate.wait(30)
        try:
            inner.call("spin")
        except TimedOutError as error:
            raised.append(error)

    async def f() -> None:
        threads.append(asyncio.ensure_future(asyncio.to_thread(work)))
        await threads[0]

    threads: list[asyncio.Future[None]] = []
    with guests.caller(f, SHORT) as caller, pytest.raises(TimedOutError, match=OUT_OF_TIME):
        await caller.call_async("go")
    gate.set()
    while not raised:
        await asyncio.sleep(0.001)
    assert inner.call("quick", 7) == 7
    inner.close()


@contextmanager
def alarm(handle: Callable[[], None]) -> Iterator[None]:
    """Have that called in this thread, as a signal's handler, soon."""
    before = signal.signal(signal.SIGALRM, lambda *_: handle())
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["plain", "at_once", "later"])
def test_an_interrupt_ends_it(guests: Guests, name: str) -> None:
    """As Ctrl-C does where `asyncio.run` lets it through."""

    async def main() -> None:
        inner = guests.inner.instantiate()
        found = {**hosts(inner), "plain": lambda: inner.call("spin")}
        with guests.caller(found[name]) as caller:
            try:
                await caller.call_async("go")
            finally:
                await closed(inner)

    with pytest.raises(KeyboardInterrupt), alarm(interrupt):
        asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.run cancels the task from 3.11 on")
@pytest.mark.parametrize("name", ["spin", "quick"])
def test_an_interrupt_that_cancels_the_task_ends_it(guests: Guests, engine: str, name: str) -> None:
    """As the first Ctrl-C in `asyncio.run`, also where a host function calls quick ones for ever."""
    arguments = [1] if name == "quick" else []

    async def main() -> None:
        inner = guests.inner.instantiate()

        def f() -> None:
            while True:
                inner.call(name, *arguments)

        task = asyncio.current_task()
        assert task is not None
        with guests.caller(f) as caller, inner, pytest.raises(asyncio.CancelledError), alarm(task.cancel):  # type: ignore[arg-type]
            await caller.call_async("go")

    asyncio.run(main())
