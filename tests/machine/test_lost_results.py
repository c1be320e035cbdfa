"""What a guest in a thread has returned to a task that is ended meanwhile: it is dropped, once."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import pytest

from tests.machine.staging import Stage, calls
from wippywasm.errors import TimedOutError, WitError
from wippywasm.instance import handover
from wippywasm.instance.budget import task_call
from wippywasm.instance.guest_thread import take_thread


@calls
async def test_a_task_that_is_cancelled_when_its_guest_has_returned(stage: Stage, call: Any, given: Any) -> None:
    with stage.make() as guest:
        await stage.lose(guest, *call)
        stage.check_gone(*given)
        assert await guest.call_async("number") == 3
    gc.collect()
    stage.check_gone(*given)


@calls
async def test_a_task_that_is_cancelled_when_it_is_about_to_go_on(stage: Stage, call: Any, given: Any) -> None:
    with stage.make() as guest:
        task = await stage.begin(guest.call_async(*call))
        stage.end()
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        stage.check_gone(*given)


async def test_a_task_that_is_cancelled_when_its_guest_has_trapped(stage: Stage) -> None:
    """What was on its way belongs to the guest."""
    guest = stage.make()
    await stage.lose(guest, "trap", True)
    stage.check_gone()
    guest.close()
    stage.check_gone(6)


async def test_a_task_that_is_cancelled_twice(stage: Stage) -> None:
    with stage.make() as guest:
        task = await stage.begin(guest.call_async("many"))
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        stage.end()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    stage.check_gone()


async def test_what_the_task_takes_is_its_own(stage: Stage) -> None:
    with stage.make() as guest:
        task = await stage.begin(guest.call_async("many"))
        stage.end()
        things, item = await task
        assert await guest.call_async("number") == 3
        stage.check_gone()
        for thing in (things[0], things[2], item):
            thing.close()
        stage.check_gone(5, 7, 9)


@pytest.mark.parametrize("ok", [True, False])
async def test_what_the_task_takes_of_a_result(stage: Stage, ok: bool) -> None:
    with stage.make() as guest:
        task = await stage.begin(guest.call_async("maybe", ok))
        stage.end()
        if ok:
            thing = await task
        else:
            with pytest.raises(WitError) as raised:
                await task
            thing = raised.value.payload
        stage.check_gone()
        thing.close()
        stage.check_gone(6)


async def test_calls_before_and_after_one_that_is_lost(stage: Stage) -> None:
    """Plain ones, too: each has what it was given."""
    with stage.make() as guest:
        stage.go_on.set()
        before = guest.call("one")
        await stage.lose(guest, "one")
        after = guest.call("one")
        stage.check_gone(5)
        before.close()
        after.close()
        stage.check_gone(5, 5, 5)
        await stage.lose(guest, "own")
        stage.check_gone(5, 5, 5, 9)


def test_an_event_loop_that_is_closed_when_the_guest_has_returned(stage: Stage) -> None:
    """The guest is forgotten with the task, which it knows."""
    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(abandoned(stage, ("one",)))
    stage.end()
    loop.close()
    stage.check_gone()
    left.clear()
    while not stage.things.gone:  # the suite's own time limit ends this where it is lost
        gc.collect()
    stage.check_gone(5)


@calls
def test_an_event_loop_that_is_closed_before_the_guest_returns(stage: Stage, call: Any, given: Any) -> None:
    """Nobody collects the task: the guest finds that nobody is there."""
    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(abandoned(stage, call))
    loop.close()
    stage.end()
    stage.check_gone(*given)
    left.clear()
    gc.collect()
    stage.check_gone(*given)


@calls
@pytest.mark.parametrize("is_back", [True, False], ids=["back", "not back"])
async def test_a_coroutine_that_is_closed(stage: Stage, call: Any, given: Any, is_back: bool) -> None:
    with stage.make() as guest:
        calling = guest.call_async(*call)
        calling.send(None)
        while not stage.paused.is_set():
            time.sleep(0.001)
        if is_back:
            stage.end()
        calling.close()
        if not is_back:
            stage.end()
        stage.check_gone(*(given if is_back else ()))


async def abandoned(stage: Stage, call: Any) -> list[Any]:
    """A guest that pauses in a call of a task which nobody is going to continue, and that task."""
    guest = stage.make()
    task = await stage.begin(guest.call_async(*call))
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    return [guest, task]


async def test_what_goes_wrong_when_a_result_is_dropped(load: Any, stage: Stage) -> None:
    """It is told to the event loop, the others are dropped all the same."""
    asyncio.get_running_loop().set_exception_handler(lambda _, what: stage.told.append(what))
    gone = stage.things.gone
    if stage.things.owner is not None:
        pytest.skip("a guest that traps tells nobody")

    def close(self: Any) -> None:
        gone.append(self.n)
        raise ZeroDivisionError(self.n)

    stage.things.thing.close = close
    with stage.make() as guest:
        await stage.lose(guest, "many")
        stage.check_gone(5, 7, 9)
        assert [str(what["exception"]) for what in stage.told] == ["5", "7"]
        assert "not dropped" in stage.told[0]["message"]


@pytest.mark.parametrize("call", [("one",), ("maybe", False)], ids=["ok", "err"])
async def test_a_guest_that_returns_in_time(stage: Stage, call: Any) -> None:
    """Its time is over when the event loop comes to look."""
    with stage.make(max_execution_ms=1000) as guest:
        begun = time.monotonic()
        task = await stage.begin(guest.call_async(*call))
        stage.end()
        time.sleep(max(0.0, begun + 1.1 - time.monotonic()))
        outcome = await asyncio.gather(task, return_exceptions=True)
        assert not isinstance(outcome[0], TimedOutError)
        stage.check_gone()
        assert await guest.call_async("number") == 3


@pytest.mark.parametrize("takes", [0.0, 0.6])
async def test_it_is_when_a_thread_has_returned_that_counts(takes: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when the event loop looks, which is later than allowed in both cases."""
    monkeypatch.setattr(handover._patience, "until", time.monotonic() + 3600)
    interrupted: list[BaseException] = []

    async def call() -> Any:
        return await thread.run(work, interrupted.append, (), task_call(400))

    def work() -> int:
        time.sleep(takes)
        return 7

    thread = take_thread()
    task = asyncio.create_task(call())
    asyncio.get_running_loop().call_soon(time.sleep, 0.8)
    if takes:
        with pytest.raises(TimedOutError, match="max_execution_ms = 400"):
            await task
    else:
        assert await task == 7
    assert len(interrupted) == bool(takes)
    thread.release()
