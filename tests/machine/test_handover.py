"""What threads give to tasks."""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
import time
from functools import partial
from typing import Any

import pytest

from wippywasm.instance import handover
from wippywasm.instance.guest_thread import take_thread
from wippywasm.instance.handover import Handover
from wippywasm.instance.waiting import this_thread


async def take_all(pause: float) -> list[int]:
    """What a thread gives one by one, each so many seconds after the last was taken."""
    given: Handover[int] = Handover(asyncio.get_running_loop())
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
    given: Handover[int] = Handover(asyncio.get_running_loop())
    task = asyncio.ensure_future(given.take())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    given.give(1)
    assert await asyncio.wait_for(task, 60) == 1


async def test_a_task_that_waited_in_vain_has_no_patience_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover._patience, "until", 0.0)
    before = time.monotonic()
    task = asyncio.ensure_future(Handover[int](asyncio.get_running_loop()).take())
    await asyncio.sleep(0)
    assert handover._patience.until >= before + handover.PATIENCE + handover.PAUSE
    task.cancel()


def test_who_gives_is_told_that_the_event_loop_is_gone() -> None:
    loop = asyncio.new_event_loop()
    given: Handover[int] = Handover(loop)
    loop.close()
    assert not given.give(1)


async def test_a_signal_whose_handler_takes_longer_than_a_task_has_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover._patience, "until", 0.0)
    handled = threading.Event()

    def handle(*_: object) -> None:
        time.sleep(20 * handover.PATIENCE)
        handled.set()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        strike = partial(signal.pthread_kill, threading.get_ident(), signal.SIGUSR1)
        threading.Timer(handover.PATIENCE / 4, strike).start()
        given: Handover[int] = Handover(asyncio.get_running_loop())
        task = asyncio.ensure_future(given.take())
        while not handled.is_set():
            await asyncio.sleep(0)
    finally:
        signal.signal(signal.SIGUSR1, before)
    given.give(1)
    assert await asyncio.wait_for(task, 60) == 1


async def test_what_is_given_before_it_is_taken_waits_in_line() -> None:
    given: Handover[int] = Handover(asyncio.get_running_loop())
    for number in range(3):
        assert given.give(number)
    assert await given.take() == 0
    assert list(given.withdraw()) == [1, 2]


async def test_a_call_that_is_ended_before_its_wait_is_seen_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task's end lands where the thread has looked for it, and has not yet handed over what it waits for."""
    loop, ended, give = asyncio.get_running_loop(), threading.Event(), Handover.give
    waited_for = asyncio.sleep(3600)

    def give_too_late(self: Handover[Any], thing: Any) -> bool:
        if thing is waited_for:
            loop.call_soon_threadsafe(task.cancel)
            assert ended.wait(60)
        return give(self, thing)

    monkeypatch.setattr(Handover, "give", give_too_late)

    def wait_for(awaitable: Any) -> Any:
        assert this_thread.wait is not None
        return this_thread.wait(awaitable, lambda value: value)

    thread = take_thread()
    task = asyncio.ensure_future(thread.run(lambda: wait_for(waited_for), lambda _: ended.set()))
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)
    assert inspect.getcoroutinestate(waited_for) == inspect.CORO_CLOSED
    assert await asyncio.wait_for(thread.run(lambda: 1, lambda _: None), 60) == 1
    thread.end()
