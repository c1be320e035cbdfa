"""Rules that the conformance vectors do not reach, each with a component that breaks it."""

from __future__ import annotations

import pytest

from tests.binary.binary_text import component, refused
from tools.dense import COMPONENT, section
from wippywasm.binary import decode
from wippywasm.binary.features import ALL, ASYNC, DEFAULT, FIXED_LISTS, MAP, STACKFUL, THREADS
from wippywasm.errors import BinaryError, MalformedError, ValidationError


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("(type (stream u8))", ASYNC),
        ("(type (func async))", ASYNC),
        ("(type (map string u8))", MAP),
        ("(type (list u8 4))", FIXED_LISTS),
        ("(core func (canon thread.index))", THREADS),
        ("(core func (canon task.cancel))", ASYNC),
        (
            """(core module $m (func (export "f"))) (core instance $i (instantiate $m))
               (func async (canon lift (core func $i "f") async))""",
            STACKFUL,
        ),
    ],
)
def test_gated_features(text: str, feature: str) -> None:
    component(text)
    refused(text, f"needs the feature `{feature}`", DEFAULT - {feature})


def test_features_that_are_off_by_default() -> None:
    available_parallelism = COMPONENT + section(8, b"\x01\x42\x00")
    decode(available_parallelism, features=ALL)
    with pytest.raises(ValidationError, match="shared-everything-threads"):
        decode(available_parallelism)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(type (map f32 u8))", "key of a map"),
        ("(type (resource (rep i64)))", "represented by `i32`"),
        ("(type $r (resource (rep i32))) (type (stream (borrow $r)))", "cannot contain a `borrow`"),
        ("(type $r (resource (rep i32))) (type (future (list (borrow $r))))", "cannot contain a `borrow`"),
        ("(core func (canon context.get i32 2))", "must be less than 2"),
        ("(type $t u8) (core func (canon stream.new $t))", "is not a stream type"),
        ("(type $t (stream u8)) (core func (canon future.new $t))", "is not a future type"),
        ("(type $t (stream u8)) (core func (canon stream.read $t async))", "`memory` is required"),
        ("(core func (canon task.return (result string)))", "`memory` is required"),
        (
            """(core module $m (table (export "t") 1 externref)) (core instance $i (instantiate $m))
               (core type $ft (func (param i32))) (core func (canon thread.new-indirect $ft (core table $i "t")))""",
            "must hold `funcref`",
        ),
        (
            """(core module $m (table (export "t") 1 funcref)) (core instance $i (instantiate $m))
               (core type $ft (func)) (core func (canon thread.new-indirect $ft (core table $i "t")))""",
            "must have the type (func (param i32))",
        ),
        (
            """(import "f" (func $f (param "x" string))) (core module $m (memory (export "m") 1 1 shared))
               (core instance $i (instantiate $m)) (core func (canon lower (func $f) (memory (core memory $i "m"))))""",
            "not shared",
        ),
        (
            """(import "f" (func $f (param "x" string))) (core module $m (memory (export "m") 1 (pagesize 1)))
               (core instance $i (instantiate $m)) (core func (canon lower (func $f) (memory (core memory $i "m"))))""",
            "must have pages of 64 KiB, not of 1 byte",
        ),
        (
            """(import "f" (func $f async (param "x" u32))) (core module $m (func (export "cb") (param i32)))
               (core instance $i (instantiate $m))
               (core func (canon lower (func $f) async (callback (core func $i "cb"))))""",
            "`callback` uses a core function with an incorrect signature",
        ),
        ('(type $i (instance)) (import "a" (type (eq $i))) (import "A" (func))', "conflicts with previous name `a`"),
        ('(import "a:b/c@1.2.3" (versionsuffix ".3") (instance))', "canonical version"),
        ('(import "a:b/c@0.2" (versionsuffix "x") (instance))', "not a valid semver"),
    ],
)
def test_refused(text: str, message: str) -> None:
    try:
        refused(text, message)
    except Exception as error:
        if type(error).__name__ != "WatSyntaxError" or "versionsuffix" not in text:
            raise
        pytest.skip(f"the text parser has no version suffixes: {error}")


def test_a_function_type_may_be_as_wide_as_memory_allows_but_spills() -> None:
    params = " ".join(f'(param "p{i}" u64)' for i in range(17))
    text = (
        f'(import "f" (func $f {params})) (core module $m (memory (export "m") 1)) (core instance $i (instantiate $m))'
    )
    refused(f"{text} (core func (canon lower (func $f)))", "`memory` is required")
    tree = component(f'{text} (core func (canon lower (func $f) (memory (core memory $i "m"))))')
    assert tree.definitions[-1].core_type.params == ("i32",)  # type: ignore[attr-defined]


def test_an_exported_component_type_may_not_mention_a_private_resource() -> None:
    refused(
        """(type $r (resource (rep i32)))
           (type $u (component (alias outer 1 0 (type $r')) (export "a" (type (eq $r')))))
           (export "u" (type $u))""",
        "no name outside",
    )


def test_an_import_may_not_bring_in_a_private_resource() -> None:
    refused(
        """(type $r (resource (rep i32)))
           (import "i" (instance (alias outer 1 0 (type $r')) (export "r" (type (eq $r')))))""",
        "no name outside",
    )


@pytest.mark.parametrize("number", [9, 12])
def test_values_are_refused_by_name(number: int) -> None:
    with pytest.raises(ValidationError, match="feature `values`"):
        decode(COMPONENT + section(number, b"\x00"))


@pytest.mark.parametrize(
    ("wasm", "kind", "message"),
    [
        (COMPONENT + section(7, b"\x01\x67\x7d\x00"), ValidationError, "greater than zero"),
        (COMPONENT + section(7, b"\x01\x3f\x20\x00"), MalformedError, "invalid leading byte"),
        (COMPONENT + section(7, b"\x01\x3f\x00\x00"), MalformedError, "invalid leading byte"),
        (COMPONENT + section(7, b"\x01\x3f\x70\x00"), ValidationError, "represented by `i32`"),
        (COMPONENT + section(7, b"\x01\x73\x00"), MalformedError, "unexpected data"),
        (COMPONENT + section(10, b"\x01\x03\x01a\x01\x00"), MalformedError, r"invalid leading byte \(0x3\)"),
        (COMPONENT + section(10, b"\x01\x00\x01a\x02\x01\x7f"), ValidationError, "values"),
        (COMPONENT + section(3, b"\x01\x00\x60\x00\x00"), MalformedError, "invalid leading byte"),
        (b"\0asm\1\0\0\0", MalformedError, "expected a component, found a core module"),
    ],
)
def test_bytes_that_no_text_gives(wasm: bytes, kind: type[BinaryError], message: str) -> None:
    with pytest.raises(kind, match=message):
        decode(wasm)
