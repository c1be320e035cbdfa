"""Guests that take long where they can't be suspended: in an allocation for the host, or a destructor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.rounds import Rounds
from wippywasm import Limits
from wippywasm.errors import PoisonedError, TimedOutError, Trap

GUEST = """(module (import "t:h/c" "text" (func $text (param i32 i32))) (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local i32)
    (loop $l (local.set 4 (i32.add (local.get 4) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get 4) (i32.const {turns}))))
    (i32.const 128))
  (func (export "run") (param i32) (result i32)
    (loop $l (call $text (local.get 0) (i32.const 64)) (br $l)) (i32.load (i32.const 68))))"""
COUNTED = "(br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 12)))"
OFTEN = GUEST.replace("(br $l)", COUNTED).replace("(loop $l (call", "(local i32) (loop $l (call")
"""Its `run` calls the host twelve times."""
WIT = """package t:x; world w { import t:h/c; export run: func(a: u32) -> u32; }
package t:h { interface c { text: func(a: u32) -> string; } }"""
SPINNING_END = """(component
  (core module $m (func (export "end") (param i32) (loop $l (br $l))))
  (core instance $i (instantiate $m))
  (type $r (resource (rep i32) (dtor (core func $i "end"))))
  (core func $new (canon resource.new $r))
  (core func $drop (canon resource.drop $r))
  (core module $n (import "a" "new" (func $new (param i32) (result i32))) (import "a" "drop" (func $drop (param i32)))
    (func (export "make") (result i32) (call $new (i32.const 7)))
    (func (export "drop") (call $drop (call $new (i32.const 7)))))
  (core instance $j (instantiate $n (with "a" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (export $thing "thing" (type $r))
  (func (export "make") (result (own $thing)) (canon lift (core func $j "make")))
  (func (export "drop") (canon lift (core func $j "drop"))))"""


class Caller:
    """A host function that is an object."""

    def __init__(self, function: Callable[[int], str]) -> None:
        self._function = function

    def __call__(self, size: int) -> str:
        return self._function(size)


def plain(size: int) -> str:
    return "x" * size


async def waiting(size: int) -> str:
    await asyncio.sleep(0)
    return "x" * size


async def test_an_endless_allocation_holds_the_loop_for_some_slices_of_a_call_only(load: Any, engine: str) -> None:
    host = plain
    if engine != "wasmtime":
        pytest.skip("guests have a thread on wasmer")
    guest = load(GUEST.format(turns=-1), wit=WIT).instantiate({"t:h/c": {"text": host}})
    with pytest.raises(TimedOutError, match="can't be suspended") as caught:
        await guest.call_async("run", 5)
    assert caught.value.details["budget"] == "slices"
    assert not guest.usable


async def test_a_guest_that_calls_the_host_often_is_not_slow(load: Any) -> None:
    """Most slices end while a host function runs, and are noticed in the allocation for its result."""
    counted = OFTEN.replace("(i32.const 12)", "(local.get 0)").replace(
        "(call $text (local.get 0)", "(call $text (i32.const 5)"
    )
    component = load(counted.format(turns=1), wit=WIT)
    for host in (plain, waiting):
        guest = await component.link({"t:h/c": {"text": host}}).instantiate_async()
        assert await guest.call_async("run", 400_000 if host is plain else 1_000) == 5
        guest.close()


def many(engine: str) -> int:
    """Turns of a loop for longer than a slice; each takes ten times as long on wasmer."""
    return 60_000_000 if engine == "wasmtime" else 6_000_000


@pytest.mark.parametrize("kind", ["plain", "result", "object"])
async def test_slow_allocations_are_suspended_after_the_first(load: Any, engine: str, kind: str) -> None:
    """They would use up the slices of a call together; the guest goes on, and so does the loop."""

    def text(size: int) -> str:
        calls.append(rounds.count)
        return "x" * size

    calls: list[int] = []
    rounds = Rounds()
    host = {"plain": text, "result": partial(text), "object": Caller(text)}[kind]
    guest = await load(OFTEN.format(turns=many(engine)), wit=WIT).link({"t:h/c": {"text": host}}).instantiate_async()
    assert await guest.call_async("run", 5) == 5
    assert len(calls) == 12
    if engine == "wasmtime":
        assert calls[-1] > calls[1] + 2
    rounds.end()
    guest.close()


async def test_allocations_for_what_a_guest_waited_for_are_suspended(load: Any, engine: str) -> None:
    """Long ones, of which a host's call makes one each: the guest goes on after all."""

    async def text(size: int) -> str:
        calls.append(size)
        await asyncio.sleep(0)
        return "x" * size

    calls: list[int] = []
    rounds = Rounds()
    text_once = GUEST.format(turns=5 * many(engine)).replace("(br $l)) (i32.load", ") (i32.load")
    guest = await load(text_once, wit=WIT).link({"t:h/c": {"text": text}}).instantiate_async()
    before = rounds.count
    assert await guest.call_async("run", 5) == 5
    assert calls == [5]
    if engine == "wasmtime":
        assert rounds.count > before + 2
    assert await guest.call_async("run", 7) == 7
    rounds.end()
    guest.close()


async def test_an_allocation_that_traps_while_the_guest_waits(load: Any) -> None:
    text = GUEST.format(turns=1).replace("(i32.const 128))", "unreachable)")
    guest = await load(text, wit=WIT).link({"t:h/c": {"text": waiting}}).instantiate_async()
    with pytest.raises(Trap) as caught:
        await guest.call_async("run", 5)
    assert caught.value.code == "unreachable"
    assert not guest.usable
    guest.close()


@pytest.mark.parametrize("host", [plain, waiting])
async def test_a_cancellation_comes_before_the_end_of_an_endless_allocation(load: Any, host: Any) -> None:
    component = load(GUEST.format(turns=-1), wit=WIT)
    guest = await component.link({"t:h/c": {"text": host}}).instantiate_async()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(guest.call_async("run", 5), 0.05)
    guest.close()


async def test_a_destructor_holds_an_event_loop_for_a_while_only(load: Any, engine: str) -> None:
    guest = await load(SPINNING_END).link().instantiate_async()
    thing = await guest.call_async("make")
    if engine == "wasmer":
        thing.close()  # which runs it in the guest's thread
    else:
        with pytest.raises(TimedOutError, match="a destructor took longer than the 1000 ms"):
            thing.close()
    with pytest.raises(PoisonedError, match="a destructor took longer"):
        await guest.call_async("make")
    guest.close()


async def test_a_destructor_that_the_collector_has_run(load: Any) -> None:
    guest = await load(SPINNING_END).link().instantiate_async()
    await guest.call_async("make")  # which nobody keeps
    with pytest.raises(PoisonedError, match="a destructor took longer"):
        await guest.call_async("make")
    guest.close()


async def test_a_destructor_that_a_guest_runs_by_itself(load: Any, engine: str) -> None:
    guest = await load(SPINNING_END).link().instantiate_async()
    if engine == "wasmtime":
        with pytest.raises(TimedOutError, match="can't be suspended"):
            await guest.call_async("drop")
    else:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(guest.call_async("drop"), 0.1)
    guest.close()


async def test_a_poisoned_guest_names_the_timeout_not_the_cancellation(load: Any) -> None:
    async def text(size: int) -> str:
        await asyncio.sleep(60)
        return ""

    component = load(GUEST.format(turns=1), wit=WIT)
    guest = await component.link({"t:h/c": {"text": text}}).instantiate_async(limits=Limits(max_execution_ms=50))
    with pytest.raises(TimedOutError, match="max_execution_ms = 50"):
        await guest.call_async("run", 5)
    with pytest.raises(PoisonedError, match="ended it: TimedOutError: the call took longer"):
        await guest.call_async("run", 5)
    guest.close()


async def test_a_host_that_raises_in_its_cancellation_leaves_the_timeout(load: Any) -> None:
    async def text(size: int) -> str:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("torn down badly")

    component = load(GUEST.format(turns=1), wit=WIT)
    guest = await component.link({"t:h/c": {"text": text}}).instantiate_async(limits=Limits(max_execution_ms=50))
    with pytest.raises(TimedOutError, match="max_execution_ms = 50") as caught:
        await guest.call_async("run", 5)
    assert isinstance(caught.value.__cause__, ValueError)
    guest.close()


@pytest.mark.parametrize("by_task", [False, True])
def test_a_start_that_takes_too_long_is_no_call(load: Any, by_task: bool) -> None:
    linked = load("(module (func $f (loop $l (br $l))) (start $f))", wit="package a:b; world w {}").link()
    limits = Limits(max_execution_ms=50)
    with pytest.raises(TimedOutError, match=r"^instantiation took longer than its limit max_execution_ms = 50"):
        asyncio.run(linked.instantiate_async(limits=limits)) if by_task else linked.instantiate(limits=limits)
