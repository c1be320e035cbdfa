"""Regular expressions of policies: what they find, what they refuse, and that no text holds them up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wippywasm.app.security.regex import MAX_TEXT, Regex, RegexSyntaxError, TextTooLongError


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("", "", True),
        ("^doc:.*", "doc:1", True),
        ("^doc:.*", "a doc:1", False),
        ("^api:/v[0-9]+/admin/.*", "api:/v12/admin/x", True),
        ("b|c$", "abc", True),
        ("^(?:a|bc)+$", "abcbca", True),
        ("^(?:a|bc)+$", "abcb", False),
        ("^a{2,3}$", "aaa", True),
        ("^a{2,3}$", "aaaa", False),
        ("^a{2}$", "a", False),
        ("^a{2,}?$", "aaaaa", True),
        ("a{x", "a{x", True),
        (r"^\d\D\w\W\s\S$", "1a_- x", True),
        (r"^\x41\x{1F600}\.$", "A\U0001f600.", True),
        ("^[^a-c]$", "d", True),
        ("^[^a-c]$", "b", False),
        (r"^[]\]-]+$", "]-]", True),
        (r"^[\d_]+$", "1_2", True),
        ("(?i)ADMIN", "an admin", True),
        ("(?i:a)B", "AB", True),
        ("(?i:a)B", "Ab", False),
        ("(?:(?i)a)b", "AB", False),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("(?P<x>a)(?<y>b)", "ab", True),
        ("^$", "", True),
        (r"\Aa\z", "a", True),
        ("$^", "", True),
        ("(a*)*b", "b", True),
        ("(|a)+$", "", True),
        ("x*", "", True),
    ],
)
def test_what_is_found(pattern: str, text: str, found: bool) -> None:
    assert Regex(pattern).found_in(text) is found


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "not closed"),
        (")", r"there is no '\('"),
        ("[a", "']' is missing"),
        ("[b-a]", "wrong way round"),
        ("*a", "nothing to repeat"),
        ("a**", "repeated already"),
        ("a{2,1}", "a count is at most"),
        (r"(a)\1", "references"),
        (r"\bword", "word boundaries"),
        ("(?=a)", "nothing looks around"),
        ("[[:alpha:]]", "a-zA-Z"),
        ("a\\", "ends in a backslash"),
        (r"\x{110000}", "a character's number"),
        ("a" * 1001, "at most 1000 characters"),
        ("(" * 60 + ")" * 60, "nested more than 50 deep"),
        ("(((a{100}){100}){100}){100}", "too large"),
    ],
)
def test_what_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(RegexSyntaxError, match=message):
        Regex(pattern)


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "^", "$", "(?:a|b)", "a?"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}"])).map(lambda one: f"(?:{one[0]}){one[1]}"),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.text("abc", max_size=8))
def test_it_finds_what_python_finds(pattern: str, text: str) -> None:
    expression = pattern.replace("$", r"\Z")
    assert Regex(pattern).found_in(text) is (re.search(expression, text) is not None)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "^(a|a)*$", "(a|aa)+$", "(.*a){12}$", "^(a?){40}a{40}$", "(x+x+)+y", "(a|b)*a(a|b){20}c"]
)
def test_no_text_holds_a_pattern_up(pattern: str) -> None:
    """Each of these takes a matcher that goes back longer than the suite may run."""
    text = "a" * (MAX_TEXT - 1) + "!"
    assert Regex(pattern).found_in(text) is False


def test_a_text_that_is_too_long_is_not_looked_at() -> None:
    with pytest.raises(TextTooLongError):
        Regex("a").found_in("a" * (MAX_TEXT + 1))
