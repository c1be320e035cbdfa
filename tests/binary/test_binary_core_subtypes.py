"""Core types that components define or import modules by: supertypes, and what a reference may name."""

from __future__ import annotations

import pytest

from tests.binary.binary_text import component, refused


@pytest.mark.parametrize(
    "text",
    [
        "(core type (module (type (sub (func)))))",
        "(core type (module (type $t (sub (struct))) (type (sub $t (struct)))))",
        "(core type $t (sub (struct))) (core type (sub final $t (struct)))",
        "(core type $t (sub (struct))) (core type (module (alias outer 1 $t (type $u)) (type (sub $u (struct)))))",
        "(core type (module (type (struct)) (type (struct (field (ref 0))))))",
    ],
)
def test_types_that_are_valid(text: str) -> None:
    component(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(core type $t (struct)) (core type (sub $t (struct)))", "final super type"),
        ("(core type (module (type $t (struct)) (type (sub $t (struct)))))", "final super type"),
        ("(core type $t (sub (struct))) (core type $u (sub final $t (struct))) (core type (sub $u (struct)))", "final"),
        ("(core type $t (module)) (core type (func (param (ref $t))))", "type index 0 is a module type"),
        ("(core type $t (module)) (core type (sub $t (struct)))", "type index 0 is a module type"),
        ("(core rec (type $a (sub $b (struct))) (type $b (sub (struct))))", "for a supertype"),
    ],
)
def test_types_that_are_not(text: str, words: str) -> None:
    refused(text, words)
