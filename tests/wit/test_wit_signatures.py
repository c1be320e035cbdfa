"""The `wit:` field of an entry."""

from __future__ import annotations

import pytest

from wippywasm import model
from wippywasm.errors import NotFoundError, WitDiagnosticsError
from wippywasm.model import S32, STRING, U8, U32, BorrowType, FuncType, ListType, OwnType, Param
from wippywasm.wit import func_text, parse_signatures

ADD = FuncType((Param("a", S32), Param("b", S32)), S32)


@pytest.mark.parametrize(
    "text",
    [
        "compute: func(a: s32, b: s32) -> s32;",
        "compute: func(a: s32, b: s32) -> s32",
        "export compute: func(a: s32, b: s32) -> s32;",
        "\n  compute: func(\n    a: s32,\n    b: s32,\n  ) -> s32\n",
        "// adds\ncompute: func(a: n, b: n) -> n\ntype n = s32;",
        "interface any { compute: func(a: s32, b: s32) -> s32; }",
        "world any { export compute: func(a: s32, b: s32) -> s32; }",
        "package x:y; world any { export compute: func(a: s32, b: s32) -> s32; }",
    ],
)
def test_one_function_in_many_forms(text: str) -> None:
    found = parse_signatures(text)
    assert dict(found.exports) == {"compute": ADD}
    assert dict(found.imports) == {}


def test_several_functions_and_types() -> None:
    found = parse_signatures(
        """
        record user { name: string, tags: list<string> }
        f: func(users: list<user>) -> result<user, string>
        g: async func()
        """
    )
    user = model.RecordType((model.Field("name", STRING), model.Field("tags", ListType(STRING))))
    assert found.exports["f"] == FuncType((Param("users", ListType(user)),), model.ResultType(user, STRING))
    assert found.exports["g"] == FuncType((), None, True)


def test_imports_beside_exports() -> None:
    found = parse_signatures("type n = u32; import log: func(m: n); run: func() -> n;")
    assert dict(found.exports) == {"run": FuncType((), U32)}
    assert dict(found.imports) == {("$root", "log"): FuncType((Param("m", U32),))}


def test_a_document_with_an_interface_of_a_package() -> None:
    found = parse_signatures("package x:y@1.0.0; interface i { f: func(); }")
    assert list(found.exports) == ["x:y/i@1.0.0#f"]


def test_a_world_with_interfaces() -> None:
    text = """
    package x:y;
    interface i { resource r { m: func(); } f: func(r: r) -> list<borrow<r>>; }
    world w { import i; import f: func(); export i; export k: interface { g: func(); } }
    world v {}
    """.replace("-> list<borrow<r>>", "")
    found = parse_signatures(text, world="w")
    assert list(found.exports) == ["x:y/i#[method]r.m", "x:y/i#f", "k#g"]
    assert list(found.imports) == [("x:y/i", "[method]r.m"), ("x:y/i", "f"), ("$root", "f")]
    with pytest.raises(NotFoundError, match="no single world"):
        parse_signatures(text)


def resource_in(t: FuncType) -> model.ResourceType:
    handle = t.params[0].type
    assert isinstance(handle, OwnType | BorrowType)
    return model.resource_of(handle.resource)


def test_an_exported_resource_is_not_the_imported_one() -> None:
    found = parse_signatures(
        "package x:y; interface i { resource r { m: func(); } } interface j { use i.{r}; f: func(r: r); } "
        "world w { import i; export i; export j; } world v { export j; }",
        world="w",
    )
    imported, exported = found.imports["x:y/i", "[method]r.m"], found.exports["x:y/i#[method]r.m"]
    assert resource_in(imported) is not resource_in(exported)
    assert resource_in(found.exports["x:y/j#f"]) is resource_in(exported)


def test_plain_names_have_resources_of_their_own() -> None:
    found = parse_signatures("interface i { resource r { m: func(); } } world w { import one: i; import two: i; }")
    one, two = found.imports["one", "[method]r.m"], found.imports["two", "[method]r.m"]
    assert resource_in(one) is not resource_in(two)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("f: func(a: b)", 8, 12),
        ("f: func()\ng: func(", 9, 9),
        ("f: func() g: func()", 8, 11),
        ("", 8, 1),
        ("interface i {\n f: func(a: b); }", 9, 13),
        ("import type t = u8;", 8, 8),
    ],
)
def test_diagnostics_count_lines_from_the_start_of_the_file(text: str, line: int, column: int) -> None:
    with pytest.raises(WitDiagnosticsError) as caught:
        parse_signatures(text, "app.yaml", line_offset=7)
    first = caught.value.diagnostics[0]
    assert (first.path, first.line, first.column) == ("app.yaml", line, column)


def test_types_are_without_names_at_any_depth() -> None:
    found = parse_signatures("type a = u8; type b = list<a>; f: func(x: tuple<b, option<a>>) -> b")
    expected = FuncType((Param("x", model.TupleType((ListType(U8), model.OptionType(U8)))),), ListType(U8))
    assert found.exports["f"] is expected
    assert func_text(expected) == "func(x: tuple<list<u8>, option<u8>>) -> list<u8>"
