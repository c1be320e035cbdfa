"""Which core items stand for an import of another type: what a module type exports, given to a module."""

from __future__ import annotations

import re

import pytest

from tests.binary.binary_text import component, refused

TYPES = """
(type $lone (func)) (type $open (sub (func))) (type $below (sub $open (func))) (type $last (sub final $below (func)))
(rec (type $first (func)) (type $second (func))) (rec (type $alone (func))) (type $final (sub final (func)))
(type $other (sub (func (result anyref)))) (type $narrow (sub $other (func (result i31ref))))
(type $self (sub (func (param (ref null $self)))))
(type $struct (sub (struct))) (type $wide (sub $struct (struct (field i32)))) (type $array (array i8))
"""


NAMES = re.findall(r"\(type (\$\w+)", TYPES)


def text(actual: str, expected: str) -> str:
    """Types have numbers in the module type: the text's own parser doesn't find names in references there."""
    actual = re.sub(r"\$\w+", lambda found: str(NAMES.index(found[0])), actual)
    return f"""(import "m" (core module $a {TYPES} (export "i" {actual}))) (core instance $a (instantiate $a))
      (core module $b {TYPES} (import "a" "i" {expected})) (core instance (instantiate $b (with "a" (instance $a))))"""


FITS = [
    ("funcref", "funcref"),
    ("(ref func)", "funcref"),
    ("nullfuncref", "funcref"),
    ("(ref $lone)", "(ref func)"),
    ("(ref $lone)", "(ref null $lone)"),
    ("(ref $alone)", "(ref $lone)"),
    ("(ref $final)", "(ref $lone)"),
    ("(ref $below)", "(ref $open)"),
    ("(ref null $last)", "(ref null $open)"),
    ("(ref nofunc)", "(ref $last)"),
    ("nullfuncref", "(ref null $self)"),
    ("(ref $self)", "(ref $self)"),
    ("i31ref", "anyref"),
    ("(ref i31)", "(ref eq)"),
    ("structref", "eqref"),
    ("(ref $wide)", "(ref $struct)"),
    ("(ref $wide)", "(ref struct)"),
    ("(ref $array)", "arrayref"),
    ("(ref $array)", "(ref any)"),
    ("nullref", "(ref null $wide)"),
    ("(ref none)", "(ref i31)"),
    ("nullexternref", "externref"),
    ("nullexnref", "exnref"),
    ("i32", "i32"),
]
DIFFER = [
    ("funcref", "(ref func)"),
    ("funcref", "nullfuncref"),
    ("(ref func)", "(ref $lone)"),
    ("(ref $open)", "(ref $below)"),
    ("(ref $open)", "(ref $lone)"),
    ("(ref $first)", "(ref $lone)"),
    ("(ref $first)", "(ref $second)"),
    ("(ref $last)", "(ref $lone)"),
    ("anyref", "i31ref"),
    ("i31ref", "structref"),
    ("(ref $array)", "(ref struct)"),
    ("(ref $struct)", "(ref $wide)"),
    ("(ref $struct)", "(ref func)"),
    ("nullref", "funcref"),
    ("nullref", "externref"),
    ("nullfuncref", "(ref null $struct)"),
    ("anyref", "externref"),
    ("exnref", "anyref"),
    ("i32", "i64"),
    ("i32", "funcref"),
]


@pytest.mark.parametrize(("actual", "expected"), FITS)
def test_constant_globals_may_be_of_a_subtype(actual: str, expected: str) -> None:
    component(text(f"(global {actual})", f"(global {expected})"))


@pytest.mark.parametrize(("actual", "expected"), DIFFER)
def test_constant_globals_of_other_types(actual: str, expected: str) -> None:
    refused(text(f"(global {actual})", f"(global {expected})"), "for import `a::i`: expected global type")


@pytest.mark.parametrize(("actual", "expected"), FITS)
def test_what_is_written_to_has_the_very_type(actual: str, expected: str) -> None:
    is_same = actual == expected or actual in ("(ref $alone)", "(ref $final)")
    items = [("(global (mut {}))", "expected global type"), ("(table 0 {})", "expected table element type")]
    for item, words in items[: 1 if actual == "i32" else 2]:
        linked = text(item.format(actual), item.format(expected))
        component(linked) if is_same else refused(linked, words)


@pytest.mark.parametrize(
    ("actual", "expected", "fits"),
    [
        ("$lone", "$lone", True),
        ("$alone", "$lone", True),
        ("$final", "$lone", True),
        ("$lone", "$final", True),
        ("$open", "$open", True),
        ("$below", "$open", True),
        ("$last", "$open", True),
        ("$narrow", "$other", True),
        ("$self", "$self", True),
        ("$open", "$lone", False),
        ("$lone", "$open", False),
        ("$open", "$below", False),
        ("$last", "$lone", False),
        ("$first", "$lone", False),
        ("$lone", "$first", False),
        ("$first", "$second", False),
        ("$other", "$narrow", False),
    ],
)
def test_functions_match_by_what_they_are_declared_as(actual: str, expected: str, fits: bool) -> None:
    linked = text(f"(func (type {actual}))", f"(func (type {expected}))")
    component(linked) if fits else refused(linked, "for import `a::i`: expected: ")
    tags = text(f"(tag (type {actual}))", f"(tag (type {expected}))")
    if "$narrow" not in (actual, expected) and "$other" not in (actual, expected):
        is_same = fits and (actual == expected or not {"$below", "$last"} & {actual})
        component(tags) if is_same else refused(tags, "for import `a::i`: expected: ")


def test_a_declaration_is_known_through_aliases() -> None:
    aliased = """(core type $o (sub (func))) (component
      (alias outer 1 $o (core type $p)) (core type $q (sub $p (func)))
      (core type $m (module (alias outer 1 $q (type $q)) (export "i" (func (type $q)))))
      (import "m" (core module $a (type $m))) (core instance $a (instantiate $a))
      (core module $b (type $o (sub (func))) (import "a" "i" (func (type $o))))
      (core instance (instantiate $b (with "a" (instance $a)))))"""
    component(aliased)
    refused(aliased.replace("(core module $b (type $o (sub (func)))", "(core module $b (type $o (func))"), "expected: ")


def test_no_hierarchy_is_endless() -> None:
    def chain(length: int) -> str:
        return "(core type $t0 (sub (func)))" + "".join(
            f"(core type $t{i} (sub $t{i - 1} (func)))" for i in range(1, length + 1)
        )

    component(chain(63))
    refused(chain(64), "sub type hierarchy too deep")
