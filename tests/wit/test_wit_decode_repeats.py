"""Bytes of packages that say a thing twice, say more than there is, or are wrong where nothing looks."""

from __future__ import annotations

import pytest

from wippywasm.engine import wat2wasm
from wippywasm.errors import ValidationError
from wippywasm.wit import decode

F = '(export "f" (func))'
G = '(export "g" (func))'
R = '(export "r" (type $r (sub resource)))'
U8, U16 = (f'(type ${t} {t}) (export "t" (type $t (eq ${t})))' for t in ("u8", "u16"))
ENUM_A, ENUM_B = (f'(type $e (enum "{name}")) (export "t" (type $t (eq $e)))' for name in "ab")
ALIAS_R = '(type $u u8) (export "r" (type (eq $u)))'


def interface(content: str, name: str = "i", before: str = "") -> str:
    return f'(type (export "{name}") (component {before} (export "a:b/{name}" (instance {content}))))'


def world(content: str, name: str = "w") -> str:
    return f'(type (export "{name}") (component (export "a:b/{name}" (component {content}))))'


def using(content: str, id: str = "a:b/i", name: str = "w") -> str:
    return world(f'(import "{id}" (instance {content}))', name)


def component(*parts: str) -> bytes:
    return wat2wasm(f"(component {' '.join(parts)})")


def method(signature: str, name: str = "[method]r.m") -> str:
    handles = "(type $b (borrow $r)) (type $o (own $r))"
    return f'{R} {handles} (export "{name}" (func {signature}))'


METHOD = method('(param "self" $b)')
CONSTRUCTOR = method("(result $o)", "[constructor]r")


@pytest.mark.parametrize(
    "parts",
    [
        (interface(F), using(F)),
        (interface(F + G), using(F)),
        (interface(U8), using(U8)),
        (interface(ENUM_A), using(ENUM_A)),
        (interface(R), using(R)),
        (interface(METHOD), using(METHOD)),
        (interface(CONSTRUCTOR), using(CONSTRUCTOR)),
        (using(F, "a:b/q"),),
        (world(f'(import "c:d/i" (instance {F})) (export "c:d/i" (instance {F}{G}))'),),
        (using(F, "c:d/i"), using(G, "c:d/i", "v")),
        (interface(f'(type (record (field "a" u8))) {F}'),),
        (interface(F, before=f"(type (instance {G}))"),),
        ('(type (component (import "q" (func))))', interface(F)),
    ],
)
def test_these_are_good(parts: tuple[str, ...]) -> None:
    decode(component(*parts))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((interface(F), using(G)), "`a:b/i` has no `g`"),
        ((interface(F), using(U8)), "`a:b/i` has no `t`"),
        ((interface(F), world(f'(export "a:b/i" (instance {G}))')), "`a:b/i` has no `g`"),
        (
            (interface("", before=f'(import "a:b/j" (instance {F}{G}))'), interface(F, "j")),
            "`a:b/j` has no `g`, which is used before",
        ),
        ((interface(F), world("", "i").replace('"i"', '"j"', 1)), "`i` is there twice"),
        ((world("", "i"), interface(F).replace('"i"', '"j"', 1)), "`i` is there twice"),
        ((interface(F), using('(export "f" (func (param "x" u8)))')), "`f` has one type in one place"),
        ((using(F, "c:d/i"), using('(export "f" (func (result u8)))', "c:d/i", "v")), "`f` has one type in one"),
        ((interface(U8), using(U16)), "`t` is one type in one place"),
        ((interface(ENUM_A), using(ENUM_B)), "`t` is one type in one place"),
        ((interface(R), using(ALIAS_R)), "`r` is one type in one place"),
        ((interface(ALIAS_R), using(R)), "`r` is one type in one place"),
    ],
)
def test_what_is_said_twice_is_the_same(parts: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        decode(component(*parts))


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (F, '(export "f" (func (param "x!" u8)))', "`x!`"),
        (ENUM_A, '(type $e (enum "a!")) (export "t" (type (eq $e)))', "`a!`"),
        (METHOD, method('(param "me" $b)'), "does not start with `self"),
        (METHOD, method('(param "self" $o)'), "does not start with `self"),
        (CONSTRUCTOR, method("(result u8)", "[constructor]r"), "does not return its resource"),
        (CONSTRUCTOR, method("", "[constructor]r"), "does not return its resource"),
        (F, '(export "f" (func (param "x" 7)))', "there is no type 7"),
        (F, f"(type (tuple)) {F}", "a tuple has at least one type"),
        (F, f'(type (record (field "a" u8) (field "A" u8))) {F}', "`A` is there twice"),
        (F, f'(type (func (param "x!" u8))) {F}', "`x!`"),
        (F, f"(type (list 9)) {F}", "there is no type 9"),
    ],
)
def test_all_places_are_looked_at(good: str, bad: str, message: str) -> None:
    """The first place that an interface is seen in, later ones, those that other packages own, and unused types."""
    for parts in (
        (interface(bad),),
        (interface(good), using(bad)),
        (using(good, "c:d/i"), using(bad, "c:d/i", "v")),
        (interface(F, before=f"(type (instance {bad}))"),),
        (world(f'(type (component (import "q" (instance {bad}))))'),),
        (f'(type (component (import "c:d/q" (instance {bad}))))', interface(F)),
    ):
        with pytest.raises(ValidationError, match=message):
            decode(component(*parts))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('(type (export "$") (component (export "a:b/i" (instance))))', "starts with a letter"),
        ('(type (export "c:d/i") (component (export "a:b/i" (instance))))', "`c:d/i`"),
        ('(type (export "i") (component (export "a:B/i" (instance))))', "no upper case"),
        ('(type (export "i") (component (export "A:b/i" (instance))))', "no upper case"),
        (using("", "C:d/i"), "no upper case"),
        (world('(import "x" (implements "C:d/i") (instance))'), "no upper case"),
        (world('(import "x" (implements "c:d/i") (func))'), "no plain name of an instance"),
        (world('(import "c:d/j" (implements "c:d/i") (instance))'), "no plain name of an instance"),
        (interface('(export "f" (implements "c:d/i") (func))'), "no plain name of an instance"),
        (interface(f'{R} (type $o (own $r)) (export "[constructor]r" (func async (result $o)))'), "is async, which"),
        (
            interface(U8 + '(type $v u16) (export "v" (type (eq $v)))')
            + world(f'(import "a:b/i" (instance $i {U8})) (alias export $i "v" (type $t)) (import "u" (type (eq $t)))'),
            "instance 0 has no type `v`",
        ),
        (
            interface(U8)
            + world(f'(export "a:b/i" (instance $i {U8})) (alias export $i "t" (type $t)) (import "u" (type (eq $t)))'),
            "import `u` needs something that is exported",
        ),
        (
            interface(U8)
            + world(
                f'(export "a:b/i" (instance $i {U8})) (alias export $i "t" (type $t))'
                ' (import "x" (instance (alias outer 1 $t (type $u)) (export "t" (type (eq $u)))))'
            ),
            "import `x` needs something that is exported",
        ),
        (
            world('(import "r" (type $r (sub resource))) (export "[static]r.f" (func))'),
            "is of a resource that is not there",
        ),
    ],
)
def test_names_out_of_place_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        decode(component(text))


def test_a_version_suffix_goes_with_no_whole_version() -> None:
    data = component('(type (export "i") (component (export "a:b/i@1.2.3" (external-id "") (instance))))')
    decode(data)
    at = data.index(b"a:b/i@1.2.3") + len(b"a:b/i@1.2.3") + 1
    assert data[at] == 2
    with pytest.raises(ValidationError, match="no suffix goes with that"):
        decode(data[:at] + b"\x01" + data[at + 1 :])


def test_types_of_one_definition_stay_with_their_interface() -> None:
    """Two instances of one type: what the second says refers to types of its own."""
    content = '(type $i (instance (type $r (record (field "a" u8))) (export "t" (type $t (eq $r))) (type $l (list $t))'
    both = f'{content} (export "f" (func (param "x" $l)))))'
    both += ' (import "x" (instance (type $i))) (import "y" (instance (type $i)))'
    first, second = (i for i in decode(component(world(both))).interfaces)
    for found in (first, second):
        listed = found.functions["f"].params[0].type
        assert listed.kind.element is found.types["t"]  # type: ignore[attr-defined]


def test_one_definition_used_ever_so_often_is_refused() -> None:
    fields = " ".join(f'(field "a{i}" u8)' for i in range(1000))
    names = " ".join(f'(export "t{i}" (type (eq $r)))' for i in range(600))
    with pytest.raises(ValidationError, match="too often"):
        decode(component(interface(f"(type $r (record {fields})) {names}")))
    params = fields.replace("field", "param")
    functions = " ".join(f'(export "f{i}" (func (type $f)))' for i in range(600))
    with pytest.raises(ValidationError, match="too often"):
        decode(component(interface(f"(type $f (func {params})) {functions}")))
    imports = " ".join(f'(import "x{i}" (instance (type $i)))' for i in range(600))
    types = " ".join("(type (list u8))" for i in range(1000))
    with pytest.raises(ValidationError, match="too often"):
        decode(component(world(f"(type $i (instance {types})) {imports}")))
