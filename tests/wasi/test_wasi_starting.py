"""Many guests that are started at once: the event loop goes on between their starts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.rounds import Rounds
from tests.wasi.conftest import Load
from tests.wasi.test_wasi_run import CAT
from wippywasm.engine import turns
from wippywasm.wasi import Capture, Wasi, run_command_async

GUESTS = 20


async def rounds_during(start: Callable[[], Awaitable[Any]]) -> int:
    """How often the loop came round while so many were started."""
    rounds = Rounds()
    await asyncio.wait_for(asyncio.gather(*(start() for _ in range(GUESTS))), 60)
    rounds.end()
    return rounds.count


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every start takes longer than a round has time for."""
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)


def test_commands_take_turns_with_the_loop(load: Load, no_time: None) -> None:
    component, outputs = load(CAT), list[Capture]()

    async def start() -> None:
        outputs.append(Capture())
        assert await run_command_async(component, Wasi(stdin=b"text", stdout=outputs[-1])) == 0

    assert asyncio.run(rounds_during(start)) >= GUESTS
    assert [out.data for out in outputs] == [b"text"] * GUESTS


def test_instances_take_turns_with_the_loop(load: Load, no_time: None) -> None:
    linked = load("(module)").link()

    async def start() -> None:
        (await linked.instantiate_async()).close()

    assert asyncio.run(rounds_during(start)) >= GUESTS


def test_who_is_cancelled_keeps_nobody_waiting(no_time: None) -> None:
    async def main() -> None:
        waiting = [asyncio.create_task(turns.turn_to_make()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in waiting[:4]:
            task.cancel()
        await asyncio.wait_for(waiting[4], 60)
        for task in waiting[:4]:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.wait_for(turns.turn_to_make(), 60)

    asyncio.run(main())


def test_few_do_not_wait() -> None:
    async def main() -> None:
        with pytest.raises(StopIteration):
            turns.turn_to_make().send(None)

    asyncio.run(main())
