"""Patterns of actions and resources."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wippywasm.app.security.globs import Glob


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("*", "anything:at/all", True),
        ("funcs.*", "funcs.call", True),
        ("funcs.*", "funcs", False),
        ("*.read", "document.read", True),
        ("*.read", "document.reader", False),
        ("app.*:get_*", "app.api:get_user", True),
        ("app.*:get_*", "app:get_user", False),
        ("a*a", "a", False),
        ("a**b", "ab", True),
        ("app:x", "app:x", True),
        ("app:x", "app:xy", False),
        ("[a]?.b", "[a]?.b", True),
        ("[a]?.b", "a?.b", False),
        ("*a\n*", "xa\ny", True),
    ],
)
def test_the_whole_text_fits(pattern: str, text: str, fits: bool) -> None:
    assert Glob(pattern).matches(text) is fits


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_it_is_as_a_regular_expression_has_it(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert Glob(pattern).matches(text) is (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_a_hostile_pattern_looks_at_no_character_twice_for_each_star() -> None:
    """A matcher that goes back takes ages for this."""
    assert not Glob("*a" * 50 + "b").matches("a" * 100_000)
