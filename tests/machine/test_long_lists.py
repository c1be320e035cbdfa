"""Lists of millions of elements: the time that the host spends on them counts, and other tasks go on meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.rounds import Rounds
from wippywasm import Limits
from wippywasm.abi import pacing
from wippywasm.errors import PoisonedError, TimedOutError

SHORT = Limits(max_execution_ms=100)
MANY = 40_000_000
WIT = """
  package a:b;
  interface host { take: func(items: list<bool>); }
  world w {
    import host;
    export bools: func(n: u32) -> list<bool>;
    export numbers: func(n: u32) -> list<s16>;
    export halves: func(n: u32) -> list<list<list<bool>>>;
    export pass: func(n: u32);
  }
"""
LISTS = """
(module
  (import "a:b/host" "take" (func $take (param i32 i32)))
  (memory (export "memory") 1300)
  (func $list (param $n i32) (result i32)
    (i32.store (i32.const 8) (i32.const 1024)) (i32.store (i32.const 12) (local.get $n)) (i32.const 8))
  (func $lists (param $at i32) (param $n i32) (param $of i32) (param $each i32)
    (loop $next
      (i32.store (local.get $at) (local.get $of))
      (i32.store offset=4 (local.get $at) (local.get $each))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (export "bools" (func $list))
  (export "numbers" (func $list))
  (func (export "halves") (param $n i32) (result i32)
    (call $lists (i32.const 20000) (i32.const 200) (i32.const 100000) (i32.const 800))
    (call $lists (i32.const 1024) (local.get $n) (i32.const 20000) (i32.const 200))
    (call $list (local.get $n)))
  (func (export "pass") (param i32) (call $take (i32.const 1024) (local.get 0))))
"""


def _guest(load: Any, limits: Limits | None = None, taken: list[int] | None = None) -> Any:
    def take(items: list[bool]) -> None:
        if taken is not None:
            taken.append(len(items))

    return load(LISTS, wit=WIT).instantiate({"a:b/host": {"take": take}}, limits=limits)


@pytest.mark.parametrize(("name", "n"), [("bools", MANY), ("numbers", MANY), ("halves", 800), ("pass", MANY)])
@pytest.mark.parametrize("by_task", [False, True])
async def test_the_time_that_reading_takes_counts(load: Any, name: str, n: int, by_task: bool) -> None:
    guest = _guest(load, SHORT)
    started = time.monotonic()
    with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
        await guest.call_async(name, n) if by_task else guest.call(name, n)
    assert time.monotonic() - started < 20
    with pytest.raises(PoisonedError):
        guest.call("bools", 1)
    guest.close()


@pytest.mark.parametrize("n", [0, 1, 1023, 1024, 1025, 65_536, 70_000])
async def test_lists_around_the_length_of_a_piece(load: Any, n: int) -> None:
    taken: list[int] = []
    with _guest(load, Limits(max_execution_ms=60_000), taken) as guest:
        for result in (guest.call("bools", n), await guest.call_async("bools", n)):
            assert result == [False] * n
        for result in (guest.call("numbers", n), await guest.call_async("numbers", n)):
            assert len(result) == n
            assert set(result) <= {0}
        guest.call("pass", n)
        assert taken == [n]
        nested = guest.call("halves", 2)
        assert [[len(inner) for inner in outer] for outer in nested] == [[800] * 200] * 2


async def test_other_tasks_go_on(load: Any, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause of the reading waits for the event loop, which comes round only where nothing holds it."""
    if engine != "wasmtime":
        pytest.skip("guests have a thread on wasmer")

    def pause(allowance: Any) -> None:
        before = rounds.count
        deadline = time.monotonic() + 20
        while rounds.count == before and time.monotonic() < deadline:
            time.sleep(0)
        came_round.append(rounds.count > before)
        plain_pause(allowance)

    came_round: list[bool] = []
    rounds = Rounds()
    plain_pause = pacing._ThreadAllowance.pause
    monkeypatch.setattr(pacing, "PATIENCE", 0.0)
    monkeypatch.setattr(pacing._ThreadAllowance, "pause", pause)
    with _guest(load) as guest:
        assert len(await guest.call_async("bools", 10 * pacing.MOST_NUMBERS)) == 10 * pacing.MOST_NUMBERS
    rounds.end()
    assert len(came_round) >= 10
    assert all(came_round)


async def test_a_reading_that_is_cancelled(load: Any) -> None:
    guest = _guest(load)
    reading = asyncio.ensure_future(guest.call_async("bools", MANY))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert time.monotonic() - started < 20
    with pytest.raises(PoisonedError):
        guest.call("bools", 1)
    guest.close()


PAIR = """
(component
  (component $callee
    (core module $m
      (memory (export "memory") 1300)
      (global $free (mut i32) (i32.const 8))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $free)
        (global.set $free (i32.add (global.get $free) (local.get 3))))
      (func (export "take") (param i32 i32 i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "take") (param "items" (list bool)) (param "name" string)
      (canon lift (core func $i "take")
        (memory (core memory $i "memory")) (realloc (core func $i "realloc")) {callee})))
  (instance $callee (instantiate $callee))
  (core module $libc (memory (export "memory") 1300))
  (core instance $libc (instantiate $libc))
  (core func $take (canon lower (func $callee "take") (memory (core memory $libc "memory")) {caller}))
  (core module $m
    (import "" "take" (func $take (param i32 i32 i32 i32)))
    (func (export "run") (param i32) (call $take (i32.const 16) (local.get 0) (i32.const 16) (i32.const 0))))
  (core instance $i (instantiate $m (with "" (instance (export "take" (func $take))))))
  (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))
"""


@pytest.mark.parametrize(("caller", "callee"), [("", ""), ("string-encoding=utf16", "string-encoding=latin1+utf16")])
async def test_lists_between_components(load: Any, caller: str, callee: str) -> None:
    """As they are, and where strings are transcoded, which takes another way."""
    text = PAIR.format(caller=caller, callee=callee)
    with load(text).instantiate(limits=Limits(max_execution_ms=60_000)) as guest:
        guest.call("run", 5000)
    for by_task in (False, True):
        guest = load(text).instantiate(limits=SHORT)
        started = time.monotonic()
        with pytest.raises(TimedOutError):
            await guest.call_async("run", MANY) if by_task else guest.call("run", MANY)
        assert time.monotonic() - started < 20
        guest.close()
