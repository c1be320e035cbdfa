"""Guests that are told to end: the task goes on, and the process ends, when they have left their thread."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import pytest

from wippywasm import Limits
from wippywasm.errors import PoisonedError, TimedOutError

POKER = """(module (import "test:host/i" "poke" (func $poke (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "poke") (loop $l (call $poke (i32.const 0) (i32.const 8)) (br $l)))
  (func (export "take") (param i32 i32) (call $poke (local.get 0) (local.get 1))))"""
WIT = """package a:b; world w { import test:host/i; export poke: func(); export take: func(s: string); }
package test:host { interface i { poke: func(s: string); } }"""


class Poked:
    """Takes a while, without waiting."""

    def __init__(self) -> None:
        self.calls = 0

    def poke(self, text: str) -> None:
        self.calls += 1
        time.sleep(0.002)


async def test_a_cancelled_guest_calls_the_host_no_more(load: Any) -> None:
    host = Poked()
    guest = load(POKER, wit=WIT).instantiate({"test:host/i": host}, limits=Limits(max_execution_ms=600_000))
    call = asyncio.ensure_future(guest.call_async("poke"))
    while not host.calls:
        await asyncio.sleep(0.001)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    calls = host.calls
    with pytest.raises(PoisonedError):
        await guest.call_async("poke")
    await asyncio.sleep(0.02)
    assert host.calls == calls
    guest.close()


async def test_a_budget_holds_for_guests_that_only_call_the_host(load: Any) -> None:
    linked = load(POKER, wit=WIT).link({"test:host/i": Poked()})
    guest = linked.instantiate(limits=Limits(max_execution_ms=50))
    with pytest.raises(TimedOutError):
        await guest.call_async("poke")
    guest.close()


def test_a_budget_holds_for_plain_calls_too(load: Any) -> None:
    host = Poked()
    guest = load(POKER, wit=WIT).instantiate({"test:host/i": host}, limits=Limits(max_execution_ms=50))
    with pytest.raises(TimedOutError):
        guest.call("poke")
    assert host.calls < 500  # of 2 ms each: long before a count of steps would end it
    guest.close()


async def test_who_is_cancelled_again_waits_all_the_same(load: Any) -> None:
    inside, free = threading.Event(), threading.Event()

    def poke(text: str) -> None:
        inside.set()
        free.wait()

    guest = load(POKER, wit=WIT).instantiate({"test:host/i": {"poke": poke}})
    if not hasattr(guest, "_thread"):
        pytest.skip("a guest on a fiber runs in the task's own thread, which can't cancel it meanwhile")
    call = asyncio.ensure_future(guest.call_async("poke"))
    while not inside.is_set():
        await asyncio.sleep(0.001)
    for _ in range(3):
        call.cancel()
        await asyncio.sleep(0.005)
        assert not call.done()
    free.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    guest.close()


@pytest.mark.filterwarnings("error")
async def test_what_failed_may_be_forgotten_in_any_thread(load: Any) -> None:
    """Tracebacks lead to views of the guest's memory, and to what failed before."""

    def poke(text: str) -> None:
        try:
            raise KeyError(text)
        except KeyError as error:
            raise ValueError(text) from error

    caught: list[BaseException] = []
    for call in ("task", "plain"):
        guest = load(POKER, wit=WIT).instantiate({"test:host/i": {"poke": poke}})
        with pytest.raises(ValueError, match="text") as info:
            await guest.call_async("take", "text") if call == "task" else guest.call("take", "text")
        caught.append(info.value)
        del info
        guest.close()

    def forget() -> None:
        caught.clear()
        gc.collect()

    thread = threading.Thread(target=forget)
    thread.start()
    thread.join()
    assert not caught


ENDLESS_DESTRUCTOR = """(component
  (core module $m (func (export "dtor") (param i32) (loop $l (br $l))))
  (core instance $i (instantiate $m))
  (type $r (resource (rep i32) (dtor (core func $i "dtor"))))
  (core func $new (canon resource.new $r))
  (core module $n (import "a" "new" (func $new (param i32) (result i32)))
    (func (export "make") (result i32) (call $new (i32.const 7))))
  (core instance $j (instantiate $n (with "a" (instance (export "new" (func $new))))))
  (export $thing "thing" (type $r))
  (func (export "make") (result (own $thing)) (canon lift (core func $j "make"))))"""


async def test_a_guest_can_be_closed_while_a_destructor_runs_that_nobody_waits_for(load: Any) -> None:
    guest = await load(ENDLESS_DESTRUCTOR).link().instantiate_async(limits=Limits(max_execution_ms=500))
    thing = await guest.call_async("make")
    with suppress(TimedOutError):  # where it is waited for
        thing.close()
    await asyncio.sleep(0.1)
    guest.close()
    assert guest.closed


SLOW_DESTRUCTOR = """(component
  (core module $m (global $left (mut i32) (i32.const 30000000))
    (func (export "dtor") (param i32)
      (loop $l (global.set $left (i32.sub (global.get $left) (i32.const 1))) (br_if $l (global.get $left))))
    (func (export "left") (result i32) (global.get $left)))
  (core instance $i (instantiate $m))
  (type $r (resource (rep i32) (dtor (core func $i "dtor"))))
  (core func $new (canon resource.new $r))
  (export $thing "thing" (type $r))
  (func (export "make") (param "n" u32) (result (own $thing)) (canon lift (core func $new)))
  (func (export "left") (result u32) (canon lift (core func $i "left"))))"""


async def test_a_call_waits_for_a_destructor_that_another_thread_asked_for(load: Any, engine: str) -> None:
    if engine == "wasmtime":
        pytest.skip("on wasmtime guests have no thread of their own, so the other thread runs the destructor itself")
    with load(SLOW_DESTRUCTOR).instantiate() as guest:
        thing = guest.call("make", 7)
        await asyncio.to_thread(thing.close)
        await asyncio.sleep(0.01)
        assert guest.call("left") == 0


LEFT_RUNNING = """
import asyncio, sys, time
import wippywasm
calls = 0
def poke(text):
    global calls
    calls += 1
    time.sleep(0.002)
loop = asyncio.new_event_loop()
async def main():
    global call
    component = wippywasm.load(sys.argv[1], wit=sys.argv[2], engine=sys.argv[3])
    guest = component.instantiate({{"test:host/i": {{"poke": poke}}}})
    call = asyncio.ensure_future(guest.call_async("poke"))
    while not calls:
        await asyncio.sleep(0.001)
    {end}
loop.run_until_complete(main())
print("over", flush=True)
"""


@pytest.mark.parametrize("end", ["call.cancel()", "pass"], ids=["told", "not told"])
def test_a_process_ends_while_guests_run(engine: str, end: str) -> None:
    """A thread that came back to an interpreter which has ended would abort the process."""
    if engine == "wasmtime":
        pytest.skip("a guest on a fiber has no thread of its own")
    program = [sys.executable, "-W", "ignore", "-c", LEFT_RUNNING.format(end=end), POKER, WIT, engine]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "over\n"), ended.stderr
    assert "Fatal" not in ended.stderr


LEFT_WAITING = """
import asyncio, sys, threading, time
import wippywasm
from wippywasm.instance import thread_call
class Slow:  # what ends when the interpreter does, and takes longer than guests to come back
    def __del__(self, sleep=time.sleep):
        sleep(0.5)
slow = Slow()
waits = threading.Event()
wait = thread_call.ThreadCall._wait
def wait_long(self, *args):  # guests take their time to come back
    try:
        return wait(self, *args)
    finally:
        time.sleep(0.1)
thread_call.ThreadCall._wait = wait_long
async def poke(text):
    waits.set()
    await asyncio.Future()
async def main():
    component = wippywasm.load(sys.argv[1], wit=sys.argv[2], engine=sys.argv[3])
    await component.instantiate({"test:host/i": {"poke": poke}}).call_async("poke")
threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
waits.wait()
time.sleep(0.1)
print("over", flush=True)
"""


def test_a_process_ends_while_guests_wait(engine: str) -> None:
    """The same, of threads that come back only because they are told to."""
    if engine == "wasmtime":
        pytest.skip("a guest on a fiber has no thread of its own")
    program = [sys.executable, "-W", "ignore", "-c", LEFT_WAITING, POKER, WIT, engine]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "over\n"), ended.stderr
    assert "Fatal" not in ended.stderr
