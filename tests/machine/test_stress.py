"""Calls that succeed, trap, time out and are cancelled, mixed: every one ends, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

import pytest

from tests.machine.guests import SLEEPER
from tools.stress import EXPECTED, Stress, answer
from wippywasm import Limits
from wippywasm.engine.turns import Turns
from wippywasm.errors import TimedOutError

CALLS = 300


async def test_every_call_is_accounted_for(engine: str) -> None:
    stress = Stress(engine)
    counts = await stress.mixed(CALLS)
    assert counts.keys() == EXPECTED.items()
    assert sum(counts.values()) == CALLS
    assert stress.clock.running == 0


def objects_left() -> int:
    """How many there are when the threads of the last guests are through with them, too."""
    counts = []
    for _ in range(20):
        gc.collect()
        counts.append(len(gc.get_objects()))
        time.sleep(0.005)
    return min(counts)


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
    objects, threads = objects_left(), threading.active_count()
    asyncio.run(rounds(20))
    assert objects_left() < objects + 200
    assert threading.active_count() <= threads + 1


async def test_a_request_over_a_new_connection_waits_for_few_slices(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = 0
    rest = Turns.rest

    async def counting(turns: Turns) -> None:
        nonlocal slices
        slices += 1
        await rest(turns)

    monkeypatch.setattr(Turns, "rest", counting)
    linked = Stress(engine).linked
    guests = [linked.instantiate(limits=Limits(max_execution_ms=600_000)) for _ in range(8)]
    spinning = [asyncio.ensure_future(guest.call_async("spin")) for guest in guests]
    waited = []
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        for _ in range(5):
            before = slices
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"ping\n")
            assert await reader.readline() == b"ping\n"
            waited.append(slices - before)
            writer.close()
    for task in spinning:
        task.cancel()
    await asyncio.wait(spinning)
    assert min(waited) <= 2
