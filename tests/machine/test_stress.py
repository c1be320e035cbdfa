"""Calls that succeed, trap, time out and are cancelled, mixed: every one ends, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections import Counter
from typing import Any

from tests.machine.conftest import Clock
from tests.machine.guests import SLEEPER
from wippywasm import Limits
from wippywasm.errors import TimedOutError, Trap

CALLS = 300


async def test_every_call_is_accounted_for(load: Any, imports: Any, clock: Clock) -> None:
    linked = load(SLEEPER).link(imports)
    chance = random.Random(5)
    counts: Counter[tuple[str, str]] = Counter()

    async def one() -> None:
        kind = chance.choice(["add", "sleep", "greet", "crash", "spin", "overlong", "cancelled"])
        guest = linked.instantiate(limits=Limits(max_execution_ms=20 if kind in ("spin", "overlong") else 30_000))
        try:
            counts[kind, await outcome(guest, kind)] += 1
        finally:
            guest.close()

    async def outcome(guest: Any, kind: str) -> str:
        try:
            match kind:
                case "add":
                    assert await guest.call_async("add", 1, 2) == 3
                case "overlong":
                    await guest.call_async("sleep", 60_000)
                case "cancelled":
                    await asyncio.wait_for(guest.call_async("sleep", 60_000), 0.01)
                case "spin":
                    await guest.call_async("spin")
                case _:
                    await guest.call_async(kind, chance.randrange(4))
        except (Trap, TimedOutError, asyncio.TimeoutError) as error:
            return type(error).__name__
        return "ok"

    pending: set[Any] = set()
    for _ in range(CALLS):
        pending.add(asyncio.ensure_future(one()))
        if len(pending) >= 20:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    await asyncio.gather(*pending)
    expected = {
        "add": "ok",
        "sleep": "ok",
        "greet": "ok",
        "crash": "Trap",
        "spin": "TimedOutError",
        "overlong": "TimedOutError",
        "cancelled": "TimeoutError",
    }
    assert dict(counts.keys()) == expected
    assert sum(counts.values()) == CALLS
    assert clock.running == 0


def test_nothing_is_left(load: Any, imports: Any) -> None:
    async def rounds(count: int) -> None:
        for _ in range(count):
            guest = linked.instantiate(limits=Limits(max_execution_ms=2))
            try:
                await guest.call_async("spin")
            except TimedOutError:
                pass
            guest.close()

    linked = load(SLEEPER).link(imports)
    asyncio.run(rounds(10))
    gc.collect()
    objects, threads = len(gc.get_objects()), threading.active_count()
    asyncio.run(rounds(20))
    gc.collect()
    assert len(gc.get_objects()) < objects + 200
    assert threading.active_count() <= threads + 1
