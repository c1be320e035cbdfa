"""A guest in a thread that returns while the event loop stands still.

In: what makes guests. Out: a `Stage`, which the fixture `stage` gives, and calls of its guest with what is in their
results.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.instance.test_instance_failed_calls import Things
from wippywasm import Limits
from wippywasm.errors import ConflictError
from wippywasm.instance import handover
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


def close_when_free(guest: Any) -> None:
    """Close it; a destructor may still be about to return in another thread."""
    deadline = time.monotonic() + 10
    while not guest.closed and time.monotonic() < deadline:
        time.sleep(0.001)
        with suppress(ConflictError):
            guest.close()


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
        close_when_free(made.things.owner)
