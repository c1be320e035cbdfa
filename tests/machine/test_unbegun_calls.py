"""A call that is ended before it has begun leaves its guest, and what it was given, as they were."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.instance.test_instance_failed_calls import TAKER, Things
from wippywasm import Limits
from wippywasm.engine.turns import Turns, crowd
from wippywasm.errors import TimedOutError

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


async def check_unchanged(guest: Any, things: Things, function: str, thing: Any, before: list[int]) -> None:
    """The guest can be called, and be given the thing; it has only what it had `before`."""
    assert guest.usable
    assert things.gone == []
    await guest.call_async(function, thing)
    guest.close()
    assert things.gone == [*before, thing.n]


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
    await check_unchanged(guest, things, "keep", thing, [3])


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
    guest = load(TAKER).instantiate({"thing": things.thing}, limits=limits)
    thing = things.make(4)
    with monkeypatch.context() as patched:
        patched.setattr(Turns, "start", start)
        patched.setattr(crowd, "waiting", 1)
        task = asyncio.ensure_future(guest.call_async("take", thing))
        await waits.wait()
        if limits is None:
            task.cancel()
        with pytest.raises(asyncio.CancelledError if limits is None else TimedOutError):
            await task
    await check_unchanged(guest, things, "take", thing, [])
