"""What names mean: packages, uses, includes, gates, worlds, functions of resources."""

from __future__ import annotations

from pathlib import Path

import pytest

from wippywasm.errors import NotFoundError, WitDiagnosticsError
from wippywasm.model import ResourceType
from wippywasm.wit import Function, InterfaceItem, Resolution, TypeDef, World, parse, parse_text, type_text
from wippywasm.wit.resolved import key_name


def names(world: World) -> tuple[list[str], list[str]]:
    return [key_name(k) for k in world.imports], [key_name(k) for k in world.exports]


def only_refusal(text: str) -> str:
    with pytest.raises(WitDiagnosticsError) as caught:
        parse_text(text)
    (found,) = caught.value.diagnostics
    return f"{found.line}:{found.column}: {found.message}"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_folder_with_dependencies(tmp_path: Path) -> None:
    found = parse(
        write(
            tmp_path,
            {
                "a.wit": "interface one { use two.{t}; }",
                "b.wit": "package my:app; use x:y/z@1.0.0 as zz; interface two { use zz.{t}; }",
                "notes.txt": "package my:other;",
                "deps/xy/p.wit": "package x:y@1.0.0; interface z { type t = u8; }",
                "deps/xy2.wit": "package x:y@2.0.0; interface z { type t = u16; }",
                "deps/.hidden": "nothing",
                "deps/deep/deps/q.wit": "package never:read; !",
                "deps/deep/q.wit": "package d:e;",
            },
        )
    )
    assert [str(p.name) for p in found.packages] == ["d:e", "x:y@1.0.0", "my:app", "x:y@2.0.0"]
    assert found.main is found.packages[2]
    assert list(found.main.interfaces) == ["two", "one"]
    assert type_text(found.main.interfaces["one"].types["t"].root.kind) == "u8"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"a.wit": "package a:b;", "b.wit": "package a:c;"}, "b.wit:1:9"),
        ({"a.wit": "interface i {}"}, "no file here says"),
        ({"a.wit": "/// x\npackage a:b;", "b.wit": "/// y\npackage a:b;"}, "only one file documents"),
        ({"a.wit": "package a:b;", "deps/c.wit": "package a:b;"}, "defined in two places"),
        ({"a.wit": "package a:b;", "deps/c.wit": "package c:c; interface i { use a:b/i.{t}; }"}, "no interface `i`"),
        ({"a.wit": "package a:b; world w { import c:d/i; }"}, "package `c:d` is not there"),
        ({"a.wit": "package a:b; package c:d { package e:f { } }"}, "a.wit:1:36"),
    ],
)
def test_refused_folders(tmp_path: Path, files: dict[str, str], place: str) -> None:
    with pytest.raises(WitDiagnosticsError) as caught:
        parse(write(tmp_path, files))
    assert place in str(caught.value)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        parse(tmp_path / "gone.wit")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("type t = t;", "1:37: type `t` depends on itself"),
        ("type a = list<b>; type b = option<a>;", "type `b` depends on itself"),
        ("record r { a: u8, a: u8 }", "`a` is defined more than once"),
        ("enum e { a, A }", "`A` and `a` differ only in the case of letters"),
        ("f: func(); F: func();", "`F` and `f` differ only in the case"),
        ("type f = u8; f: func();", "`f` is defined more than once"),
        ("f: func(a: u8, A: u8);", "parameter `A` is there already, as `a`"),
        ("variant v {}", "a variant has at least one case"),
        ("enum e {}", "an enum has at least one case"),
        ("type t = borrow<u>; type u = u8;", "a handle is for a resource, and `u` is none"),
        ("resource r; f: func() -> borrow<r>;", "`f` returns a `borrow`"),
        ("resource r; record s { r: borrow<r> } f: func() -> list<s>;", "`f` returns a `borrow`"),
        ("resource r { constructor(); constructor(); }", "at most one constructor"),
        ("resource r { f: func(); F: static func(); }", "differ only in the case"),
        ("resource r { constructor() -> u8; }", "returns a `result`"),
        ("resource r { constructor() -> result<u8>; }", "1:65: the `ok` of a constructor"),
        ("type m = map<f32, u8>;", "can't be the key of a map"),
        ("type l = list<u8, 4294967296>;", "below 2^32"),
        ("@since(version = 1.0.0) type t = u8;", "has no version"),
        ("@deprecated(version = 1.0.0) type t = u8;", "@deprecated needs"),
        ("@since(version = 1.0.0) @unstable(feature = x) type t = u8;", "not both"),
        ("@unstable(feature = x) @unstable(feature = y) type t = u8;", "given twice"),
        ('@external-id("a") @external-id("b") f: func();', "@external-id is given twice"),
        ("@nope type t = u8;", "unknown attribute"),
        ("type t = f; f: func();", "there is no type `f`"),
        ("f: func(); g: func(a: f);", "`f` is a function, not a type"),
        ("use j.{f};", "there is no interface or world `j`"),
        ("use i.{t}; type t = u8;", "`i` depends on itself"),
    ],
)
def test_refused_interfaces(body: str, message: str) -> None:
    assert message in only_refusal(f"package a:b; interface i {{ {body} }}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import i; import i;", "import `i` is there already, as an interface"),
        ("import f: func(); import f: interface {}", "import `f` is there already, as a function"),
        ("type t = u8; import t: func();", "import `t` is there already, as a type"),
        ("import w;", "`w` is a world, not an interface"),
        ("include i;", "`i` is an interface, not a world"),
        ("include w;", "`w` depends on itself"),
        ("include v with { x as y }", "no import or export with the plain name `x`"),
        ("include v with { i as y }", "no import or export with the plain name `i`"),
        ("include v; import f: func();", "import `f` is there already"),
        ("import F: func(); include v;", "differ only in the case"),
        ("export j; export k;", "needs an interface both as an import and as an export"),
    ],
)
def test_refused_worlds(body: str, message: str) -> None:
    others = (
        "interface i { type t = u8; } interface j { use i.{t}; } interface k { use j.{t}; use i.{t as t2}; } "
        "world v { import i; import f: func(); } "
    )
    text = f"package a:b; {others} world w {{ {body} }}"
    if body.startswith("export j"):
        text = text.replace("export j; export k;", "export i; export k;")
    assert message in only_refusal(text)


def test_implicit_imports_come_first_and_in_order() -> None:
    world = parse_text(
        "package a:b; interface i { type t = u8; } interface j { use i.{t}; } "
        "world w { export f: func(); import g: func(); import p: interface { use j.{t}; } use j.{t}; "
        "resource r { m: func(); } export e: interface { use i.{t}; } }"
    ).world()
    assert names(world) == (["a:b/i", "a:b/j", "p", "t", "r", "g", "[method]r.m"], ["f", "e"])


def test_a_used_export_is_not_imported() -> None:
    text = "package a:b; interface i { resource t; } interface j { use i.{t}; } "
    assert names(parse_text(text + "world w { export j; }").world()) == (["a:b/i"], ["a:b/j"])
    assert names(parse_text(text + "world w { export j; export i; }").world()) == ([], ["a:b/i", "a:b/j"])


def test_include_copies_and_renames() -> None:
    found = parse_text(
        "package a:b; interface i {} world v { import i; resource r { constructor(); m: func() -> r; } "
        "import f: func(r: borrow<r>); export x: interface { type t = u8; } } "
        "world w { include v with { r as s, f as g, x as y } import i; }"
    )
    world = found.world("w")
    assert names(world) == (["a:b/i", "s", "g", "[constructor]s", "[method]s.m"], ["y"])
    method, original = world.imports["[method]s.m"], found.world("v").imports["[method]r.m"]
    assert isinstance(method, Function)
    assert isinstance(original, Function)
    assert method.resource is world.imports["s"]
    assert method.resource is not original.resource
    copied = world.exports["y"]
    assert isinstance(copied, InterfaceItem)
    assert copied.interface.clone_of is not None


def test_features_choose_what_is_there() -> None:
    text = (
        "package a:b@1.0.0; interface i { @unstable(feature = x) type t = u8; @unstable(feature = x) f: func(a: t); "
        "@since(version = 0.9.0) g: func(); } @unstable(feature = y) world w { import i; }"
    )

    def shape(found: Resolution) -> tuple[list[str], list[str], int]:
        return list(found.interfaces[0].types), list(found.interfaces[0].functions), len(found.worlds)

    assert shape(parse_text(text)) == ([], ["g"], 0)
    assert shape(parse_text(text, features=["x"])) == (["t"], ["f", "g"], 0)
    assert shape(parse_text(text, features=["x", "y"])) == (["t"], ["f", "g"], 1)


@pytest.mark.parametrize(
    "item",
    [
        "f: func(a: t);",
        "record r { a: u8, b: t }",
        "type u = list<t>;",
        "@since(version = 2.0.0) f: func();",
    ],
)
def test_what_is_not_gated_can_not_use_what_is(item: str) -> None:
    assert only_refusal(f"package a:b@1.0.0; interface i {{ @unstable(feature = x) type t = u8; {item} }}")


def test_functions_of_resources() -> None:
    interface = parse_text(
        "package a:b; interface i { resource r { constructor(a: u8); m: async func() -> r; s: static func(x: r); } "
        "type q = r; f: func(a: q, b: borrow<q>) -> option<own<r>>; }"
    ).interfaces[0]
    shown = [
        (f.name, f.kind, f.is_async, [f"{p.name}: {type_text(p.type)}" for p in f.params])
        for f in interface.functions.values()
    ]
    assert shown == [
        ("[constructor]r", "constructor", False, ["a: u8"]),
        ("[method]r.m", "method", True, ["self: borrow<r>"]),
        ("[static]r.s", "static", False, ["x: r"]),
        ("f", "freestanding", False, ["a: q", "b: borrow<q>"]),
    ]
    assert isinstance(interface.types["q"].root.kind, ResourceType)


def test_types_without_a_name_are_shared() -> None:
    found = parse_text("package a:b; interface i { f: func(a: list<u8>) -> list<u8>; type t = list<u8>; }")
    function = found.interfaces[0].functions["f"]
    assert function.params[0].type is function.result
    assert function.result is not found.interfaces[0].types["t"]


def test_stability_is_inherited_by_types_without_a_name() -> None:
    found = parse_text(
        "package a:b@1.0.0; interface i { @since(version = 1.0.0) type t = u8; f: func(a: option<t>, b: list<u8>); }"
    )
    params = found.interfaces[0].functions["f"].params
    gates = [p.type.stability for p in params if isinstance(p.type, TypeDef)]
    assert [g is not None for g in gates] == [True, False]


def test_choosing_a_world() -> None:
    found = parse_text("package a:b@1.0.0; world v {} world w {}")
    assert found.world("w").name == "w"
    assert found.world("a:b/v").name == found.world("a:b/v@1.0.0").name == "v"
    for name in (None, "x", "a:c/w"):
        with pytest.raises(NotFoundError):
            found.world(name)


@pytest.mark.parametrize(
    ("item", "column"),
    [
        ("@unstable(feature = off) type t = u8;", 41),
        ("@unstable(feature = off) use i.{t as other};", 48),
        ("@unstable(feature = off) resource r;", 45),
    ],
)
def test_a_world_has_no_types_that_are_not_there(item: str, column: int) -> None:
    found = only_refusal(f"package a:b; interface i {{ type t = u8; }}\nworld w {{ {item} }}")
    assert found.startswith(f"2:{column}: type `")
    enabled = parse_text(f"package a:b; interface i {{ type t = u8; }} world w {{ {item} }}", features=["off"])
    assert any(isinstance(i, TypeDef) for i in enabled.world().imports.values())


def test_packages_are_ordered_by_version_with_its_build() -> None:
    versions = [
        "",
        "@1.0.0-alpha.1",
        "@1.0.0-alpha.beta",
        "@1.0.0",
        "@1.0.0+1",
        "@1.0.0+01",
        "@1.0.0+001.a",
        "@1.0.0+b1",
    ]
    text = "package a:b;" + "".join(f"package c:d{v} {{}}" for v in reversed(versions))
    assert [str(p.name) for p in parse_text(text).packages] == ["a:b", *(f"c:d{v}" for v in versions)]
