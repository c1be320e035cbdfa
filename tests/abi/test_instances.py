"""When a guest may be entered and left, by whom, and what a trap does to it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.abi.abi_fakes import FakeFunc, FakeGuest
from wippywasm.abi import ComponentInstance, Options, Table, lift, lower
from wippywasm.abi.state import ComponentInstance as Instance
from wippywasm.errors import PoisonedError, ThreadError, Trap, ValueMismatchError
from wippywasm.model import S32, STRING, FuncType, ListType, Param, TupleType
from wippywasm.threads import here

NOTHING = FuncType()


def boom() -> None:
    raise KeyboardInterrupt


def test_a_trap_bars_the_instance() -> None:
    guest = FakeGuest()
    call = lift(NOTHING, FakeFunc(boom), Options(), guest.binding())
    with pytest.raises(KeyboardInterrupt):
        call()
    with pytest.raises(PoisonedError, match="cannot enter component instance: an earlier call ended it: Keyboard"):
        call()


def test_a_trap_while_reading_results_bars_it_too() -> None:
    guest = FakeGuest()
    call = lift(FuncType((), STRING), FakeFunc(lambda: 65534), Options(), guest.binding())
    with pytest.raises(Trap, match="unaligned pointer"):
        call()
    with pytest.raises(PoisonedError):
        call()


def test_a_refused_value_does_not() -> None:
    guest = FakeGuest()
    call = lift(FuncType((Param("x", S32),), S32), FakeFunc(lambda x: x), Options(), guest.binding())
    with pytest.raises(ValueMismatchError):
        call("x")
    assert call(4) == 4


def test_a_running_guest_is_not_entered_again() -> None:
    guest = FakeGuest()
    inner = lift(NOTHING, FakeFunc(lambda: None), Options(), guest.binding())
    outer = lift(NOTHING, FakeFunc(lambda: inner()), Options(), guest.binding())
    with pytest.raises(Trap, match="cannot enter component instance"):
        outer()


def test_parents_and_children_do_not_call_each_other() -> None:
    parent = ComponentInstance()
    child = FakeGuest(ComponentInstance(parent))
    function = lift(NOTHING, FakeFunc(lambda: None), Options(), child.binding(), caller=parent)
    assert child.instance.entering_set(parent) == (child.instance,)
    function()
    assert child.instance.may_enter
    _, down = lower(NOTHING, function, Options(), FakeGuest(parent).binding())
    run = lift(NOTHING, FakeFunc(down), Options(), FakeGuest(parent).binding())
    run()
    up = lift(NOTHING, FakeFunc(lambda: None), Options(), FakeGuest(parent).binding(), caller=child.instance)
    up()


def test_a_bound_instance_knows_its_thread() -> None:
    guest = FakeGuest(ComponentInstance(owner=here.number))
    call = lift(NOTHING, FakeFunc(lambda: None), Options(), guest.binding())
    call()
    caught: list[BaseException] = []

    def elsewhere() -> None:
        try:
            call()
        except ThreadError as error:
            caught.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "belongs to another thread" in str(caught[0])
    call()


def test_post_return_gets_the_results_and_may_not_leave() -> None:
    guest = FakeGuest()
    seen: list[Any] = []
    _, leave = lower(NOTHING, lambda: None, Options(), guest.binding())

    def post(result: int) -> None:
        seen.append(result)
        leave()

    binding = guest.binding(post_return=FakeFunc(post))
    call = lift(FuncType((), S32), FakeFunc(lambda: 7), Options(), binding)
    with pytest.raises(Trap, match="cannot leave component instance"):
        call()
    assert seen == [7]


def test_realloc_may_not_leave() -> None:
    guest = FakeGuest()
    _, leave = lower(NOTHING, lambda: None, Options(), guest.binding())

    def realloc(*args: int) -> int:
        leave()
        return guest.realloc(*args)

    call = lift(FuncType((Param("x", STRING),)), FakeFunc(lambda *a: None), Options(), guest.binding(realloc=realloc))
    with pytest.raises(Trap, match="cannot leave component instance"):
        call("text")


def test_memory_that_grows_while_allocating_is_written_where_it_is() -> None:
    guest = FakeGuest()
    got: list[Any] = []
    t = ListType(TupleType((STRING, ListType(S32))))
    ft = FuncType((Param("x", t),))
    _, receive = lower(ft, lambda x: got.append(x), Options(), guest.binding())
    value = [("x" * 50_000, list(range(9000))) for _ in range(4)]
    lift(ft, FakeFunc(receive), Options(), guest.binding())(value)
    assert got == [value]
    assert guest.memory.size() > 4


def test_batches_are_asked_for_at_once() -> None:
    guest = FakeGuest()
    asked: list[list[tuple[int, int]]] = []

    def batch(requests: Any, end: int, look: Any) -> list[int]:
        asked.append([(r >> 32, r & 0xFFFF_FFFF) for r in requests])
        return [guest.realloc(0, 0, r >> 32, r & 0xFFFF_FFFF) for r in requests]

    plain = guest.binding()
    binding = type(plain)(plain.instance, plain.memory, plain.realloc, None, {}, batch)
    ft = FuncType((Param("x", ListType(STRING)),))
    lift(ft, FakeFunc(lambda *core: None), Options(), binding)(["ab", "", "c"])
    assert asked == [[(4, 24), (1, 2), (1, 0), (1, 1)]]


def test_table_indices_are_reused_last_in_first_out() -> None:
    table = Table()
    assert [table.add(x) for x in "abc"] == [1, 2, 3]
    table.remove(2)
    table.remove(1)
    assert [table.add(x) for x in "de"] == [1, 2]
    assert list(table) == ["d", "e", "c"]
    for index in (0, 4, 2**32 - 1):
        with pytest.raises(Trap, match=f"unknown handle index {index}"):
            table.get(index)


def test_entering_sets_follow_the_specification() -> None:
    root = Instance()
    left, right = Instance(root), Instance(root)
    assert left.entering_set(None) == (left, root)
    assert left.entering_set(right) == (left,)
    assert root.entering_set(left) == ()
    assert left.may_enter_from(right)
    left.enter_from(right, [])
    assert not left.may_enter_from(None)
    assert right.may_enter_from(None)
    left.leave_to(right)
    assert left.may_enter_from(None)
