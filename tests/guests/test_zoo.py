"""Every kind of type through a C component that lays out its own memory; see zoo/zoo.wit."""

from __future__ import annotations

import math
from typing import Any

import pytest

from wippywasm import Err, Ok, Some, Variant
from wippywasm.errors import Trap, ValueMismatchError, WitError

ACCESS = {
    "read",
    "write",
    "execute",
    "lock",
    "list-files",
    "make-files",
    "remove-files",
    "change-owner",
    "seal",
}
FIELDS = "abcdefghijkl"
LOW = dict(zip(FIELDS, [0, -127, 0, -32767, 0, -(2**31) + 1, 0, -(2**63) + 1, -1.5, -1e300, False, "b"]))
HIGH = dict(
    zip(FIELDS, [2**8 - 1, 127, 2**16 - 1, 32767, 2**32 - 1, 2**31 - 1, 2**64 - 1, 2**63 - 1, 1.5, 1e300, True, "c"])
)


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("negate", [True], False),
        ("negate", [False], True),
        ("next-char", ["y"], "z"),
        ("next-char", ["😀"], "😁"),
        ("half", [3.0, 1e-300], (1.5, 5e-301)),
        ("negate-all", [LOW], HIGH),
        ("negate-all", [HIGH], LOW),
        ("ping", [], None),
        ("double", [Variant("nothing")], Variant("nothing")),
        ("double", [Variant("circle", 1.25)], Variant("circle", 2.5)),
        ("double", [Variant("rectangle", (1.5, -2.0))], Variant("rectangle", (3.0, -4.0))),
        ("double", [Variant("label", "hé")], Variant("label", "héhé")),
        ("double", [Variant("label", "")], Variant("label", "")),
        ("double", [Variant("serial", 2**64 - 2)], Variant("serial", 2**64 - 1)),
        ("next-color", ["red"], "green"),
        ("next-color", ["blue"], "red"),
        ("invert", [set()], ACCESS),
        ("invert", [{"read", "seal"}], ACCESS - {"read", "seal"}),
        ("climb", [None], Some(None)),
        ("climb", [Some(None)], Some(0)),
        ("climb", [Some(41)], Some(42)),
        ("swap", [Err(7)], 7),
        ("swap-all", [[Ok(7), Err("x"), Err("")]], [Err(7), Ok("x"), Ok("")]),
        ("agree", [True], None),
        ("add-many", [*range(1, 17), 2**63], 2**63 + 136),
        ("transpose", [[[1, 2], [3, 4], [5, 6]]], [[1, 3, 5], [2, 4, 6]]),
        ("transpose", [[]], []),
        ("transpose", [[[], []]], []),
    ],
)
def test_what_comes_back(zoo: Any, name: str, arguments: list[Any], answer: Any) -> None:
    assert zoo.call(f"kinds#{name}", *arguments) == answer


def test_floats_that_are_no_numbers(zoo: Any) -> None:
    a, b = zoo.call("kinds#half", math.nan, -math.inf)
    assert math.isnan(a)
    assert b == -math.inf


@pytest.mark.parametrize(("name", "argument", "payload"), [("swap", Ok("bad"), "bad"), ("agree", False, None)])
def test_a_top_level_error_is_raised(zoo: Any, name: str, argument: Any, payload: Any) -> None:
    with pytest.raises(WitError) as refused:
        zoo.call(f"kinds#{name}", argument)
    assert refused.value.payload == payload


@pytest.mark.parametrize(
    ("name", "arguments", "path"),
    [
        ("negate", [1], "value"),
        ("next-char", ["ab"], "value"),
        ("negate-all", [{**HIGH, "b": 128}], "value.b"),
        ("double", [Variant("circle", "round")], "value.circle"),
        ("double", [Variant("triangle")], "value"),
        ("next-color", ["purple"], "value"),
        ("invert", [{"read", "raed"}], "value"),
        ("swap-all", [[Ok(7), Err(8)]], "values[1].err"),
        ("transpose", [[[1], [2, "3"]]], "rows[1][1]"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(zoo: Any, name: str, arguments: list[Any], path: str) -> None:
    with pytest.raises(ValueMismatchError) as misfit:
        zoo.call(f"kinds#{name}", *arguments)
    assert misfit.value.path == path
    assert zoo.call("kinds#negate", True) is False


def test_a_char_past_the_last_one_traps(zoo: Any) -> None:
    """The guest adds one to U+10FFFF, which the host must not take for a character."""
    with pytest.raises(Trap):
        zoo.call("kinds#next-char", "\U0010ffff")


class TestResources:
    """`counter`: made, called, moved, borrowed, dropped."""

    def test_methods(self, zoo: Any) -> None:
        with zoo.call("kinds#[constructor]counter", 5) as counter:
            assert zoo.call("kinds#[method]counter.add", counter, 3) == 8
            assert zoo.call("kinds#[method]counter.value", counter) == 8
            assert zoo.call("kinds#live-counters") == 1
        assert zoo.call("kinds#live-counters") == 0

    def test_the_object_has_the_methods(self, zoo: Any) -> None:
        with zoo.call("kinds#[constructor]counter", 5) as counter:
            assert counter.add(3) == 8
            assert counter.value() == 8

    def test_an_owned_handle_moves_and_a_borrowed_one_stays(self, zoo: Any) -> None:
        first = zoo.call("kinds#[constructor]counter", 1)
        second = zoo.call("kinds#[constructor]counter", 10)
        joined = zoo.call("kinds#[static]counter.join", first, second)
        assert joined.value() == 11
        assert second.value() == 10
        assert zoo.call("kinds#live-counters") == 2
        with pytest.raises(ValueMismatchError):
            zoo.call("kinds#[method]counter.value", first)
        second.close()
        joined.close()
        assert zoo.call("kinds#live-counters") == 0
