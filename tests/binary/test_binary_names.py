"""The grammar of names and how far apart they must be."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wippywasm.binary.names import NameSet, NameSyntaxError, is_label, parse_extern_name

# The grammar as the specification writes it. Fine for short texts: a digit has two ways to match.
GRAMMAR = re.compile(r"(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*\Z")


@settings(max_examples=300)
@given(st.text("aZ1-", max_size=12))
def test_labels_are_those_of_the_grammar(text: str) -> None:
    assert is_label(text) == (GRAMMAR.match(text) is not None)


def test_long_labels_cost_no_more_than_their_length() -> None:
    started = time.perf_counter()
    assert not is_label("a" + "-1" * 50_000 + "-!")
    assert not is_label("a" + "1" * 100_000 + "!")
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a1-2-3", "label"),
        ("A11-4CR0NYMS", "label"),
        ("[constructor]foo", "constructor"),
        ("[method]foo.bar-baz", "method"),
        ("[static]foo.bar", "static"),
        ("wasi:http/types", "interface"),
        ("wasi:http/types@0.2.0", "interface"),
        ("a:b/C-d@1.0.0-rc.1+build", "interface"),
        ("a:b/c@2", "interface"),
        ("a:b/c@0.2", "interface"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert parse_extern_name(text).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "1a",
        "aB",
        "a--b",
        "a_b",
        "é",
        "[other]a",
        "[method]a",
        "[method]a.b.c",
        "a:b",
        "a:b/c/d",
        "a:b:c/d",
        "A:b/c",
        "a:B/c",
        "a:b/c@",
        "a:b/c@1.2",
        "a:b/c@01.0.0",
        "a:b/c@1.0.0-",
        "a:b/c@0.0",
        "a:b/c@1.0.0-01",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(NameSyntaxError):
        parse_extern_name("")
    with pytest.raises(NameSyntaxError):
        parse_extern_name(text)


SPREAD = ["foo", "foo-bar", "[constructor]foo", "[method]foo.bar", "[static]foo.baz", "foo:bar/baz"]
"""The specification's own example of names that are apart, and below of what can't join them."""


@pytest.mark.parametrize(
    "text",
    [
        "foo",
        "FOO",
        "foo-BAR",
        "[constructor]FOO",
        "[method]foo.BAR",
        "[static]foo.bar",
        "[method]foo.baz",
        "[method]foo.foo",
        "[static]foo-BAR.FOO-bar",
        "foo:bar/BAZ",
    ],
)
def test_strong_uniqueness(text: str) -> None:
    names = NameSet("import")
    for name in SPREAD:
        names.add(parse_extern_name(name))
    with pytest.raises(NameSyntaxError, match="conflicts with previous name"):
        names.add(parse_extern_name(text))
