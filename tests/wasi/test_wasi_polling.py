"""Pollables: which are ready, and what waiting for many of them costs."""

from __future__ import annotations

import asyncio

import pytest

from tests.wasi.stream_helpers import run
from wippywasm.errors import Trap
from wippywasm.wasi.clock_sources import FakeClock, SystemClock
from wippywasm.wasi.clocks import MonotonicClock
from wippywasm.wasi.pollables import MAX_POLLED, Poll, Pollable
from wippywasm.wasi.sources import BytesSource
from wippywasm.wasi.waitables import settled


def test_polling_gives_all_that_are_ready() -> None:
    clock = FakeClock()
    timers = MonotonicClock(clock)
    late, now, later = timers.subscribe_duration(50), timers.subscribe_instant(0), timers.subscribe_duration(90)
    poll = Poll()
    assert poll.poll([late, now, now]) == [1, 2]
    assert run(settled(poll.poll([late, later]))) == [0]
    assert clock.monotonic() == 50
    assert poll.poll([later, late]) == [1]


def test_polling_nothing_traps_and_so_does_polling_too_much() -> None:
    with pytest.raises(Trap, match="empty list"):
        Poll().poll([])
    ready = Pollable(BytesSource())
    with pytest.raises(Trap, match="more than"):
        Poll().poll([ready] * (MAX_POLLED + 1))


def test_of_thousands_of_timers_only_the_first_is_waited_for() -> None:
    class Counting(FakeClock):
        sleeps = 0

        async def sleep_until(self, instant: int) -> None:
            self.sleeps += 1
            await super().sleep_until(instant)

    async def polling() -> None:
        first, second = Counting(), Counting()
        timers = [MonotonicClock(clock).subscribe_instant(10**9 - i) for i in range(1000) for clock in (first, second)]
        assert await settled(Poll().poll([*timers, *timers])) in ([1998, 3998], [1999, 3999], [1998, 1999, 3998, 3999])
        assert (first.sleeps, second.sleeps) == (1, 1)

    run(polling())


def test_polling_many_ends_with_the_first_and_leaves_nothing_behind() -> None:
    async def polling() -> None:
        clock, before = MonotonicClock(SystemClock()), asyncio.all_tasks()
        timers = [clock.subscribe_duration((1 + i % 7) * 3_600_000_000_000) for i in range(1000)]
        timers.insert(500, clock.subscribe_duration(2_000_000))
        assert await settled(Poll().poll(timers)) == [500]
        assert asyncio.all_tasks() == before

    run(polling())


def test_far_instants_do_not_overflow() -> None:
    clock = MonotonicClock(SystemClock())
    assert not clock.subscribe_duration(2**64 - 1).ready()
    assert not clock.subscribe_instant(2**64 - 1).ready()
