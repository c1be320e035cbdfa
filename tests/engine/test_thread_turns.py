"""Turns of threads that compute: one at a time, in order, and nobody waits for one that is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from wippywasm.engine import thread_turns
from wippywasm.engine.thread_turns import FREE_SECONDS, Turn


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


def lined_up(order: list[str], name: str, is_new: bool = False, rounds: int = 1) -> threading.Thread:
    """A thread that waits for a turn, and lines up again each time it had one, as one that is not new any more."""
    turn = Turn()

    def work() -> None:
        for k in range(rounds):
            turn.take(None, is_new and k == 0)
            order.append(name)

    thread = in_member(work)
    wait_for(turn)
    return thread


def wait_for(turn: Turn) -> None:
    while turn._gate is None:
        time.sleep(0.001)


def test_they_go_on_in_order(member: None) -> None:
    order: list[str] = []
    Turn().take(None)
    threads = [lined_up(order, name, rounds=3) for name in "abcde"]
    thread_turns.leave()
    for thread in threads:
        thread.join()
    assert "".join(order) == "abcde" * 3


def test_newcomers_have_every_other_turn(member: None) -> None:
    order: list[str] = []
    Turn().take(None)
    threads = [lined_up(order, name) for name in "abcd"]
    threads += [lined_up(order, name, is_new=True, rounds=2) for name in "xyz"]
    thread_turns.leave()
    for thread in threads:
        thread.join()
    assert "".join(order) == "xaybzcdxyz"


def test_a_thread_that_is_no_member_does_not_wait(member: None) -> None:
    Turn().take(None)
    other = threading.Thread(target=Turn().take, args=(None,))
    other.start()
    other.join()
    assert not thread_turns._waiting


@pytest.mark.parametrize("how", ["after its time", "when it is woken"])
def test_a_waiter_goes_on_before_those_who_came_first(how: str, member: None) -> None:
    order: list[str] = []
    Turn().take(None)
    first = lined_up(order, "first")
    turn = Turn()
    other = in_member(lambda: turn.take(0.01 if how == "after its time" else None))
    if how == "when it is woken":
        wait_for(turn)
        turn.wake()
    other.join()
    assert order == []
    assert len(thread_turns._waiting) == 1
    assert thread_turns._holder == threading.get_ident()
    thread_turns.leave()
    first.join()


def test_who_is_gone_has_no_turn() -> None:
    in_member(lambda: Turn().take(None)).join()
    assert thread_turns._holder is None
    turn = Turn()
    turn.wake()
    in_member(lambda: turn.take(None)).join()


def test_whose_turn_it_is(member: None) -> None:
    assert not thread_turns.is_up()
    Turn().take(None)
    assert thread_turns.is_up()
    found: list[bool] = []
    in_member(lambda: found.append(thread_turns.is_up())).join()
    other = threading.Thread(target=lambda: found.append(thread_turns.is_up()))
    other.start()
    other.join()
    assert found == [False, True]


QUICK, SLOW = FREE_SECONDS / 2, FREE_SECONDS * 2


@pytest.mark.parametrize(
    ("found", "times"),
    [([QUICK], 1), ([SLOW, QUICK, QUICK], 3), ([SLOW, QUICK, SLOW, QUICK, QUICK], 5), ([SLOW] * 99, 11)],
    ids=["nobody", "somebody", "one for another", "too many"],
)
def test_a_guest_is_away_while_others_want_the_interpreter(
    found: list[float], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, slept = 100.0, 0

    def sleep(seconds: float) -> None:
        nonlocal now, slept
        now += found[slept]
        slept += 1

    clock = SimpleNamespace(sleep=sleep, monotonic=lambda: now)
    threads = SimpleNamespace(active_count=lambda: 2)
    monkeypatch.setattr(thread_turns, "time", clock)
    monkeypatch.setattr(thread_turns, "threading", threads)
    thread_turns.let_others(SLOW * 10.5)
    assert slept == times


def test_the_only_thread_lets_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(thread_turns, "time", SimpleNamespace(sleep=slept.append, monotonic=time.monotonic))
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    thread_turns.let_others(1)
    assert slept == []
