"""Handles as guests may guess them: any sequence of what can be done with an index, against the tables of the
specification.

A `maker` implements a resource; a `user` and a `holder` know it from outside. What the host calls takes raw indices and
representations, so each sequence of calls is one that a hostile guest could make.

Spec: `CanonicalABI.md`, "Table State", "Resource State", `canon resource.{new,drop,rep}`, `lift_own`, `lift_borrow`.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import wippywasm
from wippywasm.errors import PoisonedError, Trap

SETTINGS = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)

SOURCE = """
(component
  (import "dropped" (func $dropped (param "rep" u32)))
  (component $Maker
    (import "dropped" (func $dropped (param "rep" u32)))
    (core func $dropped' (canon lower (func $dropped)))
    (core module $Dtor
      (import "" "dropped" (func $dropped (param i32)))
      (func (export "dtor") (param i32) (call $dropped (local.get 0))))
    (core instance $dtor (instantiate $Dtor (with "" (instance (export "dropped" (func $dropped'))))))
    (type $R' (resource (rep i32) (dtor (core func $dtor "dtor"))))
    (export $R "r" (type $R'))
    (core func $new (canon resource.new $R'))
    (core func $rep (canon resource.rep $R'))
    (core func $drop (canon resource.drop $R'))
    (core module $M (func (export "same") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $M))
    (func (export "make") (param "rep" u32) (result (own $R)) (canon lift (core func $new)))
    (func (export "keep") (param "r" (own $R)) (result u32) (canon lift (core func $m "same")))
    (func (export "take") (param "r" (own $R)) (canon lift (core func $drop)))
    (func (export "look") (param "r" (borrow $R)) (result u32) (canon lift (core func $m "same")))
    (func (export "return") (param "index" u32) (result (own $R)) (canon lift (core func $m "same")))
    (func (export "new") (param "rep" u32) (result u32) (canon lift (core func $new)))
    (func (export "rep") (param "index" u32) (result u32) (canon lift (core func $rep)))
    (func (export "drop") (param "index" u32) (canon lift (core func $drop))))
  (component $User
    (import "maker" (instance $maker
      (export "r" (type $r (sub resource)))
      (export "make" (func (param "rep" u32) (result (own $r))))
      (export "keep" (func (param "r" (own $r)) (result u32)))
      (export "take" (func (param "r" (own $r))))
      (export "look" (func (param "r" (borrow $r)) (result u32)))
      (export "return" (func (param "index" u32) (result (own $r))))))
    (alias export $maker "r" (type $R))
    (import "hold" (func $hold (param "r" (borrow $R)) (param "drops" bool) (result u32)))
    (core func $make (canon lower (func $maker "make")))
    (core func $keep (canon lower (func $maker "keep")))
    (core func $take (canon lower (func $maker "take")))
    (core func $look (canon lower (func $maker "look")))
    (core func $return (canon lower (func $maker "return")))
    (core func $hold' (canon lower (func $hold)))
    (core func $drop (canon resource.drop $R))
    (func (export "make") (param "rep" u32) (result u32) (canon lift (core func $make)))
    (func (export "keep") (param "index" u32) (result u32) (canon lift (core func $keep)))
    (func (export "take") (param "index" u32) (canon lift (core func $take)))
    (func (export "look") (param "index" u32) (result u32) (canon lift (core func $look)))
    (func (export "return") (param "index" u32) (result u32) (canon lift (core func $return)))
    (func (export "hold") (param "index" u32) (param "drops" bool) (result u32) (canon lift (core func $hold')))
    (func (export "drop") (param "index" u32) (canon lift (core func $drop))))
  (component $Holder
    (import "r" (type $R (sub resource)))
    (core func $drop (canon resource.drop $R))
    (core module $M
      (import "" "drop" (func $drop (param i32)))
      (func (export "hold") (param i32 i32) (result i32)
        (if (local.get 1) (then (call $drop (local.get 0))))
        (local.get 0)))
    (core instance $m (instantiate $M (with "" (instance (export "drop" (func $drop))))))
    (func (export "hold") (param "r" (borrow $R)) (param "drops" bool) (result u32) (canon lift (core func $m "hold"))))
  (instance $maker (instantiate $Maker (with "dropped" (func $dropped))))
  (instance $holder (instantiate $Holder (with "r" (type $maker "r"))))
  (instance $user (instantiate $User (with "maker" (instance $maker)) (with "hold" (func $holder "hold"))))
  (export "user" (instance $user))
  (export "new" (func $maker "new"))
  (export "rep" (func $maker "rep"))
  (export "drop" (func $maker "drop")))
"""


class Table:
    """A handle table that holds representations, as the specification has it."""

    def __init__(self) -> None:
        self.array: list[int | None] = [None]
        self.free: list[int] = []

    def add(self, rep: int) -> int:
        if self.free:
            index = self.free.pop()
            self.array[index] = rep
            return index
        self.array.append(rep)
        return len(self.array) - 1

    def get(self, index: int) -> int:
        rep = self.array[index] if index < len(self.array) else None
        if rep is None:
            raise Trap("no such handle")
        return rep

    def remove(self, index: int) -> int:
        rep = self.get(index)
        self.array[index] = None
        self.free.append(index)
        return rep


class Model:
    """What the specification says becomes of each call."""

    def __init__(self) -> None:
        self.maker, self.user, self.holder = Table(), Table(), Table()
        self.dropped: list[int] = []

    def new(self, rep: int) -> int:
        return self.maker.add(rep)

    def rep(self, index: int) -> int:
        return self.maker.get(index)

    def drop(self, index: int) -> None:
        self.dropped.append(self.maker.remove(index))

    def user_make(self, rep: int) -> int:
        return self.user.add(self.maker.remove(self.maker.add(rep)))

    def user_keep(self, index: int) -> int:
        return self.maker.add(self.user.remove(index))

    def user_take(self, index: int) -> None:
        self.dropped.append(self.maker.remove(self.maker.add(self.user.remove(index))))

    def user_look(self, index: int) -> int:
        return self.user.get(index)

    def user_return(self, index: int) -> int:
        return self.user.add(self.maker.remove(index))

    def user_hold(self, index: int, drops: bool) -> int:
        lent = self.holder.add(self.user.get(index))
        if not drops:
            raise Trap("borrow handles still remain")
        self.holder.remove(lent)
        return lent

    def user_drop(self, index: int) -> None:
        self.dropped.append(self.user.remove(index))


BY_MAKER = ("rep", "drop", "user_return")
BY_USER = ("user_keep", "user_take", "user_look", "user_drop", "user_hold")
FAR = (2**28 - 1, 2**28, 2**31, 2**32 - 1)


def call(random: Random, model: Model) -> tuple[Any, ...]:
    """Something to do: mostly with a handle that there is, for otherwise the sequence ends at once."""
    guesses = random.random() < 0.03
    live = {
        name: [index for index, rep in enumerate(table.array) if rep is not None]
        for names, table in ((BY_MAKER, model.maker), (BY_USER, model.user))
        for name in names
    }
    name = random.choice(["new", "user_make", "user_make", *(n for n, found in live.items() if found or guesses)])
    if name not in live:
        return name, random.choice([0, 1, 2, random.getrandbits(32)])
    index = random.choice([*range(6), *FAR] if guesses else live[name])
    return (name, index, random.random() > 0.1) if name == "user_hold" else (name, index)


def result_of(function: Any, arguments: tuple[Any, ...]) -> Any:
    try:
        return function(*arguments)
    except Trap:
        return Trap


@pytest.fixture(scope="module")
def components() -> dict[str, Any]:
    return {}


@SETTINGS
@given(seed=st.integers(0, 2**32 - 1))
def test_any_sequence(engine: str, components: dict[str, Any], seed: int) -> None:
    if engine not in components:
        components[engine] = wippywasm.load(SOURCE, engine=engine)
    component = components[engine]
    dropped: list[int] = []
    model, random = Model(), Random(seed)
    with component.instantiate({"dropped": dropped.append}) as guest:
        for _ in range(40):
            name, *arguments = call(random, model)
            expected = result_of(getattr(model, name), tuple(arguments))
            owner = guest.exports["user"] if name.startswith("user_") else guest.exports
            python = {"return": "return_"}.get(name.removeprefix("user_"), name.removeprefix("user_"))
            function = getattr(owner, python)
            assert result_of(function, tuple(arguments)) == expected
            assert dropped == model.dropped
            if expected is Trap:
                with pytest.raises(PoisonedError):
                    function(*arguments)
                break
