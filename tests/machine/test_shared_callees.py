"""Guests that call the same third guest: what ends one's call leaves the other's, and the third guest, as they are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.machine.test_foreign_calls import CALLING, LONG, MIDDLE
from wippywasm import Limits
from wippywasm.calling import Call
from wippywasm.engine.spans import Span, new_span
from wippywasm.errors import CanceledError, PoisonedError, TimedOutError, Trap, WippyError
from wippywasm.instance import errands
from wippywasm.instance.foreign_calls import within_time_of


def _end_in(caller: Any, callee: Any) -> None:
    """A call of `caller` comes as far as into `callee`, and is ended there."""
    frame, store = caller._frame, caller._frame.timed_store

    def end() -> None:
        error = CanceledError("nobody waits for it")
        call.end(error)
        frame.interrupt(error)

    with Call(None) as call:
        span = new_span()
        store.start_clock(span)
        within_time_of(frame, callee._frame, end)()
        store.stop_clock(span)


@pytest.mark.parametrize("limits", [None, LONG])
async def test_a_call_ends_while_another_is_in_the_callee(load: Any, limits: Limits | None) -> None:
    def hook() -> None:
        thread = threading.Thread(target=_end_in, args=(ended, callee))
        thread.start()
        thread.join()

    callee = load(CALLING).instantiate({"hook": hook}, limits=limits)
    ended, other = (load(MIDDLE).instantiate({"spin": callee.exports.spin}, limits=limits) for _ in range(2))
    assert await other.call_async("spin", False) == 7
    assert not ended.usable
    assert callee.usable
    assert await other.call_async("spin", False) == 7


class Line:
    """Two callers whose calls wait in the thread of the guest that they share, which is not free yet."""

    def __init__(self, load: Any, limits: Limits | None = None) -> None:
        self.callee = load(CALLING).instantiate({"hook": lambda: None})
        link = load(MIDDLE).link({"spin": self.callee.exports.spin})
        self.callers = [link.instantiate(limits=limits), link.instantiate()]
        self._is_free = threading.Event()
        self.callee._thread.post(self._is_free.wait)

    async def tasks(self, first: int) -> list[asyncio.Task[Any]]:
        tasks: dict[int, asyncio.Task[Any]] = {}
        for count, index in enumerate((first, 1 - first), 1):
            tasks[index] = asyncio.ensure_future(self.callers[index].call_async("spin", False))
            while len(self.callee._thread._callers) < count:
                await asyncio.sleep(0.001)
        return [tasks[0], tasks[1]]

    async def check(self, ended: asyncio.Task[Any], other: asyncio.Task[Any]) -> None:
        """The one is ended while it waits, the other goes on."""
        await asyncio.wait([ended], timeout=30)
        has_ended = ended.done()
        self._is_free.set()
        assert await other == 7
        assert has_ended
        assert self.callee.usable
        assert await self.callers[1].call_async("spin", False) == 7


@pytest.fixture
def line(load: Any, engine: str) -> Callable[..., Line]:
    if engine != "wasmer":
        pytest.skip("only guests that have threads of their own are waited for")
    return lambda limits=None: Line(load, limits)


@pytest.mark.parametrize("first", [0, 1])
async def test_a_task_is_cancelled_while_its_guest_waits_for_the_callee(line: Any, first: int) -> None:
    stage = line()
    ended, other = await stage.tasks(first)
    ended.cancel()
    await stage.check(ended, other)
    with pytest.raises(asyncio.CancelledError):
        await ended


@pytest.mark.parametrize("first", [0, 1])
async def test_a_call_is_out_of_time_while_its_guest_waits_for_the_callee(line: Any, first: int) -> None:
    stage = line(Limits(max_execution_ms=1000))
    ended, other = await stage.tasks(first)
    await stage.check(ended, other)
    with pytest.raises(TimedOutError, match="max_execution_ms = 1000"):
        await ended


class Behind:
    """A direct call in the guest's thread, which pauses, and behind that a call by a task's guest, which will end."""

    def __init__(self, load: Any, limits: Limits | None) -> None:
        self.results: list[Any] = []
        self._is_free, self._paused, self.go_on = threading.Event(), threading.Event(), threading.Event()
        self.callee = load(CALLING).instantiate({"hook": self._hook})
        self.caller = load(MIDDLE).instantiate({"spin": self.callee.exports.spin}, limits=limits)
        self.callee._thread.post(self._is_free.wait)
        self.direct = threading.Thread(target=self._call)

    def _hook(self) -> None:
        self._paused.set()
        assert self.go_on.wait(60)

    def _call(self) -> None:
        try:
            self.results.append(self.callee.call("spin", False))
        except WippyError as error:
            self.results.append(error)

    async def begin(self) -> asyncio.Task[Any]:
        """The task, where both have begun."""
        self.direct.start()
        await self._queued(1)
        task: asyncio.Task[Any] = asyncio.ensure_future(self.caller.call_async("spin", False))
        await self._queued(2)
        self._is_free.set()
        assert self._paused.wait(60)
        return task

    async def _queued(self, count: int) -> None:
        while len(self.callee._thread._callers) < count:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("limits", [None, Limits(max_execution_ms=500)])
async def test_a_direct_call_does_not_end_with_the_one_behind_it(
    load: Any, engine: str, monkeypatch: pytest.MonkeyPatch, limits: Limits | None
) -> None:
    if engine != "wasmer":
        pytest.skip("only guests that have threads of their own are waited for")
    monkeypatch.setattr(errands, "LOOK_SECONDS", 3600)  # else the one behind it is gone soon
    stage = Behind(load, limits)
    task = await stage.begin()
    if limits is None:
        task.cancel()
    while stage.caller.usable:
        await asyncio.sleep(0.001)
    stage.go_on.set()
    stage.direct.join()
    assert stage.results == [7]
    with pytest.raises(asyncio.CancelledError if limits is None else TimedOutError):
        await task
    assert stage.callee.usable
    assert stage.callee.call("spin", False) == 7


def test_a_call_that_is_refused_has_no_time_in_the_callee(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else the one that is in there might end with it."""

    def hook() -> None:
        with pytest.raises(Trap, match="what it has called calls it"):
            caller.call("spin", False)

    calls: list[str] = []
    callee = load(CALLING).instantiate({"hook": hook}, limits=LONG)
    caller = load(MIDDLE).instantiate({"spin": callee.exports.spin}, limits=LONG)
    store = callee._frame.timed_store
    started = type(store).start_clock

    def start_clock(self: Any, span: Span) -> None:
        if self is store:
            calls.append("started")
        started(self, span)

    monkeypatch.setattr(type(store), "start_clock", start_clock)
    assert callee.call("spin", False) == 7
    assert calls == ["started"]
    for guest in (caller, callee):
        guest.close()


class Waits:
    """A callee whose host function waits, and a guest that calls it."""

    def __init__(self, load: Any, limits: Limits | None = None, callers_limits: Limits | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.callee = load(CALLING).instantiate({"hook": self.hook}, limits=limits)
        self.caller = load(MIDDLE).instantiate({"spin": self.callee.exports.spin}, limits=callers_limits)
        self.begun = threading.Event()
        self.was_cancelled = False

    async def hook(self) -> None:
        assert asyncio.get_running_loop() is self.loop
        self.begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


async def test_a_task_is_cancelled_while_the_callee_waits(load: Any) -> None:
    stage = Waits(load)
    task = asyncio.ensure_future(stage.caller.call_async("spin", False))
    while not stage.begun.is_set() and not task.done():
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.was_cancelled
    with pytest.raises(PoisonedError, match="the task that called the guest was ended: CancelledError"):
        await stage.callee.call_async("spin", False)


@pytest.mark.parametrize("callers_limits", [None, LONG])
async def test_the_callee_has_its_own_time_for_waiting(load: Any, callers_limits: Limits | None) -> None:
    stage = Waits(load, Limits(max_execution_ms=300), callers_limits)
    with pytest.raises(TimedOutError, match="max_execution_ms = 300"):
        await stage.caller.call_async("spin", False)
    assert stage.was_cancelled or not stage.begun.is_set()
