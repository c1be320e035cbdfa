"""Resources that are dropped while somebody is in their guest: destroyed as soon as nobody is, and once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

OWNER = """
(component $owner
  (import "gone" (func $gone (param "n" u32)))
  (import "pause" (func $pause))
  (core func $gone (canon lower (func $gone)))
  (core func $pause (canon lower (func $pause)))
  (core module $d
    (import "" "gone" (func $gone (param i32)))
    (func (export "drop") (param i32) (call $gone (local.get 0))))
  (core instance $d (instantiate $d (with "" (instance (export "gone" (func $gone))))))
  (type $thing (resource (rep i32) (dtor (core func $d "drop"))))
  (core func $new (canon resource.new $thing))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "pause" (func $pause))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "wait") (call $pause)))
  (core instance $i (instantiate $m
    (with "" (instance (export "new" (func $new)) (export "pause" (func $pause))))))
  (export $exported "thing" (type $thing))
  (func (export "make") (param "n" u32) (result (own $exported)) (canon lift (core func $i "make")))
  (func (export "wait") (canon lift (core func $i "wait"))))
"""


def beside(waits: str) -> str:
    """The owner, and another component of the guest, whose `wait` is that function."""
    return f"""
(component
  (import "gone" (func $gone (param "n" u32)))
  (import "pause" (func $pause))
  {OWNER}
  (component $other
    (import "wait" (func $wait))
    (core func $wait (canon lower (func $wait)))
    (core module $m (import "" "wait" (func $wait)) (func (export "wait") (call $wait)))
    (core instance $i (instantiate $m (with "" (instance (export "wait" (func $wait))))))
    (func (export "wait") (canon lift (core func $i "wait"))))
  (instance $a (instantiate $owner (with "gone" (func $gone)) (with "pause" (func $pause))))
  (instance $b (instantiate $other (with "wait" (func {waits}))))
  (alias export $a "thing" (type $thing))
  (export $exported "thing" (type $thing))
  (export "make" (func $a "make") (func (param "n" u32) (result (own $exported))))
  (export "wait" (func $b "wait")))
"""


@pytest.mark.parametrize(
    "source",
    [OWNER.replace("$owner", "", 1), beside("$pause"), beside('$a "wait"')],
    ids=["its component", "another", "another that calls it"],
)
@pytest.mark.parametrize("is_task", [False, True], ids=["plain", "task"])
def test_one_that_is_dropped_during_a_call_goes_when_that_has_returned(load: Any, source: str, is_task: bool) -> None:
    def pause() -> None:
        held.pop().close()
        during.extend(gone)

    gone: list[int] = []
    during: list[int] = []
    guest = load(source).instantiate({"gone": gone.append, "pause": pause})
    held = [guest.call("make", 5)]
    if is_task:
        asyncio.run(guest.call_async("wait"))
    else:
        guest.call("wait")
    assert (during, gone) == ([], [5])
    guest.close()
    assert gone == [5]


def test_those_that_are_dropped_during_a_call_go_in_the_order_of_the_drops(load: Any) -> None:
    def pause() -> None:
        for n in order:
            held[n].close()

    gone: list[int] = []
    order = [1, 0, 2, 4, 3]
    with load(OWNER.replace("$owner", "", 1)).instantiate({"gone": gone.append, "pause": pause}) as guest:
        held = [guest.call("make", n) for n in range(5)]
        guest.call("wait")
        assert gone == order


def test_one_that_is_dropped_by_a_destructor_goes_when_that_has_returned(load: Any) -> None:
    def drop(n: int) -> None:
        gone.append(n)
        if n:
            held[n - 1].close()

    gone: list[int] = []
    with load(OWNER.replace("$owner", "", 1)).instantiate({"gone": drop, "pause": print}) as guest:
        held = [guest.call("make", n) for n in range(100)]
        held[99].close()
        assert gone == [*range(99, -1, -1)]
