"""Handles: who owns what, who borrows it for how long, and what happens to both ends."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from tests.abi.abi_fakes import FakeFunc, FakeGuest
from wippywasm.abi import (
    Options,
    Resource,
    RuntimeResource,
    destroying,
    lift,
    lower,
    resource_drop,
    resource_new,
    resource_rep,
)
from wippywasm.abi.destroying import run_deferred
from wippywasm.errors import Trap, UnavailableError, ValueMismatchError
from wippywasm.model import S32, BorrowType, FuncType, ListType, OwnType, Param, ResourceType, TupleType

R = ResourceType("counter")
OWN, BORROW = OwnType(R), BorrowType(R)


class Counter:
    """A guest that implements R, whose destructor records representations."""

    def __init__(self) -> None:
        self.guest = FakeGuest()
        self.dropped: list[int] = []
        self.type = RuntimeResource(self.guest.instance, self.dropped.append, "counter")
        self.guest.resources[R] = self.type
        self.new = resource_new(self.type, self.guest.instance)
        self.drop = resource_drop(self.type, self.guest.instance)
        self.rep = resource_rep(self.type, self.guest.instance)

    def lift(self, ft: FuncType, core: Any) -> Any:
        return lift(ft, FakeFunc(core), Options(), self.guest.binding(), name="f")

    def make(self, rep: int) -> Resource:
        made: Resource = self.lift(FuncType((), OWN), lambda: self.new(rep))()
        return made


def test_the_host_owns_what_it_got() -> None:
    counter = Counter()
    resource = counter.make(7)
    assert list(counter.guest.instance.handles) == []
    assert counter.lift(FuncType((Param("self", BORROW),), S32), lambda rep: rep)(resource) == 7
    resource.close()
    resource.close()
    assert counter.dropped == [7]
    assert resource.closed
    with pytest.raises(ValueMismatchError, match=r"self: expected borrow<counter>.*it is closed or was given away"):
        counter.lift(FuncType((Param("self", BORROW),), S32), lambda rep: rep)(resource)


def test_with_and_garbage_collection_close() -> None:
    counter = Counter()
    with counter.make(1):
        pass
    assert counter.dropped == [1]
    counter.make(2)
    gc.collect()
    assert counter.dropped == [1, 2]


@pytest.mark.parametrize("end", ["close", "collect"])
def test_what_ends_while_the_guest_runs_is_dropped_afterwards(end: str) -> None:
    counter = Counter()
    kept = [counter.make(3)]

    def body() -> None:
        if end == "close":
            kept[0].close()
        kept.clear()
        gc.collect()
        assert counter.dropped == []

    counter.lift(FuncType(), body)()
    assert counter.dropped == [3]


def test_methods_are_attributes() -> None:
    counter = Counter()
    counter.type.methods["get"] = counter.lift(FuncType((Param("self", BORROW),), S32), lambda rep: rep)
    resource: Any = counter.make(9)
    assert resource.get() == 9
    assert "get" in dir(resource)
    with pytest.raises(AttributeError, match="resource counter has no method 'put'"):
        resource.put()
    assert repr(resource) == "<Resource counter owned>"


def test_giving_away_moves() -> None:
    counter = Counter()
    taken: list[int] = []
    take = counter.lift(FuncType((Param("r", OWN),)), taken.append)
    resource = counter.make(5)
    take(resource)
    assert counter.rep(taken[0]) == 5
    assert resource.closed
    with pytest.raises(ValueMismatchError, match="given away"):
        take(resource)


def test_a_refused_call_takes_nothing() -> None:
    counter = Counter()
    resource = counter.make(5)
    ft = FuncType((Param("a", OWN), Param("b", BORROW), Param("c", S32)))
    other = counter.make(6)
    with pytest.raises(ValueMismatchError, match="c: expected s32"):
        counter.lift(ft, lambda *a: None)(resource, other, "no")
    assert not resource.closed
    other.close()
    resource.close()
    assert counter.dropped == [6, 5]


def test_one_resource_can_not_be_given_twice() -> None:
    counter = Counter()
    resource = counter.make(5)
    both = counter.lift(FuncType((Param("rs", ListType(OWN)),)), lambda *a: None)
    with pytest.raises(ValueMismatchError, match=r"rs\[1\]: .*it is passed twice, and given away"):
        both([resource, resource])
    assert not resource.closed


def test_what_a_call_borrows_can_not_be_closed_or_given() -> None:
    counter = Counter()
    resource = counter.make(5)
    attempts: list[str] = []

    def body(rep: int) -> None:
        with pytest.raises(UnavailableError) as caught:
            resource.close()
        attempts.append(str(caught.value))

    counter.lift(FuncType((Param("self", BORROW),)), body)(resource)
    assert attempts == ["cannot close a resource while a call borrows it"]
    resource.close()


def user_of(counter: Counter) -> FakeGuest:
    """Another guest that knows the resource type."""
    user = FakeGuest()
    user.resources[R] = counter.type
    return user


def test_a_borrowed_handle_must_be_dropped_in_time() -> None:
    counter = Counter()
    user = user_of(counter)
    drop = resource_drop(counter.type, user.instance)
    ft = FuncType((Param("r", BORROW),))
    resource = counter.make(8)
    lift(ft, FakeFunc(drop), Options(), user.binding())(resource)
    with pytest.raises(Trap, match="borrow handles still remain at the end of the call"):
        lift(ft, FakeFunc(lambda index: None), Options(), user.binding())(resource)
    assert counter.dropped == []


def test_what_a_guest_lends_to_the_host_ends_with_the_call() -> None:
    counter = Counter()
    user = user_of(counter)
    index = resource_new(counter.type, counter.guest.instance)(3)
    handle = counter.guest.instance.handles.remove(index)
    index = user.instance.handles.add(handle)
    drop = resource_drop(counter.type, user.instance)
    kept: list[Resource] = []

    def function(resource: Resource) -> None:
        kept.append(resource)
        assert repr(resource) == "<Resource counter borrowed>"
        with pytest.raises(Trap, match="cannot remove owned resource while borrowed"):
            drop(index)

    _, call = lower(FuncType((Param("r", BORROW),)), function, Options(), user.binding())
    call(index)
    assert kept[0].closed
    drop(index)
    assert counter.dropped == [3]


class Sink:
    def __init__(self) -> None:
        self.closed = False


def test_objects_of_the_host_are_themselves() -> None:
    guest = FakeGuest()
    closed: list[Any] = []
    rt = guest.resources[R] = RuntimeResource(None, lambda held: closed.append(held.value), "sink")
    sink = Sink()
    _, make = lower(FuncType((), OWN), lambda: sink, Options(), guest.binding())
    seen: list[Any] = []
    _, use = lower(FuncType((Param("r", BORROW),)), seen.append, Options(), guest.binding())
    _, take = lower(FuncType((Param("r", OWN),)), seen.append, Options(), guest.binding())
    first, second = make(), make()
    use(first)
    take(first)
    assert seen == [sink, sink]
    with pytest.raises(Trap, match="unknown handle index 1"):
        use(first)
    resource_drop(rt, guest.instance)(second)
    assert closed == [sink]
    assert rt.objects is not None
    assert list(rt.objects) == []


def test_an_object_of_the_host_is_lent_for_one_call() -> None:
    guest = FakeGuest()
    rt = guest.resources[R] = RuntimeResource(None, None, "sink")
    drop = resource_drop(rt, guest.instance)
    lift(FuncType((Param("r", BORROW),)), FakeFunc(drop), Options(), guest.binding())(Sink())
    assert rt.objects is not None
    assert list(rt.objects) == []


def test_types_are_told_apart() -> None:
    counter, other = Counter(), Counter()
    with pytest.raises(ValueMismatchError, match="another type or instance"):
        counter.lift(FuncType((Param("r", OWN),)), lambda i: None)(other.make(1))
    with pytest.raises(ValueMismatchError, match="give the Resource that the guest returned"):
        counter.lift(FuncType((Param("r", OWN),)), lambda i: None)(object())
    index = counter.new(1)
    with pytest.raises(
        Trap, match="handle index 1 used with the wrong type, expected guest-defined resource but found a"
    ):
        resource_rep(other.type, counter.guest.instance)(index)


def test_representations_are_signed_at_the_port() -> None:
    counter = Counter()
    assert counter.rep(counter.new(-5)) == -5
    counter.drop(1)
    assert counter.dropped == [-5]


def test_handles_in_aggregates() -> None:
    counter = Counter()
    ft = FuncType((Param("x", TupleType((ListType(OWN), BORROW))),))
    got: list[Any] = []
    call = counter.lift(ft, lambda p, n, b: got.append((n, b, counter.guest.memory.bytes[p])))
    call(([counter.make(1), counter.make(2)], counter.make(3)))
    assert got == [(2, 3, 1)]
    assert [counter.rep(1), counter.rep(2)] == [1, 2]


def test_a_poisoned_guests_resources_are_let_go_quietly() -> None:
    counter = Counter()
    resource = counter.make(1)
    with pytest.raises(ZeroDivisionError):
        counter.lift(FuncType(), lambda: 1 // 0)()
    del resource
    gc.collect()
    assert counter.dropped == []


def test_what_waits_is_not_forgotten_by_one_who_leaves_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread is in the guest when it is looked at, and has left it, finding nothing, when that waits again."""
    look = destroying._is_destroyed

    def leaving(*args: Any) -> bool:
        found = look(*args)
        if entered:
            entered.pop().leave()
        return found

    monkeypatch.setattr(destroying, "_is_destroyed", leaving)
    counter = Counter()
    inst = counter.guest.instance
    entered: list[Any] = []
    resource = counter.make(1)
    inst.enter_from(None, [])
    resource.close()
    assert counter.dropped == []
    entered.append(inst)
    run_deferred(inst)
    assert counter.dropped == [1]
    assert not inst.deferred
