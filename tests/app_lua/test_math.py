"""What `math` and `os` have beyond Lua 5.4, for programs written for Wippy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app_lua.hosts import body

POINTS = st.lists(st.floats(allow_nan=False, width=64), min_size=1, max_size=20)


def _or_inf(f: object, x: float) -> float:
    try:
        return f(x)  # type: ignore[operator, no-any-return]
    except OverflowError:
        return math.inf if f is math.cosh or x > 0 else -math.inf


@pytest.mark.parametrize("name", ["sinh", "cosh", "tanh"])
@given(POINTS)
@settings(max_examples=50)
def test_hyperbolic_functions(name: str, points: list[float]) -> None:
    lua = f"local r = {{}} for i, x in ipairs(...) do r[i] = math.{name}(x) end return r"
    wanted = [_or_inf(getattr(math, name), x) for x in points]
    assert body(lua, points) == pytest.approx(wanted, rel=1e-13, abs=1e-320)


def test_no_number_is_none() -> None:
    assert body("local n = 0/0 return {math.sinh(n) ~= math.sinh(n), math.tanh(n) ~= math.tanh(n)}") == [True, True]


def test_the_old_names() -> None:
    assert body("return {math.pow(2, 10), math.log10(1000), math.atan2(-1, -1), os.platform}") == [
        1024.0,
        pytest.approx(3.0),
        pytest.approx(math.atan2(-1, -1)),
        "wippy",
    ]
