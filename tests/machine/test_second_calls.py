"""A second call on a guest leaves the time of the one that runs as it was, whether it is refused or allowed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import pytest

from wippywasm import Limits
from wippywasm.calling import Call, current
from wippywasm.engine.spans import Spans, new_span
from wippywasm.errors import ConflictError, ThreadError, TimedOutError, Trap

SHORT = Limits(max_execution_ms=200)
WIT = """
package a:b;
interface host { poke: func(); }
world w {
  import host;
  record r { a: u32 }
  export nop: func();
  export spin: func();
  export poke-and-spin: func();
  export take-and-spin: func(x: list<r>);
}
"""
GUEST = """
(module
  (import "a:b/host" "poke" (func $poke))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "nop"))
  (func $spin (export "spin") (loop $l (br $l)))
  (func (export "poke-and-spin") (call $poke) (call $spin))
  (func (export "take-and-spin") (param i32 i32) (call $spin)))
"""


@pytest.fixture
def make(load: Any) -> Callable[..., Any]:
    component = load(GUEST, wit=WIT)
    return lambda poke=lambda: None: component.instantiate({"a:b/host": {"poke": poke}}, limits=SHORT)


def _ends(guest: Any, name: str, *args: Any) -> None:
    started = time.monotonic()
    with pytest.raises(TimedOutError, match="max_execution_ms = 200"):
        guest.call(name, *args)
    assert time.monotonic() - started < 30
    guest.close()


def test_a_host_function_calls_its_own_guest(make: Any) -> None:
    def poke() -> None:
        with pytest.raises(Trap, match="cannot enter"):
            guest.call("nop")

    guest = make(poke)
    _ends(guest, "poke-and-spin")


async def test_a_host_function_calls_its_own_guest_by_a_task(make: Any) -> None:
    async def by_task() -> None:
        await guest.call_async("nop")

    async def within_a_task() -> None:
        guest.call("nop")

    def plain() -> None:
        guest.call("nop")

    for poke in (by_task, within_a_task, plain):
        guest = make(poke)
        with pytest.raises(Trap, match="cannot enter component instance") as caught:
            await guest.call_async("poke-and-spin")
        assert caught.value.code == "cannot enter"
        guest.close()


async def test_a_host_function_has_another_task_call_its_guest(make: Any) -> None:
    async def poke() -> None:
        await asyncio.ensure_future(guest.call_async("nop"))

    guest = make(poke)
    with pytest.raises(ConflictError, match="a call into the guest is waiting"):
        await guest.call_async("poke-and-spin")
    guest.close()


def test_a_host_function_has_another_thread_call_its_guest(make: Any) -> None:
    def call() -> None:
        with pytest.raises(ThreadError):
            guest.call("nop")
        refused.append(True)

    def poke() -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    refused: list[bool] = []
    guest = make(poke)
    _ends(guest, "poke-and-spin")
    assert refused


def test_an_argument_calls_the_guest_that_takes_it(make: Any) -> None:
    class Record:
        @property
        def a(self) -> int:
            guest.call("nop")
            return 1

    guest = make()
    _ends(guest, "take-and-spin", [Record()])


def test_an_inner_call_has_no_more_time_than_the_outer_one(make: Any) -> None:
    class Record:
        @property
        def a(self) -> int:
            time.sleep(0.15)
            guest.call("spin")
            return 1

    guest = make()
    _ends(guest, "take-and-spin", [Record()])


def test_another_thread_calls_a_guest_that_spins(make: Any) -> None:
    guest = make()
    refused: list[ThreadError] = []

    def call() -> None:
        while not refused:
            time.sleep(0.02)
            try:
                guest.call("nop")
            except ThreadError as error:
                refused.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    _ends(guest, "spin")
    thread.join()


def test_a_call_without_a_time_has_not_that_of_one_in_another_thread() -> None:
    """Which is going to be refused."""
    spans = Spans()
    seen: list[Any] = []
    span = new_span(TimedOutError("another's"), -1)
    spans.begin(span)
    thread = threading.Thread(target=lambda: seen.extend([spans.overdue(), spans.time_left()]))
    thread.start()
    thread.join()
    spans.end(span)
    assert seen == [None, None]


def test_calls_of_two_threads_have_their_own_time() -> None:
    spans = Spans()
    error, other = TimedOutError("first"), TimedOutError("second")
    first = new_span(error, -1)
    spans.begin(first)

    def second() -> None:
        span = new_span(other, 60)
        spans.begin(span)
        seen.append((spans.overdue(), spans.time_left()[1]))  # type: ignore[index]
        spans.end(span)

    seen: list[Any] = []
    thread = threading.Thread(target=second)
    thread.start()
    thread.join()
    assert seen == [(None, other)]
    assert spans.overdue() is error
    inner = new_span(other, 60)
    spans.begin(inner)
    assert spans.overdue() is error
    spans.end(inner)
    spans.end(first)
    assert not spans
    assert spans.overdue() is None
    assert spans.time_left() is None


def test_parameters_may_have_any_names(load: Any) -> None:
    """Also those of the functions that keep the time."""
    component = load(
        '(module (func (export "f") (param i32 i32 i32) (result i32) (i32.add (local.get 0) (local.get 2))))',
        wit="f: func(store: s32, span: s32, function: s32) -> s32;",
    )
    with component.instantiate(limits=Limits(max_execution_ms=60_000)) as guest:
        assert guest.call("f", store=1, span=2, function=3) == 4


def test_a_call_that_is_over_holds_none_before_it() -> None:
    """Contexts remember calls, and what is scheduled by one begins in a copy of its own."""
    context, calls = copy_context(), []
    for _ in range(5):
        call = Call(None)
        calls.append(call)
        context.run(call.__enter__)
        scheduled = context.run(copy_context)
        context.run(call.leave)
        context = scheduled
    assert context[current] is calls[-1]
    assert [call._before for call in calls] == [None] * 5
