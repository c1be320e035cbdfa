"""A guest's resource that holds one of another: the host drops the outer one while the inner one's guest is called."""

from __future__ import annotations

from typing import Any

import pytest

from tests.instance.test_instance_destructors import OWNER as NAMED_OWNER
from tests.instance.test_instance_foreign_drops import HOLDER
from wippywasm.errors import Trap

OWNER = NAMED_OWNER.replace("$owner", "", 1)
BOXES = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "make" (func $make (param "n" u32) (result (own $thing))))
  (core func $make (canon lower (func $make)))
  (core func $drop (canon resource.drop $thing))
  (core module $d
    (import "" "drop" (func $drop (param i32)))
    (func (export "drop") (param i32) (call $drop (local.get 0))))
  (core instance $d (instantiate $d (with "" (instance (export "drop" (func $drop))))))
  (type $box (resource (rep i32) (dtor (core func $d "drop"))))
  (core func $new (canon resource.new $box))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "make") (param i32) (result i32) (call $new (call $make (local.get 0)))))
  (core instance $i (instantiate $m
    (with "" (instance (export "make" (func $make)) (export "new" (func $new))))))
  (export $exported "thing" (type $box))
  (func (export "make") (param "n" u32) (result (own $exported)) (canon lift (core func $i "make"))))
"""
"""Each has a thing of the owner's, which its destructor drops."""


class Chain:
    """The owner's things in boxes, which a holder has."""

    def __init__(self, load: Any) -> None:
        self.gone: list[int] = []
        self.owner = load(OWNER).instantiate({"gone": self.gone.append, "pause": self._pause})
        self.boxes = load(BOXES).instantiate(self._imports(self.owner))
        self.holder = load(HOLDER).instantiate(self._imports(self.boxes))
        self.during: list[int] = []

    def _imports(self, guest: Any) -> dict[str, Any]:
        return {"thing": guest.exports.Thing, "make": guest.func("make")}

    def _pause(self) -> None:
        self.then()
        self.during += self.gone

    def wait(self, then: Any) -> None:
        """Do that while the owner is called."""
        self.then = then
        self.owner.call("wait")


@pytest.fixture
def chain(load: Any) -> Any:
    made = Chain(load)
    yield made
    for guest in (made.holder, made.boxes, made.owner):
        guest.close()


def test_closing_the_holder(chain: Chain) -> None:
    for n in (1, 2, 3):
        chain.holder.call("hold", n)
    chain.wait(chain.holder.close)
    assert (chain.during, chain.gone) == ([], [1, 2, 3])
    assert chain.boxes.usable


def test_closing_a_box(chain: Chain) -> None:
    box = chain.boxes.call("make", 4)
    chain.wait(box.close)
    assert (chain.during, chain.gone) == ([], [4])
    assert chain.boxes.usable


def test_a_guest_that_drops_a_box_is_ended(chain: Chain) -> None:
    """It had no need to do so then; nothing is lost but the boxes."""

    def drop() -> None:
        with pytest.raises(Trap, match="cannot enter component instance"):
            chain.holder.call("drop", handles[0])

    handles = [chain.holder.call("hold", n) for n in (1, 2, 3)]
    chain.wait(drop)
    assert (chain.during, chain.gone) == ([], [1])
    assert not chain.holder.usable
    assert not chain.boxes.usable
    chain.holder.close()
    assert chain.gone == [1]
    chain.boxes.close()
    assert chain.gone == [1, 2, 3]
