"""A guest calls another one, which refuses: what the one gave is its own again, and gone once, when it is closed."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.instance.test_instance_failed_calls import Things
from tests.machine.staging import close_when_free
from wippywasm.errors import ConflictError, ThreadError, Trap, UnavailableError, WippyError
from wippywasm.instance.errands import Errand

TAKER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "hook" (func $hook))
  (core func $hook (canon lower (func $hook)))
  (core module $m (import "" "hook" (func $hook)) (func (export "put") (param i32) (call $hook)))
  (core instance $i (instantiate $m (with "" (instance (export "hook" (func $hook))))))
  (func (export "put") (param "x" (own $thing)) (canon lift (core func $i "put"))))
"""
GIVER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "make" (func $make (param "n" u32) (result (own $thing))))
  (import "put" (func $put (param "x" (own $thing))))
  (core func $make (canon lower (func $make)))
  (core func $put (canon lower (func $put)))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "put" (func $put (param i32)))
    (func (export "give") (param i32) (call $put (call $make (local.get 0)))))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make)) (export "put" (func $put))))))
  (func (export "give") (param "n" u32) (canon lift (core func $i "give"))))
"""


def _until(holds: Callable[[], bool]) -> None:
    """What a guest in another thread does, it has done soon."""
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.001)


class Stage:
    """A guest that gives things to another, where `hook` is called; on wasmer, each has a thread of its own."""

    def __init__(self, load: Any, has_guest: bool) -> None:
        self.things = Things(load, has_guest)
        self.hook: Callable[[], Any] = lambda: None
        self.taker = load(TAKER).instantiate({"thing": self.things.thing, "hook": lambda: self.hook()})
        self.giver = self.new_giver()

    def new_giver(self) -> Any:
        return self.things.linked(GIVER, put=self.taker.exports.put).instantiate()

    async def refuses(self, by_task: bool, words: str, *errors: type[WippyError]) -> None:
        """The thing that is given is its giver's again, though it may be on the guest that refuses it to say so."""
        with pytest.raises(errors, match=words) as caught:
            await give(self.giver, by_task)
        assert type(caught.value) in errors
        assert self.things.gone == []
        del caught
        gc.collect()
        assert self.things.gone == []
        self.giver.close()
        _until(lambda: self.things.gone != [])
        assert self.things.gone == [5]

    def end(self, *others: int) -> None:
        """These are gone with the guest that has taken them."""
        self.taker.close()
        _until(lambda: len(self.things.gone) > len(others))
        if self.things.owner is not None:
            close_when_free(self.things.owner)
        gc.collect()
        assert self.things.gone == [5, *others]


async def give(guest: Any, by_task: bool, n: int = 5) -> None:
    if by_task:
        await guest.call_async("give", n)
    else:
        guest.call("give", n)


@pytest.fixture(params=[True, False], ids=["guest's", "host's"])
def begin(load: Any, request: pytest.FixtureRequest) -> Callable[[], Stage]:
    return lambda: Stage(load, request.param)  # in a coroutine, so that each has a thread


ways = pytest.mark.parametrize("by_task", [False, True], ids=["plain", "task"])


@ways
async def test_by_one_that_is_closed(begin: Any, by_task: bool) -> None:
    stage = begin()
    stage.taker.close()
    await stage.refuses(by_task, "^the guest is closed", UnavailableError)
    stage.end()


@ways
async def test_by_one_that_is_closed_after_a_call(begin: Any, by_task: bool) -> None:
    stage = begin()
    await give(stage.giver, by_task, 3)
    stage.taker.close()
    _until(lambda: stage.things.gone == [3])
    stage.things.gone.clear()
    await stage.refuses(by_task, "^the guest is closed", UnavailableError)
    stage.end()


@ways
async def test_by_one_that_an_earlier_call_ended(begin: Any, by_task: bool) -> None:
    def hook() -> None:
        raise ZeroDivisionError

    stage = begin()
    stage.hook = hook
    with pytest.raises(ZeroDivisionError):
        stage.taker.call("put", stage.things.make(7))
    cause = r"ZeroDivisionError \(the guest that has 'put'\)"
    await stage.refuses(by_task, f"^cannot enter component instance: an earlier call ended it: {cause}$", Trap)
    stage.end(7)


@ways
async def test_by_one_that_another_thread_is_in(begin: Any, by_task: bool) -> None:
    def hook() -> None:
        paused.set()
        assert go_on.wait(60)

    stage, paused, go_on = begin(), threading.Event(), threading.Event()
    stage.hook = hook
    other = threading.Thread(target=stage.taker.call, args=("put", stage.things.make(7)))
    other.start()
    assert paused.wait(60)
    await stage.refuses(by_task, "another thread or task is in the guest", ThreadError)
    go_on.set()
    other.join()
    stage.end(7)


@ways
async def test_by_one_that_a_task_is_in(begin: Any, by_task: bool) -> None:
    async def hook() -> None:
        paused.set()
        await go_on.wait()

    stage, paused, go_on = begin(), asyncio.Event(), asyncio.Event()
    stage.hook = hook
    other = asyncio.create_task(stage.taker.call_async("put", stage.things.make(7)))
    await paused.wait()
    await stage.refuses(by_task, "a call into the guest is waiting", ConflictError)
    go_on.set()
    await other
    stage.end(7)


@ways
async def test_by_one_that_waits_for_the_caller(begin: Any, by_task: bool) -> None:
    """Since a host function of it has called that."""

    def hook() -> None:
        with pytest.raises(Trap, match="what it has called calls it"):
            stage.giver.call("give", 5)

    stage = begin()
    stage.hook = hook
    other = stage.new_giver()
    await give(other, by_task, 7)
    assert stage.things.gone == []
    stage.giver.close()
    _until(lambda: stage.things.gone != [])
    other.close()
    stage.end(7)


async def test_by_one_whose_thread_was_not_free(begin: Any, engine: str) -> None:
    """The task is cancelled while its guest waits in line."""
    if engine != "wasmer":
        pytest.skip("only guests that have threads of their own are waited for")
    stage, is_free = begin(), threading.Event()
    stage.taker._thread.post(is_free.wait)
    task = asyncio.create_task(give(stage.giver, True))
    while not stage.taker._thread._callers:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.things.gone == []
    stage.giver.close()
    _until(lambda: stage.things.gone != [])
    is_free.set()
    assert stage.taker.usable
    stage.end()


PASSER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "put" (func $put (param "x" (own $thing))))
  (export "put" (func $put)))
"""


@ways
async def test_by_one_whose_function_a_third_passes_on(begin: Any, by_task: bool) -> None:
    stage = begin()
    passer = stage.things._load(PASSER).instantiate({"thing": stage.things.thing, "put": stage.taker.exports.put})
    stage.giver = stage.things.linked(GIVER, put=passer.exports.put).instantiate()
    stage.taker.close()
    await stage.refuses(by_task, "^the guest is closed", UnavailableError)
    passer.close()
    stage.end()


# ---- and one that the caller does not wait for any more


MAKER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "make" (func $make (param "n" u32) (result (own $thing))))
  (import "hook" (func $hook))
  (core func $make (canon lower (func $make)))
  (core func $hook (canon lower (func $hook)))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "hook" (func $hook))
    (memory (export "memory") 1)
    (func (export "get") (param i32) (result i32)
      (call $hook)
      (i32.store (i32.const 16) (i32.const 32))
      (i32.store (i32.const 20) (i32.const 1))
      (i32.store8 (i32.const 32) (i32.const 1))
      (i32.store8 (i32.const 36) (i32.const 1))
      (i32.store (i32.const 40) (call $make (local.get 0)))
      (i32.const 16)))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make)) (export "hook" (func $hook))))))
  (func (export "get") (param "n" u32) (result (list (option (result (own $thing) (error (own $thing))))))
    (canon lift (core func $i "get") (memory (core memory $i "memory")))))
"""
GETTER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "get" (func $get (param "n" u32) (result (list (option (result (own $thing) (error (own $thing))))))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $memory (instantiate $memory))
  (core func $get (canon lower (func $get)
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $m
    (import "" "get" (func $get (param i32 i32)))
    (func (export "give") (param i32) (call $get (local.get 0) (i32.const 64))))
  (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
  (func (export "give") (param "n" u32) (canon lift (core func $i "give"))))
"""


class Interrupt:
    """Ctrl-C where a guest waits for another, when the thread of that has come as far as `hook`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
        if engine != "wasmer":
            pytest.skip("only guests that have threads of their own are waited for")
        self._comes, self.go_on = threading.Event(), threading.Event()
        self._awaits: Any = None
        awaited = Errand._awaited

        def interrupted(errand: Errand) -> Any:
            if not self._awaits or threading.get_ident() not in self._awaits._callers:
                return awaited(errand)
            assert self._comes.wait(60)
            self._awaits = None
            raise KeyboardInterrupt

        monkeypatch.setattr(Errand, "_awaited", interrupted)

    def hook(self) -> None:
        self._comes.set()
        assert self.go_on.wait(60)

    def press(self, guest: Any, other: Any) -> None:
        self._awaits = other._thread
        with pytest.raises(KeyboardInterrupt):
            guest.call("give", 5)


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch, engine: str) -> Interrupt:
    return Interrupt(monkeypatch, engine)


async def test_one_that_has_not_begun(begin: Any, ctrl_c: Interrupt) -> None:
    stage = begin()
    stage.taker._thread.post(ctrl_c.hook)
    ctrl_c.press(stage.giver, stage.taker)
    ctrl_c.go_on.set()
    assert stage.taker.usable
    assert stage.things.gone == []
    stage.giver.close()
    _until(lambda: stage.things.gone != [])
    stage.end()


async def test_one_that_has_taken_it(begin: Any, ctrl_c: Interrupt) -> None:
    stage = begin()
    stage.hook = ctrl_c.hook
    ctrl_c.press(stage.giver, stage.taker)
    stage.giver.close()
    await asyncio.sleep(0.01)
    assert stage.things.gone == []
    ctrl_c.go_on.set()
    stage.taker._thread.do(lambda: None)
    assert stage.taker.usable
    stage.end()


async def test_one_that_returns(begin: Any, ctrl_c: Interrupt) -> None:
    """What it gives is dropped, with nobody to have it."""
    things = begin().things
    maker = things.linked(MAKER, hook=ctrl_c.hook).instantiate()
    getter = things.linked(GETTER, get=maker.exports.get).instantiate()
    ctrl_c.press(getter, maker)
    assert things.gone == []
    ctrl_c.go_on.set()
    _until(lambda: things.gone != [])
    assert things.gone == [5]
    assert maker.usable
    for guest in (getter, maker, things.owner):
        if guest is not None:
            close_when_free(guest)
    assert things.gone == [5]
