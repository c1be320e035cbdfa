"""Where two types or worlds differ, and which world stands for which."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.wit.wit_strategies import package_texts
from wippywasm.model import FuncType, ValType
from wippywasm.wit import function_mismatch, functions_mismatches, parse_signatures, parse_text, world_mismatches


def signature(text: str) -> FuncType:
    return parse_signatures(text).exports["f"]


@pytest.mark.parametrize(
    ("got", "want", "place"),
    [
        ("f: func(a: u8)", "f: func(a: u16)", "f.a: expected u16, got u8"),
        ("f: func(a: u8)", "f: func(b: u8)", "f: expected parameter `b`, got `a`"),
        ("f: func(a: u8)", "f: func()", "f: expected 0 parameters, got 1"),
        ("f: func()", "f: func() -> u8", "f.result: expected u8, got nothing"),
        ("f: func()", "f: async func()", "f: expected an async function"),
        ("f: func(a: list<list<u8>>)", "f: func(a: list<list<s8>>)", "f.a[][]: expected s8, got u8"),
        ("f: func(a: list<u8>)", "f: func(a: list<u8, 4>)", "f.a: expected list<u8, 4>, got list<u8>"),
        ("f: func(a: list<u8>)", "f: func(a: option<u8>)", "f.a: expected option<u8>, got list<u8>"),
        ("f: func() -> result<u8, char>", "f: func() -> result<u8, bool>", "f.result.err: expected bool, got char"),
        ("f: func() -> result<u8>", "f: func() -> result", "f.result.ok: expected nothing, got u8"),
        ("f: func(a: map<u8, u8>)", "f: func(a: map<u8, s8>)", "f.a.value: expected s8, got u8"),
        ("f: func(a: tuple<u8>)", "f: func(a: tuple<u8, u8>)", "f.a: expected 2 members, got 1"),
        ("f: func(a: stream)", "f: func(a: stream<u8>)", "f.a[]: expected u8, got nothing"),
        (
            "record r { a: u8, b: list<string> } f: func(r: list<r>)",
            "record r { a: u8, b: list<u8> } f: func(r: list<r>)",
            "f.r[].b[]: expected u8, got string",
        ),
        ("enum e { a, b } f: func(e: e)", "enum e { a, c } f: func(e: e)", "f.e: expected case 1 to be `c`, got `b`"),
        ("flags e { a } f: func(e: e)", "flags e { a, c } f: func(e: e)", "f.e: expected 2 flags, got 1"),
        ("variant v { x(u8) } f: func(v: v)", "variant v { x(u16) } f: func(v: v)", "f.v.x: expected u16, got u8"),
        (
            "record r { a: u8 } f: func(r: r)",
            "record r { b: u8 } f: func(r: r)",
            "expected member 0 to be `b`, got `a`",
        ),
    ],
)
def test_differences_are_named_by_their_path(got: str, want: str, place: str) -> None:
    assert place in (function_mismatch(signature(got), signature(want), "f") or "")
    assert function_mismatch(signature(got), signature(got)) is None


def test_resources_have_to_be_the_same_ones_throughout() -> None:
    text = "resource r; resource s; f: func(a: r, b: r); g: func(a: r, b: s);"
    one, two = parse_signatures(text), parse_signatures(text)
    assert functions_mismatches(one.exports, two.exports) == []
    found = function_mismatch(one.exports["f"], two.exports["g"], "f")
    assert found is not None
    assert "f.b: expected the resource `s`" in found


BASE = "package a:b; interface i { f: func(); } interface j { g: func(a: u8); }"


@pytest.mark.parametrize(
    ("got", "want", "mismatches"),
    [
        ("import i; export j;", "import i; export j;", []),
        ("export j;", "import i; export j;", []),
        ("export j; export i;", "export j;", []),
        ("import i;", "", ["import a:b/i: is missing"]),
        ("", "export j;", ["export a:b/j: is missing"]),
        ("import x: func(a: u8);", "import x: func(a: u16);", ["import x.a: expected u8, got u16"]),
        ("export x: func() -> u8;", "export x: func() -> u16;", ["export x.result: expected u16, got u8"]),
    ],
)
def test_worlds(got: str, want: str, mismatches: list[str]) -> None:
    found = parse_text(f"{BASE} world got {{ {got} }} world want {{ {want} }}")
    assert world_mismatches(found.world("got"), found.world("want")) == mismatches


def test_a_wide_graph_of_shared_types_costs_little() -> None:
    lines = ["type a0 = u8;", *(f"type a{i} = tuple<a{i - 1}, a{i - 1}>;" for i in range(1, 140))]
    other = [line.replace("u8", "u16") for line in lines]
    one, two = signature("\n".join([*lines, "f: func(a: a139)"])), signature("\n".join([*other, "f: func(a: a139)"]))
    assert function_mismatch(one, one) is None
    assert (function_mismatch(one, two, "f") or "").endswith("expected u16, got u8")


@given(package_texts())
@settings(max_examples=30)
def test_every_world_stands_for_itself(text: str) -> None:
    one, two = parse_text(text, features=["active"]), parse_text(text, features=["active"])
    for mine, other in zip(one.worlds, two.worlds):
        assert world_mismatches(mine, other) == []


def test_types_are_compared_not_names() -> None:
    one: ValType = signature("type x = u8; f: func(a: x)").params[0].type
    two: ValType = signature("type y = u8; f: func(a: y)").params[0].type
    assert one is two
