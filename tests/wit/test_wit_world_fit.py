"""Which world stands for which, with the named types: as other tools say of components of these worlds."""

from __future__ import annotations

import pytest

from wippywasm.errors import InvalidError
from wippywasm.wit import World, diff_worlds, parse_text, world_functions, world_mismatches

BASE = """package a:b;
interface i { resource r { m: func(); } f: func(x: borrow<r>) -> r; }
interface j { resource r; f: func(x: borrow<r>) -> r; }
interface k { type t = u8; f: func() -> t; }
interface e {}
interface rr { resource r; }
interface ss { use rr.{r}; record rec { a: u8 } }
interface kk { type t = u8; }
interface u { use kk.{t}; use i.{r}; record q { x: t, y: list<r> } g: func() -> q; }
interface v { use u.{q}; use i.{r as z}; h: func(a: q, b: borrow<z>); }
interface d { use kk.{t as t2}; type unused = t2; f: func(); }
"""
TWO = "use i.{r as a}; use j.{r as b};"


def mismatches(got: str, want: str) -> list[str]:
    found = parse_text(f"{BASE} world got {{ {got} }} world want {{ {want} }}")
    return world_mismatches(found.world("got"), found.world("want"))


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (f"{TWO} export f: func(x: a, y: b);", f"{TWO} export f: func(x: a, y: b);"),
        ("export x: interface { record t { a: u8 } }", "export x: interface { record t { a: u8 } }"),
        ("export x: interface { type t = u8; }", "export x: interface {}"),
        ("use rr.{r}; import f: func(x: r);", "use rr.{r}; import f: func(x: r);"),
        ("resource r; export f: func(x: r);", "resource r; export f: func(x: r);"),
        ("import i; export i;", "import i; export i;"),
        ("use i.{r}; export i; export f: func(x: r);", "use i.{r}; export i; export f: func(x: r);"),
        ("export ss;", "import rr; export ss;"),
        ("export ss; export rr;", "export rr; export ss;"),
        ("import rr; export rr; export ss;", "import rr; export rr; export ss;"),
        ("import e;", ""),
        ("import kk;", ""),
        ("import x: interface { type t = u8; }", ""),
        ("import a: kk;", ""),
        ("import x: interface { type t = u8; f: func(x: u8); }", "import x: interface { f: func(x: u8); }"),
        ("type t = u8; export f: func(x: t);", "export f: func(x: t); type t = u8;"),
        (
            "export x: interface { resource a; type b = a; f: func(x: a, y: b); }",
            "export x: interface { resource a; resource b; f: func(x: a, y: b); }",
        ),
        (
            "import x: interface { resource a; resource b; f: func(x: a, y: b); }",
            "import x: interface { resource a; type b = a; f: func(x: a, y: b); }",
        ),
        ("import a: i; import b: i;", "import a: i; import b: i;"),
        ("export a: i;", "export a: i;"),
    ],
)
def test_fits(got: str, want: str) -> None:
    assert mismatches(got, want) == []


@pytest.mark.parametrize(
    ("got", "want", "first"),
    [
        (f"{TWO} export f: func(x: a);", f"{TWO} export f: func(x: b);", "export f.x: expected the resource `r`"),
        (f"{TWO} export f: func(x: a, y: b);", f"{TWO} export f: func(x: b, y: a);", "export f.x: expected the res"),
        ("", "export e;", "export a:b/e: is missing"),
        ("", "export x: interface {}", "export x: is missing"),
        ("", "export x: interface { type t = u8; }", "export x: is missing"),
        ("", "export x: interface { resource r; }", "export x: is missing"),
        ("export x: interface { type t = u8; }", "export x: interface { type t = u16; }", "export x.t: expected u16"),
        (
            "export x: interface { record t { a: u8 } }",
            "export x: interface { record t { a: u16 } }",
            "export x.t.a: expected u16, got u8",
        ),
        ("export x: interface {}", "export x: interface { type t = u16; }", "export x.t: is missing"),
        ("import x: interface { resource r; }", "", "import x: is missing"),
        ("import rr;", "", "import a:b/rr: is missing"),
        ("type t = u8;", "", "import t: is missing"),
        ("resource r;", "", "import r: is missing"),
        ("use kk.{t};", "", "import a:b/kk: is missing"),
        (
            "record s { a: u8 } export f: func(x: s);",
            "record z { a: u8 } export f: func(x: z);",
            "import s: is missing",
        ),
        ("use rr.{r as a}; export f: func(x: a);", "use rr.{r as q}; export f: func(x: q);", "import a: is missing"),
        (
            "import x: interface { type t = u8; f: func(x: t); }",
            "import x: interface { f: func(x: u8); }",
            "import x.t: is missing",
        ),
        ("export x: interface { use kk.{t}; }", "export x: interface { type t = u8; }", "import a:b/kk: is missing"),
        (
            "import rr; export x: interface { resource r; }",
            "import rr; export x: interface { use rr.{r}; }",
            "export x.r: expected the resource `r`",
        ),
        (
            "export x: interface { resource a; resource b; f: func(x: a, y: b); }",
            "export x: interface { resource a; type b = a; f: func(x: a, y: b); }",
            "export x#f.y: expected the resource `a`",
        ),
        (
            "import x: interface { resource a; type b = a; f: func(x: a, y: b); }",
            "import x: interface { resource a; resource b; f: func(x: a, y: b); }",
            "import x#f.y: expected the resource `a`",
        ),
        (
            "export x: interface { resource a; f: func(x: a); }",
            "export x: interface { type a = u8; f: func(x: a); }",
            "export x#f.x: expected u8, got own<a>",
        ),
        ("export f: func();", "export f: interface {}", "export f: expected an interface, got a function"),
        ("type t = u8;", "resource t;", "import t: expected a type that is no resource, got a resource"),
        ("export ss;", "export rr; export ss;", "import a:b/rr: is missing"),
        ("import a: rr; import f: func();", "import b: rr; import f: func();", "import a: is missing"),
    ],
)
def test_does_not_fit(got: str, want: str, first: str) -> None:
    assert mismatches(got, want)[0].startswith(first)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        ("export u;", "export u;"),
        ("export v;", "export v;"),
        ("export u; export v;", "export u; export v;"),
        ("export i; export u;", "export i; export u;"),
        ("import v;", "import v;"),
        ("import u;", "import v;"),
        ("import d;", "import d;"),
        ("import d;", "import kk; import d;"),
        ("import u;", "import kk; import i; import u;"),
        ("use u.{q}; export f: func() -> q;", "use u.{q}; export f: func() -> q;"),
        (
            "use u.{q as a}; use v.{q as b}; export f: func() -> a;",
            "use u.{q as a}; use v.{q as b}; export f: func() -> b;",
        ),
        (
            "use i.{r as a}; use v.{z as b}; export f: func(x: a) -> b;",
            "use i.{r as a}; use v.{z as b}; export f: func(x: b) -> a;",
        ),
        ("export x: interface { use i.{r}; f: func(x: r); }", "export x: interface { use i.{r}; f: func(x: r); }"),
        (
            "export i; export x: interface { use i.{r}; f: func(x: r); }",
            "export i; export x: interface { use i.{r}; f: func(x: r); }",
        ),
        (
            "import x: interface { resource r; f: func(x: r); }",
            "import i; import x: interface { use i.{r}; f: func(x: r); }",
        ),
        (
            "import x: interface { resource r; } import y: interface { resource r; }",
            "import x: interface { resource r; } import y: interface { resource r; }",
        ),
        ("resource a; resource b; export f: func(x: a, y: b);", "resource a; type b = a; export f: func(x: a, y: b);"),
        ("resource a; export f: func(x: a);", "resource a { m: func(); } export f: func(x: a);"),
        ("export x: interface { resource q { constructor(); } }", "export x: interface { resource q; }"),
        (
            "import x: interface { record s { a: u8 } record t { s: s } f: func(x: t); }",
            "import x: interface { record t { s: s } record s { a: u8 } f: func(x: t); }",
        ),
        (
            "import x: interface { record s { a: u8 } f: func(x: u8); }",
            "import x: interface { record s { b: u8 } f: func(x: u8); }",
        ),
        ("export pn: kk;", "export pn: interface { type t = u8; }"),
        ("export pn: interface { type t = u8; }", "export pn: kk;"),
        (
            "import pn: i; export f: func();",
            "import pn: interface { resource r { m: func(); } f: func(x: borrow<r>) -> r; } export f: func();",
        ),
    ],
)
def test_fits_through_other_interfaces(got: str, want: str) -> None:
    assert mismatches(got, want) == []


@pytest.mark.parametrize(
    ("got", "want"),
    [
        ("export v;", "export u; export v;"),
        ("export i; export u;", "export u;"),
        ("import v;", "import u;"),
        ("use u.{q}; export f: func() -> q;", "import u; export f: func();"),
        (
            "export i; export x: interface { use i.{r}; f: func(x: r); }",
            "export x: interface { use i.{r}; f: func(x: r); }",
        ),
        ("import x: interface { use i.{r}; f: func(x: r); }", "import x: interface { use j.{r}; f: func(x: r); }"),
        (
            "import x: interface { use i.{r}; f: func(x: r); }",
            "import i; import j; import x: interface { use j.{r}; f: func(x: r); }",
        ),
        ("resource a; type b = a; export f: func(x: a, y: b);", "resource a; resource b; export f: func(x: a, y: b);"),
        ("resource a { m: func(); } export f: func(x: a);", "resource a; export f: func(x: a);"),
        ("export x: interface { resource q; }", "export x: interface { resource q { constructor(); } }"),
        ("export x: interface { resource q { m: func(); } }", "export x: interface { resource q { m: func() -> q; } }"),
        (
            "import x: interface { record s { a: u8 } record t { s: s } f: func(x: t); }",
            "import x: interface { record s { b: u8 } record t { s: s } f: func(x: t); }",
        ),
        ("export x: interface { variant s { a(u8), b } }", "export x: interface { variant s { a, b } }"),
        ("export x: interface { flags s { a, b } }", "export x: interface { flags s { b, a } }"),
        ("export pn: kk;", "export kk;"),
    ],
)
def test_does_not_fit_through_other_interfaces(got: str, want: str) -> None:
    assert mismatches(got, want)


def named_often(definition: str, count: int) -> World:
    names = " ".join(f"export n{i}: big;" for i in range(count))
    return parse_text(f"package a:b; interface big {{ resource r; {definition} }} world w {{ {names} }}").world()


@pytest.mark.parametrize(
    "definition",
    [
        " ".join(f"type t{i} = u8;" for i in range(1000)),
        f"record t {{ {', '.join(f'a{i}: r' for i in range(1000))} }}",
        f"f: func({', '.join(f'a{i}: r' for i in range(1000))});",
        f"type t = tuple<list<tuple<{', '.join(['r'] * 1000)}>>>;",
    ],
)
def test_one_large_interface_under_many_names_is_refused(definition: str) -> None:
    few, many = named_often(definition, 20), named_often(definition, 255)
    assert world_mismatches(few, few) == []
    for needs_all in (world_mismatches, diff_worlds):
        with pytest.raises(InvalidError, match="large interfaces too often"):
            needs_all(many, many)
    with pytest.raises(InvalidError, match="large interfaces too often"):
        world_functions(many)
