"""What threads give to tasks."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from wippywasm.instance import handover
from wippywasm.instance.handover import Handover


async def take_all(pause: float) -> list[int]:
    """What a thread gives one by one, each so many seconds after the last was taken."""
    given: Handover[int] = Handover(asyncio.get_running_loop(), 0)
    taken = threading.Semaphore()

    def give() -> None:
        for number in range(5):
            taken.acquire()
            time.sleep(pause)
            given.give(number)

    thread = threading.Thread(target=give)
    thread.start()
    out = []
    for _ in range(5):
        out.append(await given.take())
        taken.release()
    thread.join()
    return out


@pytest.mark.parametrize("pause", [0, 3 * handover.PATIENCE])
async def test_a_task_gets_all_that_its_thread_gives(pause: float) -> None:
    assert await asyncio.wait_for(take_all(pause), 60) == [0, 1, 2, 3, 4]


async def test_a_task_without_patience_leaves_its_event_loop_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover._patience, "until", time.monotonic() + 3600)
    given: Handover[int] = Handover(asyncio.get_running_loop(), 0)
    task = asyncio.ensure_future(given.take())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    given.give(1)
    assert await asyncio.wait_for(task, 60) == 1


async def test_a_task_that_waited_in_vain_has_no_patience_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover._patience, "until", 0.0)
    before = time.monotonic()
    task = asyncio.ensure_future(Handover[int](asyncio.get_running_loop(), 0).take())
    await asyncio.sleep(0)
    assert handover._patience.until >= before + handover.PATIENCE + handover.PAUSE
    task.cancel()


def test_who_gives_is_told_that_the_event_loop_is_gone() -> None:
    loop = asyncio.new_event_loop()
    given: Handover[int] = Handover(loop, 0)
    loop.close()
    assert not given.give(1)
