"""Guests of wasmer that spin at once: one computes at a time, in turns, and each ends by its own limit."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest

import wippywasm
from wippywasm import Limits
from wippywasm.engine import thread_turns
from wippywasm.errors import CanceledError, TimedOutError

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 11), reason="wasmer runs on CPython before 3.11 only")

SPIN = """(module (import "t:h/host" "touch" (func $touch))
  (func (export "spin") (loop $l (br $l)))
  (func (export "touching") (loop $l (call $touch) (br $l))))"""
WIT = """package t:h; interface host { touch: func(); }
world w { import host; export spin: func(); export touching: func(); }"""


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads that were given a turn, in order."""
    given: list[int] = []
    take = thread_turns.Turn.take

    def noting(turn: thread_turns.Turn, seconds: float | None, is_new: bool = False) -> None:
        take(turn, seconds, is_new)
        if thread_turns.is_up():
            given.append(threading.get_ident())

    monkeypatch.setattr(thread_turns.Turn, "take", noting)
    return given


def with_all(turns: list[int], count: int) -> list[int]:
    """The turns since so many threads have had one."""
    threads = set(turns)
    return turns[max(map(turns.index, threads)) :] if len(threads) == count else []


def linked() -> Any:
    return wippywasm.load(SPIN, wit=WIT, engine="wasmer").link({"t:h/host": {"touch": lambda: None}})


async def test_guests_with_a_limit_compute_in_turns(turns: list[int]) -> None:
    of = linked()
    guests = [of.instantiate(limits=Limits(max_execution_ms=600_000)) for _ in range(3)]
    spinning = [asyncio.ensure_future(guest.call_async("spin")) for guest in guests]
    while len(with_all(turns, 3)) < 9:
        await asyncio.sleep(0.001)
    for task in spinning:
        task.cancel()
    ended = await asyncio.gather(*spinning, return_exceptions=True)
    assert all(isinstance(end, (asyncio.CancelledError, CanceledError)) for end in ended)
    steady = with_all(turns, 3)[:9]
    assert steady == steady[:3] * 3
    assert len(set(steady)) == 3


async def test_each_ends_by_its_limit_and_leaves_the_turn(turns: list[int]) -> None:
    of = linked()

    async def renewed(name: str) -> None:
        for _ in range(3):
            limits = Limits(max_execution_ms=20)
            with of.instantiate(limits=limits) as guest, pytest.raises(TimedOutError, match="max_execution_ms = 20"):
                await guest.call_async(name)

    await asyncio.gather(*[renewed(name) for name in ["spin", "touching"] * 4])
    assert turns
    while thread_turns._holder is not None:  # until the last thread is idle
        await asyncio.sleep(0.001)
    assert not thread_turns._newcomers
    assert not thread_turns._waiting
