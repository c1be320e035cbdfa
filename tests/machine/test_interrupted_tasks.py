"""Ctrl-C wherever it may come while a task calls a guest: that can be closed, and called where it goes on.

On Python 3.10 it ends the event loop, and may do so again while `asyncio.run` cancels what is left.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Generator
from typing import Any

import pytest

from tests.interrupts import is_interrupted
from wippywasm.errors import PoisonedError
from wippywasm.instance.handover import Handover

WAITS = """(component
  (import "pause" (func $pause (param "n" u32) (result u32)))
  (core func $pause (canon lower (func $pause)))
  (core module $m (import "" "pause" (func $pause (param i32) (result i32)))
    (func (export "f") (param i32) (result i32) (call $pause (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "pause" (func $pause))))))
  (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))"""


class Pause:
    """Lets the event loop go on once, and gives the number."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __await__(self) -> Generator[None, None, int]:
        yield
        return self.n


def pause(n: int) -> Pause:
    return Pause(n)


async def cancel_all() -> None:
    """As `asyncio.run` does in the end."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_call(load: Any) -> None:
    component = load(WAITS)
    n, is_there = 0, True
    while is_there:
        n += 1
        loop = asyncio.new_event_loop()

        async def make() -> Any:
            guest = component.instantiate({"pause": pause})
            assert await guest.call_async("f", 1) == 1
            return guest

        guest = loop.run_until_complete(make())
        is_there = is_interrupted(n, lambda: loop.run_until_complete(guest.call_async("f", 2)))  # noqa: B023
        loop.run_until_complete(cancel_all())
        if guest.usable:
            assert loop.run_until_complete(guest.call_async("f", 3)) == 3
        loop.close()
        guest.close()
        assert guest.closed
    assert n > 20
    gc.collect()  # what was not awaited


def test_a_call_whose_event_loop_is_closed(load: Any, engine: str) -> None:
    if engine == "wasmtime":
        pytest.skip("there the call is the coroutine's, which the collector ends")
    loop = asyncio.new_event_loop()
    reached = asyncio.Event()

    async def pause(n: int) -> int:
        reached.set()
        await asyncio.Event().wait()
        return n

    async def call() -> Any:
        guest = load(WAITS).instantiate({"pause": pause})
        calling = asyncio.ensure_future(guest.call_async("f", 1))
        await reached.wait()
        return guest, calling

    guest, calling = loop.run_until_complete(call())
    loop.close()
    with pytest.raises(PoisonedError, match="the event loop of the call is closed"):
        guest.call("f", 2)
    guest.close()
    assert guest.closed
    assert not calling.done()
    calling._log_destroy_pending = False


async def test_what_is_given_while_ctrl_c_comes() -> None:
    """It is taken, or still there."""
    n, is_there = 0, True
    while is_there:
        n += 1
        given: Handover[int] = Handover(asyncio.get_running_loop())
        given.give(7)
        taken: list[int] = []

        def take() -> None:
            try:
                given.take().send(None)  # noqa: B023
            except StopIteration as done:
                taken.append(done.value)  # noqa: B023

        is_there = is_interrupted(n, take)
        assert [*taken, *given.withdraw()] == [7]
    assert n > 1
