"""Turns of guests on an event loop: between two slices it has rounds of its own, and newcomers share a slice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tests.rounds import Rounds
from wippywasm.engine import turns
from wippywasm.engine.turns import ROUNDS, turns_of


class Guests:
    """Guests that do nothing but move the clock, which counts slices; `begun` says which began in which round."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.rounds = Rounds()
        self.begun: list[tuple[str, int]] = []
        monkeypatch.setattr(turns, "SLICE_SECONDS", 1.0)
        monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: self.now))

    def run(self, name: str, slices: float) -> None:
        self.begun.append((name, self.rounds.count))
        self.now += slices

    async def spin(self) -> None:
        while True:
            self.run("spinner", 1.0)
            await turns_of(asyncio.get_running_loop()).rest()

    async def start(self, slices: float) -> None:
        await turns_of(asyncio.get_running_loop()).start()
        self.run("newcomer", slices)

    def names(self) -> list[str]:
        return [name for name, _ in self.begun]

    def breaks(self) -> list[int]:
        """How many rounds there were between a guest and the next."""
        return [after - before for (_, before), (_, after) in zip(self.begun, self.begun[1:])]


@contextmanager
def under_way(*work: Coroutine[None, None, None]) -> Iterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.ensure_future(one) for one in work]
    yield tasks
    for task in tasks:
        task.cancel()


async def test_a_loop_has_rounds_of_its_own_between_two_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    guests = Guests(monkeypatch)
    with under_way(*(guests.spin() for _ in range(3))):
        while len(guests.begun) < 20:
            await asyncio.sleep(0)
    guests.rounds.end()
    assert set(guests.breaks()[3:]) == {ROUNDS}


async def test_rounds_that_take_long_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    guests = Guests(monkeypatch)
    with under_way(guests.spin(), guests.spin()):
        while len(guests.begun) < 20:
            await asyncio.sleep(0)
            guests.now += 0.5
    guests.rounds.end()
    assert max(guests.breaks()) <= 4


async def test_newcomers_that_need_little_begin_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    guests = Guests(monkeypatch)
    with under_way(guests.spin()):
        await asyncio.sleep(0)
        await asyncio.gather(*(guests.start(0.0) for _ in range(9)))
    guests.rounds.end()
    assert guests.names()[:10] == ["spinner", *["newcomer"] * 9]
    assert guests.breaks()[1:9] == [0] * 8


async def test_newcomers_that_need_much_do_not_follow_on_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    guests = Guests(monkeypatch)
    with under_way(guests.spin()):
        await asyncio.sleep(0)
        await asyncio.gather(*(guests.start(1.0) for _ in range(9)))
    guests.rounds.end()
    assert guests.names()[:18] == ["spinner", "newcomer"] * 9
    assert min(guests.breaks()[:16]) >= ROUNDS


async def test_who_was_woken_in_vain_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One who uses up each slice, and wants another at once, is not always the first."""
    guests = Guests(monkeypatch)

    async def make(name: str) -> None:
        while True:
            await turns.turn_to_make()
            guests.run(name, 0.6)

    with under_way(*(make(name) for name in "abc")):
        while len(guests.begun) < 60:
            await asyncio.sleep(0)
    guests.rounds.end()
    assert min(guests.names().count(name) for name in "abc") >= 10


async def test_instances_are_made_in_the_turns_of_newcomers(monkeypatch: pytest.MonkeyPatch) -> None:
    guests = Guests(monkeypatch)

    async def make() -> None:
        await turns.turn_to_make()
        guests.run("instance", 0.5)

    with under_way(guests.spin()):
        await asyncio.sleep(0)
        await asyncio.gather(*(make() for _ in range(6)))
    guests.rounds.end()
    assert guests.names()[:9] == ["spinner", "instance", "instance"] * 3
