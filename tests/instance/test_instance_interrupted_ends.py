"""Ctrl-C wherever it may come while guests and resources are closed, lent or given away: what each of them owns goes
once, and who closes again is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.instance.test_instance_collector import GUEST
from tests.instance.test_instance_foreign_drops import HOLDER
from tests.interrupts import is_interrupted
from wippywasm import Limits, calling
from wippywasm.errors import ValueMismatchError

BORROWER = """(component
  (import "thing" (type $thing (sub resource)))
  (core func $drop (canon resource.drop $thing))
  (core module $m
    (import "" "drop" (func $drop (param i32)))
    (func (export "use") (param i32) (call $drop (local.get 0)))
    (func (export "use-with") (param i32 i32) (call $drop (local.get 0)))
    (func (export "take") (param i32)))
  (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
  (func (export "use") (param "x" (borrow $thing)) (canon lift (core func $i "use")))
  (func (export "use-with") (param "x" (borrow $thing)) (param "n" u8) (canon lift (core func $i "use-with")))
  (func (export "take") (param "x" (own $thing)) (canon lift (core func $i "take"))))"""


class Things:
    """Things of a guest, or of Python. `gone` has the numbers of those that ended."""

    def __init__(self, load: Any, is_guests: bool) -> None:
        self.gone: list[int] = []
        self._owners = load(GUEST) if is_guests else None
        self.owner: Any = None
        self.renew()

    def renew(self) -> None:
        """Where Ctrl-C came into a destructor, that has ended its guest."""
        if self._owners is not None and (self.owner is None or not self.owner.usable):
            self.owner = self._owners.instantiate({"told": self.gone.append})

    @property
    def imports(self) -> dict[str, Any]:
        if self.owner is not None:
            return {"thing": self.owner.exports.Thing, "make": self.owner.func("make")}
        gone = self.gone

        class Thing:
            def __init__(self, n: int) -> None:
                self.n = n

            def close(self) -> None:
                gone.append(self.n)

        return {"thing": Thing, "make": Thing}

    def check(self, *numbers: int) -> None:
        """Whether just these have ended, or may end with their guest any more."""
        if self.owner is not None and self.owner.usable:
            self.owner.call("same", 1)  # runs what had to wait
        is_whole = self.owner is None or self.owner.usable
        assert sorted(self.gone) == [*numbers] if is_whole else set(self.gone) <= {*numbers}
        assert len(set(self.gone)) == len(self.gone)
        self.gone.clear()
        self.renew()


@pytest.fixture(params=[True, False], ids=["guest's", "host's"])
def things(load: Any, request: pytest.FixtureRequest) -> Things:
    return Things(load, request.param)


@pytest.fixture
def owned(load: Any) -> Things:
    return Things(load, is_guests=True)


def at_each_place(begin: Callable[[], tuple[Callable[[], object], Callable[[], None]]]) -> None:
    """What `begin` gives: a call, and what is checked after Ctrl-C in that."""
    n, is_there = 0, True
    while is_there:
        n += 1
        call, check = begin()
        is_there = is_interrupted(n, call)
        check()
    assert n > 20


def test_a_guest_that_is_closed(things: Things, load: Any) -> None:
    holders = load(HOLDER)

    def begin() -> Any:
        holder = holders.instantiate(things.imports)
        for n in range(3):
            holder.call("hold", n)

        def check() -> None:
            holder.close()
            assert holder.closed
            things.check(0, 1, 2)

        return holder.close, check

    at_each_place(begin)


def test_a_resource_that_is_closed(owned: Things) -> None:
    def begin() -> Any:
        thing = owned.owner.call("make", 1)

        def check() -> None:
            thing.close()
            assert thing.closed
            owned.check(1)

        return thing.close, check

    at_each_place(begin)


def test_one_that_is_lent(things: Things, load: Any) -> None:
    borrowers = load(BORROWER)

    def begin() -> Any:
        imports = things.imports
        borrower, thing = borrowers.instantiate(imports), imports["make"](1)
        use = borrower.func("use")
        use(thing)

        def check() -> None:
            borrower.close()
            assert things.gone == []
            thing.close()
            things.check(1)

        return lambda: use(thing), check

    at_each_place(begin)


def test_one_that_is_lent_beside_what_does_not_fit(things: Things, load: Any) -> None:
    imports = things.imports
    use = load(BORROWER).instantiate(imports).func("use-with")

    def begin() -> Any:
        thing = imports["make"](1)

        def check() -> None:
            thing.close()
            things.check(1)

        def lend() -> None:
            with pytest.raises(ValueMismatchError, match="300"):
                use(thing, 300)

        return lend, check

    at_each_place(begin)


def test_one_that_is_given_away(things: Things, load: Any) -> None:
    borrowers = load(BORROWER)

    def begin() -> Any:
        imports = things.imports
        borrower, thing = borrowers.instantiate(imports), imports["make"](1)
        take = borrower.func("take")
        take(imports["make"](2))

        def check() -> None:
            borrower.close()
            if 1 not in things.gone:
                thing.close()
            things.check(1, 2)

        return lambda: take(thing), check

    at_each_place(begin)


def test_the_clock_of_a_call_with_a_time(load: Any) -> None:
    component = load('(module (func (export "f")))', wit="f: func();")
    others = component.instantiate()

    def begin() -> Any:
        guest = component.instantiate(limits=Limits(max_execution_ms=60_000))
        call = guest.func("f")
        call()
        before = len(calling.under_way)

        def check() -> None:
            assert calling.current.get() is None
            assert len(calling.under_way) <= before
            guest.close()
            others.call("f")

        return call, check

    at_each_place(begin)


def test_ctrl_c_after_an_error_of_a_destructor(load: Any) -> None:
    class Thing:
        def __init__(self, n: int) -> None:
            self.n = n

        def close(self) -> None:
            raise KeyboardInterrupt if self.n else ValueError("its end")

    holder = load(HOLDER).instantiate({"thing": Thing, "make": Thing})
    for n in range(2):
        holder.call("hold", n)
    with pytest.raises(KeyboardInterrupt):
        holder.close()
    holder.close()
    assert holder.closed
