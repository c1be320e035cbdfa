"""What is lost with a task that is ended: it is dropped, once.

A guest in a thread has returned something: the event loop stands still meanwhile. Or a host function has, and the guest
has yet to wait for its turn.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from tests.instance.test_instance_failed_calls import Things
from wippywasm import Limits
from wippywasm.engine.turns import Held, Turns, crowd
from wippywasm.errors import ConflictError, TimedOutError, WitError
from wippywasm.instance import handover
from wippywasm.instance.budget import task_call
from wippywasm.instance.guest_thread import take_thread
from wippywasm.instance.handover import Handover

GIVER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "make" (func $make (param "n" u32) (result (own $thing))))
  (import "put" (func $put (param "x" (own $thing))))
  (import "try-put" (func $try-put (param "x" (own $thing)) (result (result))))
  (import "gone" (func $gone (param "n" u32)))
  (import "pause" (func $pause))
  (component $far
    (import "pause" (func $pause))
    (core func $pause (canon lower (func $pause)))
    (core module $m (import "" "pause" (func $pause)) (func (export "pause") (call $pause)))
    (core instance $i (instantiate $m (with "" (instance (export "pause" (func $pause))))))
    (func (export "pause") (canon lift (core func $i "pause"))))
  (instance $far (instantiate $far (with "pause" (func $pause))))
  (component $near
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $thing))))
    (import "put" (func $put (param "x" (own $thing))))
    (import "try-put" (func $try-put (param "x" (own $thing)) (result (result))))
    (import "gone" (func $gone (param "n" u32)))
    (import "pause" (func $pause))
    (core func $put (canon lower (func $put)))
    (core func $try-put (canon lower (func $try-put)))
    (core func $gone (canon lower (func $gone)))
    (core func $make (canon lower (func $make)))
    (core func $pause (canon lower (func $pause)))
    (core module $d
      (import "" "gone" (func $gone (param i32)))
      (func (export "drop") (param i32) (call $gone (local.get 0))))
    (core instance $d (instantiate $d (with "" (instance (export "gone" (func $gone))))))
    (type $item (resource (rep i32) (dtor (core func $d "drop"))))
    (core func $new (canon resource.new $item))
    (core module $m
      (import "" "make" (func $make (param i32) (result i32)))
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "put" (func $put (param i32)))
      (import "" "try-put" (func $try-put (param i32) (result i32)))
      (import "" "pause" (func $pause))
      (memory (export "memory") 1)
      (func (export "put") (call $pause) (call $put (call $make (i32.const 5))))
      (func (export "try-put") (call $pause) (drop (call $try-put (call $make (i32.const 5)))))
      (func (export "number") (result i32) (i32.const 3))
      (func (export "one") (result i32) (call $pause) (call $make (i32.const 5)))
      (func (export "own") (result i32) (call $pause) (call $new (i32.const 9)))
      (func (export "maybe") (param i32) (result i32) (call $pause)
        (i32.store8 (i32.const 16) (i32.eqz (local.get 0)))
        (i32.store (i32.const 20) (call $make (i32.const 6)))
        (i32.const 16))
      (func (export "many") (result i32) (call $pause)
        (i32.store8 (i32.const 16) (i32.const 0))
        (i32.store (i32.const 20) (i32.const 64))
        (i32.store (i32.const 24) (i32.const 3))
        (i32.store (i32.const 28) (call $new (i32.const 9)))
        (i32.store8 (i32.const 64) (i32.const 1))
        (i32.store (i32.const 68) (call $make (i32.const 5)))
        (i32.store8 (i32.const 80) (i32.const 1))
        (i32.store (i32.const 84) (call $make (i32.const 7)))
        (i32.const 16))
      (func (export "trap") (param i32) unreachable))
    (core instance $i (instantiate $m (with "" (instance
      (export "put" (func $put)) (export "try-put" (func $try-put))
      (export "make" (func $make)) (export "new" (func $new)) (export "pause" (func $pause))))))
    (alias core export $i "memory" (core memory $memory))
    (export $exported "item" (type $item))
    (func (export "put") (canon lift (core func $i "put")))
    (func (export "try-put") (canon lift (core func $i "try-put")))
    (func (export "number") (result u32) (canon lift (core func $i "number")))
    (func (export "one") (result (own $thing)) (canon lift (core func $i "one")))
    (func (export "own") (result (own $exported)) (canon lift (core func $i "own")))
    (func (export "maybe") (param "ok" bool) (result (result (own $thing) (error (own $thing))))
      (canon lift (core func $i "maybe") (memory $memory)))
    (func (export "many")
      (result (result (tuple (list (option (own $thing))) (own $exported)) (error (own $thing))))
      (canon lift (core func $i "many") (memory $memory)))
    (func (export "trap") (param "ok" bool) (result (result (own $thing) (error (own $thing))))
      (canon lift (core func $i "maybe") (memory $memory) (post-return (core func $i "trap")))))
  (instance $near (instantiate $near (with "thing" (type $thing)) (with "make" (func $make))
    (with "put" (func $put)) (with "try-put" (func $try-put)) (with "gone" (func $gone))
    (with "pause" (func $far "pause"))))
  (alias export $near "item" (type $item))
  (export $exported "item" (type $item))
  (export "put" (func $near "put"))
  (export "try-put" (func $near "try-put"))
  (export "number" (func $near "number"))
  (export "one" (func $near "one"))
  (export "own" (func $near "own") (func (result (own $exported))))
  (export "maybe" (func $near "maybe"))
  (export "many" (func $near "many")
    (func (result (result (tuple (list (option (own $thing))) (own $exported)) (error (own $thing))))))
  (export "trap" (func $near "trap")))
"""
"""Its calls lead through a component beside it, so that it is in a thread on wasmtime, too. Most of them pause."""

CALLS: dict[str, tuple[tuple[Any, ...], list[int]]] = {
    "alone": (("one",), [5]),
    "its own": (("own",), [9]),
    "ok": (("maybe", True), [6]),
    "err": (("maybe", False), [6]),
    "nested": (("many",), [5, 7, 9]),
}
"""By what the result is: a call, and what is in its result."""
calls = pytest.mark.parametrize(("call", "given"), CALLS.values(), ids=CALLS)


class Stage:
    """A guest that is going to return while the event loop stands still; `things` has what it gave that is gone."""

    def __init__(self, load: Any, has_guest: bool) -> None:
        self.paused = threading.Event()
        self.go_on = threading.Event()
        self.returned = threading.Event()
        self.things = Things(load, has_guest)
        self.told: list[dict[str, Any]] = []

    def make(self, put: Any = print, **limits: int) -> Any:
        hosts = {"gone": self.things.gone.append, "pause": self.pause, "put": put, "try-put": put}
        return self.things.linked(GIVER, **hosts).instantiate(limits=Limits(**limits))

    def pause(self) -> None:
        self.paused.set()
        assert self.go_on.wait(60)

    async def begin(self, call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task whose guest pauses."""
        self.go_on.clear()
        self.paused.clear()
        task = asyncio.create_task(call)
        while not self.paused.is_set():
            await asyncio.sleep(0)
        return task

    def end(self) -> None:
        """Let the guest return, and wait for that without an event loop."""
        self.returned.clear()
        self.go_on.set()
        assert self.returned.wait(60)

    async def lose(self, guest: Any, *call: Any) -> None:
        """A call whose task is cancelled when the guest has returned."""
        task = await self.begin(guest.call_async(*call))
        self.end()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def check_gone(self, *given: int) -> None:
        """Those are gone now, or when a guest in another thread has come to it; once each."""
        deadline = time.monotonic() + 10
        while len(self.things.gone) < len(given) and time.monotonic() < deadline:
            time.sleep(0.001)
        assert sorted(self.things.gone) == [*given]


@pytest.fixture(params=[True, False], ids=["guest's", "host's"])
def stage(load: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    give = Handover.give

    def observed(self: Handover[Any], thing: Any) -> bool:
        is_there = give(self, thing)
        made.returned.set()
        return is_there

    monkeypatch.setattr(handover._patience, "until", time.monotonic() + 3600)
    monkeypatch.setattr(Handover, "give", observed)

    async def begin() -> Stage:
        return Stage(load, request.param)  # in a coroutine, so that any thread may call the other guest

    made = asyncio.run(begin())
    yield made
    if made.things.owner is not None:
        made.things.owner.close()


@calls
async def test_a_task_that_is_cancelled_when_its_guest_has_returned(stage: Stage, call: Any, given: Any) -> None:
    with stage.make() as guest:
        await stage.lose(guest, *call)
        stage.check_gone(*given)
        assert await guest.call_async("number") == 3
    gc.collect()
    stage.check_gone(*given)


@calls
async def test_a_task_that_is_cancelled_when_it_is_about_to_go_on(stage: Stage, call: Any, given: Any) -> None:
    with stage.make() as guest:
        task = await stage.begin(guest.call_async(*call))
        stage.end()
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        stage.check_gone(*given)


async def test_a_task_that_is_cancelled_when_its_guest_has_trapped(stage: Stage) -> None:
    """What was on its way belongs to the guest."""
    guest = stage.make()
    await stage.lose(guest, "trap", True)
    stage.check_gone()
    guest.close()
    stage.check_gone(6)


async def test_a_task_that_is_cancelled_twice(stage: Stage) -> None:
    with stage.make() as guest:
        task = await stage.begin(guest.call_async("many"))
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        stage.end()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    stage.check_gone()


async def test_what_the_task_takes_is_its_own(stage: Stage) -> None:
    with stage.make() as guest:
        task = await stage.begin(guest.call_async("many"))
        stage.end()
        things, item = await task
        assert await guest.call_async("number") == 3
        stage.check_gone()
        for thing in (things[0], things[2], item):
            thing.close()
        stage.check_gone(5, 7, 9)


@pytest.mark.parametrize("ok", [True, False])
async def test_what_the_task_takes_of_a_result(stage: Stage, ok: bool) -> None:
    with stage.make() as guest:
        task = await stage.begin(guest.call_async("maybe", ok))
        stage.end()
        if ok:
            thing = await task
        else:
            with pytest.raises(WitError) as raised:
                await task
            thing = raised.value.payload
        stage.check_gone()
        thing.close()
        stage.check_gone(6)


async def test_calls_before_and_after_one_that_is_lost(stage: Stage) -> None:
    """Plain ones, too: each has what it was given."""
    with stage.make() as guest:
        stage.go_on.set()
        before = guest.call("one")
        await stage.lose(guest, "one")
        after = guest.call("one")
        stage.check_gone(5)
        before.close()
        after.close()
        stage.check_gone(5, 5, 5)
        await stage.lose(guest, "own")
        stage.check_gone(5, 5, 5, 9)


def test_an_event_loop_that_is_closed_when_the_guest_has_returned(stage: Stage) -> None:
    """The guest is forgotten with the task, which it knows."""
    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(abandoned(stage, ("one",)))
    stage.end()
    loop.close()
    stage.check_gone()
    left.clear()
    while not stage.things.gone:  # the suite's own time limit ends this where it is lost
        gc.collect()
    stage.check_gone(5)


@calls
def test_an_event_loop_that_is_closed_before_the_guest_returns(stage: Stage, call: Any, given: Any) -> None:
    """Nobody collects the task: the guest finds that nobody is there."""
    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(abandoned(stage, call))
    loop.close()
    stage.end()
    stage.check_gone(*given)
    left.clear()
    gc.collect()
    stage.check_gone(*given)


@calls
@pytest.mark.parametrize("is_back", [True, False], ids=["back", "not back"])
async def test_a_coroutine_that_is_closed(stage: Stage, call: Any, given: Any, is_back: bool) -> None:
    with stage.make() as guest:
        calling = guest.call_async(*call)
        calling.send(None)
        while not stage.paused.is_set():
            time.sleep(0.001)
        if is_back:
            stage.end()
        calling.close()
        if not is_back:
            stage.end()
        stage.check_gone(*(given if is_back else ()))


async def abandoned(stage: Stage, call: Any) -> list[Any]:
    """A guest that pauses in a call of a task which nobody is going to continue, and that task."""
    guest = stage.make()
    task = await stage.begin(guest.call_async(*call))
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    return [guest, task]


async def test_what_goes_wrong_when_a_result_is_dropped(load: Any, stage: Stage) -> None:
    """It is told to the event loop, the others are dropped all the same."""
    asyncio.get_running_loop().set_exception_handler(lambda _, what: stage.told.append(what))
    gone = stage.things.gone
    if stage.things.owner is not None:
        pytest.skip("a guest that traps tells nobody")

    def close(self: Any) -> None:
        gone.append(self.n)
        raise ZeroDivisionError(self.n)

    stage.things.thing.close = close
    with stage.make() as guest:
        await stage.lose(guest, "many")
        stage.check_gone(5, 7, 9)
        assert [str(what["exception"]) for what in stage.told] == ["5", "7"]
        assert "not dropped" in stage.told[0]["message"]


@pytest.mark.parametrize("call", [("one",), ("maybe", False)], ids=["ok", "err"])
async def test_a_guest_that_returns_in_time(stage: Stage, call: Any) -> None:
    """Its time is over when the event loop comes to look."""
    with stage.make(max_execution_ms=1000) as guest:
        begun = time.monotonic()
        task = await stage.begin(guest.call_async(*call))
        stage.end()
        time.sleep(max(0.0, begun + 1.1 - time.monotonic()))
        outcome = await asyncio.gather(task, return_exceptions=True)
        assert not isinstance(outcome[0], TimedOutError)
        stage.check_gone()
        assert await guest.call_async("number") == 3


@pytest.mark.parametrize("takes", [0.0, 0.2])
async def test_it_is_when_a_thread_has_returned_that_counts(takes: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when the event loop looks, which is later than allowed in both cases."""
    monkeypatch.setattr(handover._patience, "until", time.monotonic() + 3600)
    interrupted: list[BaseException] = []

    async def call() -> Any:
        return await thread.run(work, interrupted.append, (), task_call(100))

    def work() -> int:
        time.sleep(takes)
        return 7

    thread = take_thread()
    task = asyncio.create_task(call())
    asyncio.get_running_loop().call_soon(time.sleep, 0.3)
    if takes:
        with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
            await task
    else:
        assert await task == 7
    assert len(interrupted) == bool(takes)
    thread.release()


class Host:
    """Takes things; `held` has those that it has got."""

    def __init__(self) -> None:
        self.held: list[Any] = []

    async def put(self, thing: Any) -> None:
        self.held.append(thing)
        await asyncio.sleep(3600)

    async def __call__(self, thing: Any) -> None:
        await self.put(thing)

    def put_now(self, thing: Any) -> Any:
        """What it returns is a coroutine, too, but it has the thing already."""
        self.held.append(thing)
        return asyncio.sleep(3600)

    @property
    def partial(self) -> Any:
        return partial(Host.put, self)

    def check_held(self, stage: Stage) -> None:
        """The one thing is its own: nobody has closed it."""
        stage.check_gone()
        self.held.pop().close()
        stage.check_gone(5)


names = pytest.mark.parametrize("name", ["put", "try-put"])


@names
@pytest.mark.parametrize("put", [Host().put, Host(), Host().partial], ids=["method", "object", "partial"])
async def test_what_was_given_to_a_host_function_that_has_not_begun(stage: Stage, put: Any, name: str) -> None:
    """The guest is ending: it is its own again."""
    guest = stage.make(put)
    await stage.lose(guest, name)
    stage.check_gone()
    assert not guest.usable
    guest.close()
    stage.check_gone(5)
    gc.collect()
    stage.check_gone(5)


@names
async def test_what_was_given_to_a_host_function_that_has_begun(stage: Stage, name: str) -> None:
    host = Host()
    guest = stage.make(host.put)
    task = await stage.begin(guest.call_async(name))
    stage.end()
    while not host.held:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    guest.close()
    host.check_held(stage)


@names
async def test_what_was_given_to_a_plain_host_function_whose_awaitable_nobody_awaits(stage: Stage, name: str) -> None:
    host = Host()
    guest = stage.make(host.put_now)
    await stage.lose(guest, name)
    guest.close()
    host.check_held(stage)


@names
async def test_what_was_given_to_a_host_function_that_would_hold_the_event_loop(stage: Stage, name: str) -> None:
    host = Host()
    guest = stage.make(host.put)
    stage.go_on.set()
    with pytest.raises(ConflictError, match="has to wait"):
        guest.call(name)
    guest.close()
    stage.check_gone(5)
    assert not host.held


LENDER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "look" (func $look (param "x" (borrow $thing))))
  (core func $look (canon lower (func $look)))
  (core module $m (import "" "look" (func $look (param i32)))
    (func (export "run") (param i32) (call $look (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "look" (func $look))))))
  (func (export "run") (param "x" (borrow $thing)) (canon lift (core func $i "run"))))
"""


async def test_what_was_lent_to_a_host_function_whose_awaitable_nobody_awaits(load: Any) -> None:
    def look(thing: Any) -> Any:
        held.append(thing)
        return asyncio.sleep(3600)

    held: list[Any] = []
    things = Things(load, has_guest=True)
    guest = load(LENDER).instantiate({"thing": things.thing, "look": look})
    thing = things.make(5)
    with pytest.raises(ConflictError, match="has to wait"):
        guest.call("run", thing)
    assert held.pop().closed
    guest.close()
    thing.close()
    things.owner.close()


REEXPORT = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "get" (func $get (result (own $thing))))
  (import "put" (func $put (param "x" (own $thing))))
  (export $exported "thing" (type $thing))
  (export "get" (func $get) (func (result (own $exported))))
  (export "put" (func $put) (func (param "x" (own $exported)))))
"""


@pytest.mark.parametrize("is_taken", [True, False], ids=["taken", "lost"])
async def test_the_result_of_a_function_that_is_exported_as_it_is(stage: Stage, engine: str, is_taken: bool) -> None:
    def get() -> Any:
        stage.pause()
        return stage.things.make(5)

    if engine == "wasmtime":
        pytest.skip("the event loop's own thread makes such calls")
    guest = stage.things._load(REEXPORT).instantiate({"thing": stage.things.thing, "get": get, "put": print})
    if is_taken:
        task = await stage.begin(guest.call_async("get"))
        stage.end()
        thing = await task
        stage.check_gone()
        thing.close()
    else:
        await stage.lose(guest, "get")
    stage.check_gone(5)
    guest.close()
    stage.check_gone(5)


async def test_what_was_given_to_one_that_is_exported_as_it_is_and_has_not_begun(stage: Stage) -> None:
    host = Host()
    hosts = {"get": print, "put": host.put}
    guest = stage.things._load(REEXPORT).instantiate({"thing": stage.things.thing, **hosts})
    with pytest.raises(ConflictError, match="has to wait"):
        guest.call("put", stage.things.make(5))
    stage.check_gone(5)
    guest.close()
    stage.check_gone(5)
    assert not host.held


KEEPER = """
(component
  (import "thing" (type $thing (sub resource)))
  (component $far
    (core module $m (func (export "nop")))
    (core instance $i (instantiate $m))
    (func (export "nop") (canon lift (core func $i "nop"))))
  (instance $far (instantiate $far))
  (core func $nop (canon lower (func $far "nop")))
  (core module $m (import "" "nop" (func $nop)) (func (export "keep") (param i32) (call $nop)))
  (core instance $i (instantiate $m (with "" (instance (export "nop" (func $nop))))))
  (func (export "keep") (param "x" (own $thing)) (canon lift (core func $i "keep"))))
"""


SIMPLE_KEEPER = """
(component
  (import "thing" (type $thing (sub resource)))
  (core module $m (func (export "keep") (param i32)))
  (core instance $i (instantiate $m))
  (func (export "keep") (param "x" (own $thing)) (canon lift (core func $i "keep"))))
"""


@pytest.mark.parametrize("limits", [None, Limits(max_execution_ms=1000)])
async def test_a_call_that_has_not_begun_leaves_all_as_it_was(load: Any, engine: str, limits: Limits | None) -> None:
    """Its guest's thread does something else while the task is cancelled, or until its time is up."""
    things, free = Things(load, has_guest=False), threading.Event()
    guest = load(KEEPER).instantiate({"thing": things.thing}, limits=limits)
    await guest.call_async("keep", things.make(3))
    (guest._thread if engine == "wasmer" else guest._frame.thread).post(free.wait)
    thing = things.make(4)
    task = asyncio.ensure_future(guest.call_async("keep", thing))
    await asyncio.sleep(0.02)
    if limits is None:
        task.cancel()
    asyncio.get_running_loop().call_later(1.1, free.set)
    with pytest.raises(asyncio.CancelledError if limits is None else TimedOutError):
        await task
    assert guest.usable
    assert things.gone == []
    await guest.call_async("keep", thing)
    guest.close()
    assert things.gone == [3, 4]


@pytest.mark.parametrize("limits", [None, Limits(max_execution_ms=200)])
async def test_a_call_that_waits_for_its_first_turn_leaves_all_as_it_was(
    load: Any, engine: str, monkeypatch: pytest.MonkeyPatch, limits: Limits | None
) -> None:
    """As many other guests keep the event loop busy."""
    if engine == "wasmer":
        pytest.skip("threads have turns of their own")

    async def start(self: Turns) -> None:
        waits.set()
        await asyncio.sleep(3600)

    things, waits = Things(load, has_guest=False), asyncio.Event()
    guest = load(SIMPLE_KEEPER).instantiate({"thing": things.thing}, limits=limits)
    thing = things.make(4)
    with monkeypatch.context() as patched:
        patched.setattr(Turns, "start", start)
        patched.setattr(crowd, "waiting", 1)
        task = asyncio.ensure_future(guest.call_async("keep", thing))
        await waits.wait()
        if limits is None:
            task.cancel()
        with pytest.raises(asyncio.CancelledError if limits is None else TimedOutError):
            await task
    assert guest.usable
    assert things.gone == []
    await guest.call_async("keep", thing)
    guest.close()
    assert things.gone == [4]


TAKER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "one" (func $one (result (own $thing))))
  (import "two" (func $two (result (tuple (own $thing) (own $thing)))))
  (import "list" (func $list (result (list (own $thing)))))
  (import "on" (func $on))
  (component $far
    (import "on" (func $on))
    (core func $on (canon lower (func $on)))
    (core module $m (import "" "on" (func $on)) (func (export "on") (call $on)))
    (core instance $i (instantiate $m (with "" (instance (export "on" (func $on))))))
    (func (export "on") (canon lift (core func $i "on"))))
  (instance $far (instantiate $far (with "on" (func $on))))
  (alias export $far "on" (func $far-on))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $memory))
  (core func $one (canon lower (func $one)))
  (core func $two (canon lower (func $two) (memory $memory)))
  (core func $list (canon lower (func $list) (memory $memory) (realloc (core func $memory "realloc"))))
  (core func $on (canon lower (func $far-on)))
  (core module $m
    (import "" "one" (func $one (result i32)))
    (import "" "two" (func $two (param i32)))
    (import "" "list" (func $list (param i32)))
    (import "" "on" (func $on))
    (func (export "one") (drop (call $one)) (call $on))
    (func (export "two") (call $two (i32.const 16)) (call $on))
    (func (export "list") (call $list (i32.const 16)) (call $on)))
  (core instance $i (instantiate $m (with "" (instance
    (export "one" (func $one)) (export "two" (func $two)) (export "list" (func $list)) (export "on" (func $on))))))
  (func (export "one") (canon lift (core func $i "one")))
  (func (export "two") (canon lift (core func $i "two")))
  (func (export "list") (canon lift (core func $i "list"))))
"""
"""It calls host functions, and what tells that it goes on: another component."""
ALONE = TAKER.replace("(canon lower (func $far-on))", "(canon lower (func $on))")
"""The same within one component, so that it is on a fiber on wasmtime."""


class Giving:
    """Host functions that hold the event loop for a slice, before they return things: `has_given` then."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self.has_given = False
        self.went_on: list[None] = []

    def make(self, source: str, **limits: int) -> Any:
        hosts = {"one": self.one, "two": self.two, "list": self.list, "on": lambda: self.went_on.append(None)}
        return self.things._load(source).instantiate({"thing": self.things.thing, **hosts}, limits=Limits(**limits))

    async def _give(self, *numbers: int) -> Sequence[Any]:
        await asyncio.sleep(0)
        time.sleep(0.006)
        made = [self.things.make(n) for n in numbers]
        self.has_given = True
        return made

    async def one(self) -> Any:
        return (await self._give(5))[0]

    async def two(self) -> Any:
        return tuple(await self._give(5, 7))

    async def list(self) -> Any:
        return await self._give(5, 7)


@pytest.fixture
def giving(stage: Stage) -> Giving:
    return Giving(stage.things)


taken = pytest.mark.parametrize(("name", "given"), [("one", [5]), ("two", [5, 7]), ("list", [5, 7])])
takers = pytest.mark.parametrize("source", [ALONE, TAKER], ids=["alone", "through another"])


@takers
@taken
@pytest.mark.parametrize("waits", ["as it has held the loop", "as others do"])
async def test_what_a_host_function_returned_to_a_task_that_is_cancelled_before_its_turn(
    giving: Giving,
    stage: Stage,
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    name: str,
    given: Any,
    waits: str,
) -> None:
    """It is the guest's, which ends there."""
    if waits == "as others do":
        if engine == "wasmer" or source is TAKER:
            pytest.skip("threads have turns of their own")
        monkeypatch.setattr(crowd, "waiting", 1)
    turned: list[None] = []

    async def turn(self: Turns) -> None:
        if giving.has_given:
            turned.append(None)
            task.cancel()
            await asyncio.sleep(3600)

    monkeypatch.setattr(Held, "check", lambda _: waits != "as others do")
    monkeypatch.setattr(Turns, "rest", turn)
    monkeypatch.setattr(Turns, "start", turn)
    guest = giving.make(source)
    task = asyncio.create_task(guest.call_async(name))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert turned == [None]
    check_kept(guest, giving, stage, given)


@takers
@taken
async def test_what_a_host_function_returned_to_a_guest_whose_time_is_up_before_its_turn(
    giving: Giving, stage: Stage, monkeypatch: pytest.MonkeyPatch, source: str, name: str, given: Any
) -> None:
    async def turn(self: Turns) -> None:
        if giving.has_given:
            await asyncio.sleep(3600)

    monkeypatch.setattr(Held, "check", lambda _: True)
    monkeypatch.setattr(Turns, "rest", turn)
    while not giving.has_given:  # in time
        guest = giving.make(source, max_execution_ms=300)
        with pytest.raises(TimedOutError):
            await guest.call_async(name)
    check_kept(guest, giving, stage, given)


def check_kept(guest: Any, giving: Giving, stage: Stage, given: list[int]) -> None:
    assert not giving.went_on
    assert not guest.usable
    stage.check_gone()
    guest.close()
    stage.check_gone(*given)
    gc.collect()
    stage.check_gone(*given)
