"""Guests that call other guests: the caller's time bounds both, and so does the callee's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from wippywasm import Limits
from wippywasm.engine.spans import new_span
from wippywasm.errors import CanceledError, PoisonedError, TimedOutError, Trap, UnsupportedFeatureError
from wippywasm.instance.foreign_calls import within_time_of

SHORT = Limits(max_execution_ms=400)
LONG = Limits(max_execution_ms=60_000)
LAST = """
(component
  (core module $m
    (func (export "spin") (param i32) (result i32)
      (loop $l (br_if $l (local.get 0)))
      (i32.const 7)))
  (core instance $i (instantiate $m))
  (func (export "spin") (param "for-ever" bool) (result u32) (canon lift (core func $i "spin"))))
"""
MIDDLE = """
(component
  (import "spin" (func $f (param "for-ever" bool) (result u32)))
  (core func $f (canon lower (func $f)))
  (core module $m
    (import "" "f" (func $f (param i32) (result i32)))
    (func (export "spin") (param i32) (result i32) (call $f (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func (export "spin") (param "for-ever" bool) (result u32) (canon lift (core func $i "spin"))))
"""


@pytest.fixture
def chain(load: Any) -> Iterator[Any]:
    """Makes guests that call one another, with these limits, the last one first; the first one is called."""
    with ExitStack() as stack:

        def make(*limits: Limits | None) -> Any:
            guest: Any = None
            for bounds in limits:
                imports = {} if guest is None else {"spin": guest.exports.spin}
                guest = load(LAST if guest is None else MIDDLE).instantiate(imports, limits=bounds)
                stack.callback(guest.close)
            return guest

        yield make


@pytest.mark.parametrize(
    "limits", [(LONG, SHORT), (SHORT, LONG), (LONG, LONG, SHORT), (SHORT, LONG, LONG), (SHORT, None, None)]
)
def test_the_least_of_all_budgets_holds(chain: Any, limits: tuple[Limits | None, ...]) -> None:
    guest = chain(*limits)
    assert [guest.call("spin", False) for _ in range(3)] == [7] * 3
    started = time.monotonic()
    with pytest.raises(TimedOutError, match="max_execution_ms = 400"):
        guest.call("spin", True)
    assert time.monotonic() - started < 30
    with pytest.raises(PoisonedError):
        guest.call("spin", False)


def test_a_callee_without_limits(chain: Any, engine: str) -> None:
    """On wasmer, guests that are made without limits can't be interrupted."""
    if engine == "wasmer":
        pytest.skip("on wasmer, guests that are made without limits can't be interrupted")
    guest = chain(None, None, SHORT)
    assert guest.call("spin", False) == 7
    with pytest.raises(TimedOutError, match="max_execution_ms = 400"):
        guest.call("spin", True)


def test_a_callee_without_limits_of_a_caller_with_some(chain: Any, engine: str) -> None:
    """It ends with the caller's time; where it can't be made to, it is not called at all."""
    guest = chain(None, SHORT)
    error, words = (
        (UnsupportedFeatureError, "made without limits") if engine == "wasmer" else (TimedOutError, "_ms = 400")
    )
    with pytest.raises(error, match=words):
        guest.call("spin", True)


@pytest.mark.parametrize("limits", [(None, SHORT), (LONG, SHORT)])
def test_the_caller_bounds_a_callee_where_tasks_run(chain: Any, limits: tuple[Limits | None, ...]) -> None:
    """Where guests have threads of their own, too."""

    async def use() -> None:
        guest = chain(*limits)
        assert await guest.call_async("spin", False) == 7
        with pytest.raises(TimedOutError, match="max_execution_ms = 400"):
            await guest.call_async("spin", True)
        await asyncio.sleep(0.05)

    asyncio.run(use())


async def _within(seconds: float, awaitable: Any) -> None:
    task = asyncio.ensure_future(awaitable)
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("limits", [(None, None), (None, None, None)])
def test_cancelling_the_caller_ends_the_callee(chain: Any, limits: tuple[None, ...]) -> None:
    async def use() -> None:
        guest = chain(*limits)
        assert await guest.call_async("spin", False) == 7
        started = time.monotonic()
        await _within(0.1, guest.call_async("spin", True))
        assert time.monotonic() - started < 30

    asyncio.run(use())


def test_a_task_has_its_budget(chain: Any) -> None:
    async def use() -> None:
        guest = chain(None, LONG, SHORT)
        assert await guest.call_async("spin", False) == 7
        with pytest.raises(TimedOutError, match="max_execution_ms = 400"):
            await guest.call_async("spin", True)

    asyncio.run(use())


OWNER = """
(component
  (core module $d (func (export "dtor") (param i32) (loop $l (br_if $l (local.get 0)))))
  (core instance $d (instantiate $d))
  (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
  (export $r "r" (type $r'))
  (core func $new (canon resource.new $r'))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (func $make (param "n" u32) (result (own $r)) (canon lift (core func $i "make")))
  (export "make" (func $make)))
"""
DROPPER = """
(component
  (import "owner" (instance $o
    (export "r" (type $r (sub resource)))
    (export "make" (func (param "n" u32) (result (own $r))))))
  (alias export $o "r" (type $r))
  (core func $make (canon lower (func $o "make")))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (param i32) (call $drop (call $make (local.get 0)))))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make)) (export "drop" (func $drop))))))
  (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))
"""


@pytest.mark.parametrize("limits", [(LONG, SHORT), (SHORT, LONG)])
def test_destructors_of_another_guest(load: Any, limits: tuple[Limits, Limits]) -> None:
    with load(OWNER).instantiate(limits=limits[0]) as owner:
        guest = load(DROPPER).instantiate({"owner": owner}, limits=limits[1])
        guest.call("run", 0)
        started = time.monotonic()
        with pytest.raises(TimedOutError, match="max_execution_ms = 400"):
            guest.call("run", 1)
        assert time.monotonic() - started < 30
        guest.close()


CALLING = """
(component
  (import "hook" (func $hook))
  (core func $hook (canon lower (func $hook)))
  (core module $m (import "" "hook" (func $hook))
    (func (export "spin") (param i32) (result i32) (call $hook) (i32.const 7)))
  (core instance $i (instantiate $m (with "" (instance (export "hook" (func $hook))))))
  (func (export "spin") (param "for-ever" bool) (result u32) (canon lift (core func $i "spin"))))
"""
"""Looks at its clock where it calls the host."""


def test_it_is_said_why_a_callee_is_not_entered(load: Any) -> None:
    def hook() -> None:
        with pytest.raises(Trap, match=r"^cannot enter component instance: what it has called calls it$"):
            caller.call("spin", False)
        raise ZeroDivisionError("in the host")

    last = load(CALLING).instantiate({"hook": hook})
    caller, other = (load(MIDDLE).instantiate({"spin": last.exports.spin}) for _ in range(2))
    with pytest.raises(ZeroDivisionError):
        caller.call("spin", False)
    cause = r"an earlier call ended it: ZeroDivisionError: in the host \(the guest that has 'spin'\)"
    with pytest.raises(Trap, match=rf"^cannot enter component instance: {cause}$") as caught:
        other.call("spin", False)
    assert caught.value.code == "cannot enter"
    for guest in (caller, other, last):
        guest.close()


async def test_a_callee_that_has_returned_is_not_ended_with_its_caller(load: Any) -> None:
    """The caller is ended just when the last guest returns, which does not look at its clock any more."""
    last = load(CALLING).instantiate({"hook": lambda: None})
    caller = load(MIDDLE).instantiate({"spin": last.exports.spin}, limits=SHORT)
    frame, store = caller._frame, caller._frame.timed_store
    span = new_span()
    store.start_clock(span)

    def end() -> None:
        span.end(CanceledError("the task is gone"))
        frame.interrupt(span.ended())

    within_time_of(frame, last._frame, end)()
    store.stop_clock(span)
    assert last.usable
    assert await last.call_async("spin", False) == 7
    assert not caller.usable
    last.close()
    caller.close()
