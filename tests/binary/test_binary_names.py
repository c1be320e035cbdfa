"""The grammar of names and how far apart they must be."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.binary.binary_text import component, refused
from wippywasm.binary.features import ALL, CANONICAL_NAMES, DEFAULT, DEPENDENCY_NAMES
from wippywasm.binary.name_parts import NameSyntaxError, is_label
from wippywasm.binary.names import NameSet, parse_extern_name

# The grammar as the specification writes it. Fine for short texts: a digit has two ways to match.
GRAMMAR = re.compile(r"(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*\Z")


@settings(max_examples=300)
@given(st.text("aZ1-", max_size=12))
def test_labels_are_those_of_the_grammar(text: str) -> None:
    assert is_label(text) == (GRAMMAR.match(text) is not None)


def test_long_labels_cost_no_more_than_their_length() -> None:
    started = time.thread_time()
    assert not is_label("a" + "-1" * 50_000 + "-!")
    assert not is_label("a" + "1" * 100_000 + "!")
    assert time.thread_time() - started < 1


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


@pytest.mark.parametrize(
    "name",
    [
        "unlocked-dep=<a:b>",
        "unlocked-dep=<a:b/c@*>",
        "unlocked-dep=<a:b@{>=1.0.0}>",
        "unlocked-dep=<a:b@{<1.0.0-rc.1}>",
        "unlocked-dep=<a:b@{>=1.0.0 <2.0.0}>",
        "locked-dep=<a-b:c/d-E@1.2.3+x>",
        "locked-dep=<a:b>,integrity=<sha256-YWJj>",
        "url=<https://example.org/a?b=c>",
        "url=<>,integrity=<sha512-YWJjZA==>",
        "integrity=<sha256-YWJj sha384-YWJj?opt  sha512-YWJj>",
    ],
)
def test_names_that_say_where_to_find_an_import(name: str) -> None:
    found = parse_extern_name(name)
    assert (found.is_dependency, found.text, found.key(str.lower)) == (True, name, name)
    with pytest.raises(NameSyntaxError):
        parse_extern_name(name, DEFAULT - {DEPENDENCY_NAMES})
    assert list(component(f'(import "{name}" (func))').type.imports) == [name]
    refused(f'(import "f" (func)) (export "{name}" (func 0))', "is not a valid export name")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unlocked-dep=", "expected `<`"),
        ("unlocked-dep=<", "failed to find `>`"),
        ("unlocked-dep=<a>", "expected `:`"),
        ("unlocked-dep=<a:B>", "has capitals"),
        ("unlocked-dep=<a:>", "kebab case"),
        ("unlocked-dep=<a:b/>", "kebab case"),
        ("unlocked-dep=<a:b@1.0.0>", "expected `{`"),
        ("unlocked-dep=<a:b@{1.0.0}>", "expected `>=` or `<`"),
        ("unlocked-dep=<a:b@{>=1.0.0 2.0.0}>", "upper bounds"),
        ("unlocked-dep=<a:b@{>=1.0}>", "`1.0` is not a valid semver"),
        ("unlocked-dep=<a:b>,integrity=<sha256-YWJj>", "trailing characters"),
        ("locked-dep=<a:b@1>", "`1` is not a valid semver"),
        ("locked-dep=<a:b>,integrity=sha256-YWJj", "expected `<`"),
        ("locked-dep=<a:b>x", "trailing characters"),
        ("url=<a<b>", "cannot contain `<`"),
        ("url=a", "expected `<`"),
        ("integrity=<>", "cannot be empty"),
        ("integrity=<md5-YWJj>", "unrecognized hash algorithm"),
        ("integrity=<sha256:YWJj>", "expected `-` after hash algorithm"),
        ("integrity=<sha256-*>", "not valid base64"),
    ],
)
def test_names_that_do_not_say_where(name: str, why: str) -> None:
    with pytest.raises(NameSyntaxError) as caught:
        parse_extern_name(name)
    assert why in str(caught.value)


def test_nested_names_need_their_feature() -> None:
    for name in ("a:b:c/d", "a:b/c/d", "a:b:c/d/e@1.0.0"):
        assert parse_extern_name(name, ALL).kind == "interface"
        with pytest.raises(NameSyntaxError, match="nested names are not enabled"):
            parse_extern_name(name)


def test_canonical_versions_need_their_feature() -> None:
    assert parse_extern_name("a:b/c@0.2").version == "0.2"
    with pytest.raises(NameSyntaxError, match="not a valid semver"):
        parse_extern_name("a:b/c@0.2", DEFAULT - {CANONICAL_NAMES})


def test_constructors_do_not_wait() -> None:
    resource = '(import "r" (type $r (sub resource)))'
    component(f'{resource} (import "[constructor]r" (func (result (own $r))))')
    refused(
        f'{resource} (import "[constructor]r" (func async (result (own $r))))', "constructor function cannot be async"
    )
