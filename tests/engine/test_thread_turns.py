"""Turns of threads that compute: one at a time, in order, and nobody waits for one that is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from wippywasm.engine import thread_turns
from wippywasm.engine.thread_turns import Turn


@pytest.fixture
def member() -> Iterator[None]:
    thread_turns.join()
    yield
    thread_turns.part()


def in_member(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        thread_turns.join()
        try:
            work()
        finally:
            thread_turns.part()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_they_go_on_in_order(member: None) -> None:
    order: list[int] = []
    Turn().take(None)
    threads = []
    for number in range(5):
        turn = Turn()

        def work(turn: Turn = turn, number: int = number) -> None:
            for _ in range(3):
                assert turn.take(None)
                order.append(number)

        threads.append(in_member(work))
        while turn._gate is None:
            time.sleep(0.001)
    thread_turns.leave()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4] * 3


def test_a_thread_that_is_no_member_does_not_wait(member: None) -> None:
    Turn().take(None)
    taken: list[bool] = []
    other = threading.Thread(target=lambda: taken.append(Turn().take(None)))
    other.start()
    other.join()
    assert taken == [False]


@pytest.mark.parametrize("how", ["after its time", "when it is woken"])
def test_a_waiter_goes_on(how: str, member: None) -> None:
    Turn().take(None)
    turn = Turn()
    other = in_member(lambda: _take(turn, 0.01 if how == "after its time" else None))
    if how == "when it is woken":
        while turn._gate is None:
            time.sleep(0.001)
        turn.wake()
    other.join()
    assert not thread_turns._waiting
    assert thread_turns._holder == threading.get_ident()


def test_who_is_gone_has_no_turn() -> None:
    in_member(lambda: _take(Turn(), None)).join()
    assert thread_turns._holder is None
    turn = Turn()
    turn.wake()
    in_member(lambda: _take(turn, None)).join()


def _take(turn: Turn, seconds: float | None) -> None:
    assert turn.take(seconds)
