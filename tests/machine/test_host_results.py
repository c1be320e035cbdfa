"""What a host function has returned, where the guest is ended before its turn to go on comes: the guest owns it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.instance.test_instance_failed_calls import Things
from tests.machine.staging import Stage
from wippywasm import Limits
from wippywasm.engine.turns import Held, Turns, crowd
from wippywasm.errors import TimedOutError

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
