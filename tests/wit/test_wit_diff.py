"""What changed between two versions of WIT, and whom it breaks."""

from __future__ import annotations

import pytest

from wippywasm.wit import Change, diff_packages, diff_worlds, parse_text
from wippywasm.wit.diff import BOTH, CALLERS, IMPLEMENTERS

BASE = """package a:b@1.0.0;
interface types { record user { id: u32, name: string } enum role { guest } }
interface api { use types.{user}; resource file { size: func() -> u64; } find: func(id: u32) -> option<user>; }
interface clock { now: func() -> u64; }
world w { import clock; import log: func(line: string); export api; export run: func() -> u32; }
"""


def changed(old: str, new: str) -> list[Change]:
    main = parse_text(BASE).main, parse_text(BASE.replace(old, new)).main
    assert main[0] is not None
    assert main[1] is not None
    return diff_packages(main[0], main[1])


def test_nothing_changed() -> None:
    assert changed("", "") == []
    assert changed("// no", "") == []


@pytest.mark.parametrize(
    ("old", "new", "path", "kind", "breaks"),
    [
        ("export run: func() -> u32;", "", "world w: export run", "removed", CALLERS),
        ("export run:", "export stop: func(); export run:", "world w: export stop", "added", IMPLEMENTERS),
        ("import log: func(line: string);", "", "world w: import log", "removed", IMPLEMENTERS),
        ("import log:", "import rand: func() -> u8; import log:", "world w: import rand", "added", CALLERS),
        ("run: func() -> u32", "run: func() -> u64", "world w: export run.result", "changed", BOTH),
        ("log: func(line: string)", "log: func(text: string)", "world w: import log", "changed", BOTH),
        ("enum role { guest }", "enum role { guest, admin }", "interface types.role", "changed", BOTH),
        ("enum role { guest }", "", "interface types.role", "removed", BOTH),
        ("enum role", "flags more { x } enum role", "interface types.more", "added", ()),
        ("interface clock", "interface other { f: func(); } interface clock", "interface other", "added", ()),
        ("world w {", "world v {} world w {", "world v", "added", ()),
    ],
)
def test_changes_have_a_path_and_those_they_break(
    old: str, new: str, path: str, kind: str, breaks: tuple[str, ...]
) -> None:
    first, *others = changed(old, new)
    assert (first.path, first.kind, first.breaks) == (path, kind, breaks)
    unused = f"world w: import a:b/types@1.{path.rpartition('.')[2]}"
    assert [(c.path, c.kind, c.breaks) for c in others] in ([], [(unused, kind, ())])


def test_a_changed_record_shows_wherever_it_is_used() -> None:
    found = {c.path: c for c in changed("id: u32, name", "id: u64, name")}
    assert set(found) == {
        "interface types.user.id",
        "interface api#find.result.some.id",
        "interface api.user.id",
        "world w: import a:b/types@1.user.id",
        "world w: export a:b/api@1#find.result.some.id",
        "world w: export a:b/api@1.user.id",
    }
    assert {c.breaks for c in found.values()} == {BOTH}
    assert found["interface types.user.id"].message == "expected u32, got u64"


def test_a_function_more_in_an_interface_breaks_those_who_implement_it() -> None:
    found = changed("find: func", "count: func() -> u32; find: func")
    assert [(c.path, c.breaks) for c in found] == [
        ("interface api#count", IMPLEMENTERS),
        ("world w: export a:b/api@1#count", IMPLEMENTERS),
    ]


@pytest.mark.parametrize(("version", "compatible"), [("1.4.0", True), ("2.0.0", False)])
def test_compatible_versions_are_the_same_interface(version: str, compatible: bool) -> None:
    old, new = parse_text(BASE).world(), parse_text(BASE.replace("1.0.0", version)).world()
    assert (diff_worlds(old, new) == []) is compatible


ITEMS = """package a:b;
interface i { resource r { m: func(); } f: func(x: borrow<r>) -> r; }
interface j { resource r; f: func(x: borrow<r>) -> r; }
interface e {}
"""


@pytest.mark.parametrize(
    ("old", "new", "path", "kind", "breaks"),
    [
        ("export e;", "", "export a:b/e", "removed", CALLERS),
        ("", "export e;", "export a:b/e", "added", IMPLEMENTERS),
        ("import e;", "", "import a:b/e", "removed", ()),
        ("import x: interface { resource r; }", "", "import x", "removed", IMPLEMENTERS),
        ("", "import x: interface { resource r; }", "import x", "added", CALLERS),
        ("type t = u8;", "type t = u16;", "import t", "changed", BOTH),
        ("resource r;", "", "import r", "removed", IMPLEMENTERS),
        ("resource r;", "type r = u8;", "import r", "changed", BOTH),
        (
            "export x: interface { record t { a: u8 } }",
            "export x: interface { record t { a: u16 } }",
            "export x.t.a",
            "changed",
            BOTH,
        ),
        (
            "export x: interface { resource a; resource b; }",
            "export x: interface { resource a; type b = a; }",
            "export x.b",
            "changed",
            BOTH,
        ),
        (
            "import x: interface { f: func(); }",
            "import x: interface { f: func(); type t = u8; }",
            "import x.t",
            "added",
            (),
        ),
        (
            "use i.{r as a}; use j.{r as b}; export f: func(x: a);",
            "use i.{r as a}; use j.{r as b}; export f: func(x: b);",
            "export f.x",
            "changed",
            BOTH,
        ),
    ],
)
def test_types_of_worlds_and_of_their_interfaces_count(
    old: str, new: str, path: str, kind: str, breaks: tuple[str, ...]
) -> None:
    found = parse_text(f"{ITEMS} world old {{ {old} }} world new {{ {new} }}")
    changes = diff_worlds(found.world("old"), found.world("new"))
    assert [(c.path, c.kind, c.breaks) for c in changes] == [(path, kind, breaks)]


def test_a_resource_of_another_interface_is_the_same_in_both_versions() -> None:
    text = "package a:b; interface i { resource r; resource s; } interface j { use i.{r, s}; f: func(x: r, y: s); }"
    one, two, three = parse_text(text).main, parse_text(text).main, parse_text(text.replace("y: s", "y: r")).main
    assert one is not None
    assert two is not None
    assert three is not None
    assert diff_packages(one, two) == []
    assert [(c.path, c.kind) for c in diff_packages(one, three)] == [("interface j#f.y", "changed")]
