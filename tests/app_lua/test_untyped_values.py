"""Values without a signature, as they pass between Python and Lua."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app_lua.hosts import FakeHost, body, run
from wippywasm.app.lua import LuaLimits
from wippywasm.errors import InvalidError, LuaError, NotFoundError
from wippywasm.values import Err, Ok, Some, Variant

ECHO = "return function(...) return ... end"


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -(1 << 63), (1 << 63) - 1, 1.5, float("inf"), "", "aé\0", b"\xff\xfe",
        [], [1, "a", [2.0]], {"a": {"b": [1]}}, {1: "a", 5: "b"}, [1, None, 3, None], {"n": 3, "x": 1},
    ],
)  # fmt: skip
def test_a_value_comes_back(value: Any) -> None:
    assert run(ECHO, value) == value


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (b"ascii", "ascii"),
        (bytearray(b"\xff"), b"\xff"),
        ((1, 2), [1, 2]),
        ({}, []),
        ({1: "a", 2: "b"}, ["a", "b"]),
        ({"a"}, {"a": True}),
        ((1 << 64) - 1, -1),
        (Variant("a", 1), {"tag": "a", "value": 1}),
        (Some(1), {"some": 1}),
        (Ok(1), {"ok": 1}),
        (Err("x"), {"err": "x"}),
    ],
)
def test_a_value_comes_back_as_lua_has_it(value: Any, back: Any) -> None:
    assert run(ECHO, value) == back


@pytest.mark.parametrize(
    ("lua", "value"),
    [
        ("{1, 2, 3}", [1, 2, 3]),
        ("{}", []),
        ("{n = 2}", {"n": 2}),
        ("{n = 0}", {"n": 0}),
        ("table.pack(nil, nil)", [None, None]),
        ("table.pack()", []),
        ("table.pack(nil, 2)", [None, 2]),
        ("{[2] = 'b'}", {2: "b"}),
        ("{1, x = 2}", {1: 1, "x": 2}),
        ("setmetatable({1}, {__index = error, __len = error, __pairs = error})", [1]),
        ("'\\xff'", b"\xff"),
        ("1.0", 1.0),
    ],
)
def test_lua_values_in_python(lua: str, value: Any) -> None:
    result = body(f"return {lua}")
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("lua", "message"),
    [
        ("{a = {1, print}}", "result.a[2]: a function can't leave its program"),
        ("{['b-c'] = coroutine.create(print)}", "result['b-c']: a thread can't leave its program"),
        ("{[1.5] = 1}", "a key must be a string or an integer, got a number"),
        ("{[true] = 1}", "a key must be a string or an integer, got a boolean"),
        ("(function() local t = {} t.t = {t} return t end)()", "result.t[1]: the table contains itself"),
        ("funcs.new()", "result: a funcs.new() can't leave its program"),
        ("{funcs.async('x')}", "result[1]: a future can't leave its program"),
    ],
)
def test_what_can_not_leave_is_refused_with_its_place(lua: str, message: str) -> None:
    with pytest.raises(LuaError) as caught:
        body(f"return {lua}")
    assert message in str(caught.value)


def test_an_argument_that_can_not_leave_is_an_invalid_call() -> None:
    host = FakeHost()
    host.serve("app:f", lambda *_: None)
    source = "local v, e = funcs.call('app:f', 1, {x = print}) return e:kind() .. ' ' .. e:message()"
    assert body(source, host=host) == "INVALID argument 2.x: a function can't leave its program"


def test_size_and_depth_are_bounded_both_ways() -> None:
    limits = LuaLimits(values=100, depth=10)
    with pytest.raises(LuaError, match="more than 100 values"):
        body("local t = {} for i = 1, 200 do t[i] = i end return t", limits=limits)
    with pytest.raises(LuaError, match="nested deeper than 10 levels"):
        body("local t = {} for i = 1, 20 do t = {t} end return t", limits=limits)
    with pytest.raises(InvalidError, match="more than 100 parts"):
        run(ECHO, list(range(200)), limits=limits)
    nested: list[Any] = []
    for _ in range(20):
        nested = [nested]
    with pytest.raises(InvalidError, match="nested deeper than 10 levels"):
        run(ECHO, nested, limits=limits)


def test_what_lua_has_no_word_for_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for value, message in (
        (loop, "contains itself"),
        (object(), "no word for an object"),
        (1 << 64, "does not fit in 64 bits"),
        ({1.5: 1}, "key must be a string or an integer"),
    ):
        with pytest.raises(InvalidError, match=message):
            run(ECHO, value)


def test_an_error_is_a_value_too() -> None:
    error = NotFoundError("gone", details={"id": 1})
    assert run("return function(e) return {e:kind(), e:message(), e:details().id} end", error) == [
        "NOT_FOUND",
        "gone",
        1,
    ]
    assert run("return function(e) return {e} end", error) == [error]


def test_a_table_may_occur_twice() -> None:
    assert body("local t = {1} return {t, t}") == [[1], [1]]


_SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.binary(min_size=1, max_size=4).map(lambda b: b + b"\xff"),
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(alphabet="abé-", min_size=1, max_size=3), inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=80)
@given(_TREES)
def test_any_tree_comes_back(value: Any) -> None:
    host = FakeHost()
    host.serve("app:echo", lambda v: v)
    assert body("return (funcs.call('app:echo', ...))", value, host=host) == value
