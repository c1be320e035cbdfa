"""Tokens, identifiers, strings, comments: what a text is made of, and where it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from wippywasm.errors import Diagnostic, WitDiagnosticsError
from wippywasm.model import ListType
from wippywasm.wit import Function, InterfaceItem, decode, encode, parse, parse_text, print_resolution
from wippywasm.wit.docs import documentation
from wippywasm.wit.lexer import Lexer
from wippywasm.wit.names import PackageName, Version, identifier_fault
from wippywasm.wit.source import Source


def kinds(text: str) -> list[str]:
    lexer, found = Lexer(Source("t", text)), []
    while lexer.kind not in ("eof", "fault"):
        found.append(lexer.kind)
        lexer.advance()
    return [*found, lexer.kind]


def refused(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(WitDiagnosticsError) as caught:
        parse_text(text)
    return caught.value.diagnostics


def test_tokens() -> None:
    assert kinds("use a-b %use ->{0_ @}1.0") == (
        ["use", "id", "%id", "->", "{", "integer", "_", "@", "}", "integer", ".", "integer", "eof"]
    )
    assert kinds("\ufeffworld\r\n\tx") == ["world", "id", "eof"]
    assert kinds("a\rb") == ["id", "fault"]
    assert kinds("näme été-x") == ["id", "id", "eof"]


@pytest.mark.parametrize("good", ["a", "a-b", "A", "A-b", "a0-1-2x", "is-XML", "x-0"])
def test_good_identifiers(good: str) -> None:
    assert identifier_fault(good) is None


@pytest.mark.parametrize("bad", ["", "0", "a-", "-a", "a--b", "aB", "Ab", "a_b", "é", "a-é", "_", "a.b"])
def test_bad_identifiers(bad: str) -> None:
    assert identifier_fault(bad)


def test_versions_are_ordered() -> None:
    order = ["0.0.9", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-a", "1.0.0-a.1", "1.0.0", "1.0.0+b", "1.0.1", "10.0.0"]
    assert sorted(map(Version.parse, reversed(order))) == list(map(Version.parse, order))
    assert [str(Version.parse(v)) for v in order] == order
    assert PackageName("a", "b") < PackageName("a", "b", Version.parse("0.0.1")) < PackageName("a", "c")


@pytest.mark.parametrize("bad", ["1.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.0 ", "99999999999999999999.0.0"])
def test_bad_versions(bad: str) -> None:
    with pytest.raises(ValueError, match=r"version|64 bits"):
        Version.parse(bad)


def test_versions_of_many_tokens() -> None:
    text = "package a:b@1.0.0-rc-2023-11.4.x-1+b.7; interface i { use c:d/e@2.0.0-a.{t}; } package c:d@2.0.0-a {\n"
    found = parse_text(text + "interface e { type t = u8; } }")
    assert [str(p.name) for p in found.packages] == ["c:d@2.0.0-a", "a:b@1.0.0-rc-2023-11.4.x-1+b.7"]


@pytest.mark.parametrize(
    ("comments", "text"),
    [
        ([], None),
        (["/// a", "///  b"], "a\n b"),
        (["//"], ""),
        (["/// a", "///", "/// b"], "a\n\nb"),
        (["/** a */"], "a"),
        (["/**/"], "**/"),
        (["/* a */"], "* a */"),
        (["// a\r"], "a"),
        (["/**\n  a\n  b\n*/"], "\n  a\n  b"),
    ],
)
def test_documentation(comments: list[str], text: str | None) -> None:
    assert documentation(comments) == text


def external_id(literal: str) -> str | None:
    found = parse_text(f"package a:b; world w {{ @external-id({literal}) import f: func(); }}")
    item = found.worlds[0].imports["f"]
    assert isinstance(item, Function)
    return item.external_id


def test_string_literals() -> None:
    assert external_id(r'"a\"\n\t\r\\\41\u{2603}\e2\98\83☃"') == 'a"\n\t\r\\A☃☃☃'
    assert external_id(r'"\u{0_0_061}"') == "a"


@pytest.mark.parametrize(
    "literal",
    [r'"\u{d800}"', r'"\u{110000}"', r'"\u{}"', r'"\u{6_}"', r'"\q"', r'"\ff"', r'"\4"', '"a\nb"', '"a', r'"\u{1'],
)
def test_bad_string_literals(literal: str) -> None:
    with pytest.raises(WitDiagnosticsError):
        external_id(literal)


@pytest.mark.parametrize(
    ("literal", "offset"),
    [
        (r'"\u61"', 3),
        (r'"\u{}"', 4),
        (r'"\u{61_}"', 4),
        (r'"\u{61_ }"', 4),
        (r'"\u{61 }"', 6),
        (r'"\u{0_d800}"', 2),
        (r'"\u{110000 "', 2),
        (r'"\u{00_1234567_89}"', 4 + 12),
        (r'"\u{61', 6),
    ],
)
def test_where_an_escape_is_refused(literal: str, offset: int) -> None:
    text = f"package a:b; world w {{ @external-id({literal}"
    assert refused(text)[0].column == text.index(literal) + 1 + offset


@pytest.mark.parametrize("ch", ["\0", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\u0149", "\u17b5", "\ud800"])
def test_forbidden_characters_are_named(ch: str) -> None:
    (found,) = refused(f"package a:b;\n// é{ch}\n")
    assert (found.line, found.column) == (2, 5)
    assert f"U+{ord(ch):04X}" in found.message
    found.source_line.encode()


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.wit"
    path.write_bytes("package a:b;\n// é".encode() + b"\xff")
    with pytest.raises(WitDiagnosticsError) as caught:
        parse(path)
    assert (caught.value.diagnostics[0].line, caught.value.diagnostics[0].column) == (2, 5)


def test_a_diagnostic_shows_the_line_and_a_caret() -> None:
    (found,) = refused("package a:b;\ninterface i {\n  type t = strng;\n  type str = string;\n}")
    assert found.render().splitlines()[1:] == [
        "   |",
        " 3 |   type t = strng;",
        "   |            ^----",
        "   = hint: did you mean `string`?",
    ]


def test_a_keyword_as_a_name_gets_a_hint() -> None:
    (found,) = refused("package a:b; interface i { f: func(type: u8); }")
    assert found.hint == "write `%type` to use the keyword as a name"


def test_the_mistakes_of_a_file_are_told_together() -> None:
    text = """package a:b;
interface i {
  a: func(;
  b: func();
  record r { x u32, y: u32 }
  type = u8;
  c: func() -> list<u8;
}
wrld w {}
interface j { ! }
"""
    assert [d.line for d in refused(text)] == [3, 5, 6, 7, 9, 10]


def test_resolver_mistakes_are_told_together_and_without_consequences() -> None:
    text = """package a:b;
interface i {
  type a = nope;
  type b = list<a>;
  use j.{missing, f, good};
  g: func(x: b, y: missing, z: gone) -> good;
}
interface j { f: func(); type good = u8; }
world w { import nothing; export i; export i; }
"""
    found = [(d.line, d.message) for d in refused(text)]
    assert [line for line, _ in found] == [3, 5, 5, 9, 9]
    assert [d.line for d in refused(text.replace("x: b, y: missing, ", ""))] == [3, 5, 5, 6, 9, 9]


def test_a_colon_stands_for_a_name_or_for_a_package() -> None:
    head = "package a:b; interface i {} world w { "
    for text in (
        "import a:i;",
        "import %a:%i;",
        "import a: i;",
        "import a :i;",
        "import a:/**/i;",
        "import c:d/e;",
        "import a: c:d/e;",
        "import f:func();",
    ):
        assert parse_text(f"{head}{text} }} package c:d {{ interface e {{}} }}").world().imports


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("package a:b@1.0.0-;", 19),
        ("package a:b@1.0.0+;", 19),
        ("package a:b@1.0.0-a+;", 21),
        ("package a:b@1.0.0-map;", 19),
        ("package a:b@1.0.0-01;", 13),
        ("package a:b@1.0.0-a b;", 13),
        ("package a:b@1.0.0-a..b;", 20),
        ("package a:b; interface i { use c:d/e@1.0.0-.{t}; }", 44),
    ],
)
def test_versions_that_are_not_semver(text: str, column: int) -> None:
    assert refused(text)[0].column == column


@pytest.mark.parametrize(
    "text",
    [
        'interface i {} @external-id("x") use i as j;',
        '@external-id("x") package c:d {}',
    ],
)
def test_an_external_id_has_no_place(text: str) -> None:
    refused(f"package a:b; {text}")


@pytest.mark.parametrize(
    "text",
    [
        '@external-id("x") world w {}',
        '@external-id("x") @external-id("y") interface i {}',
        'world v {} world w { @external-id("x") include v; }',
    ],
)
def test_an_external_id_without_anything_to_name_is_nothing(text: str) -> None:
    assert "external" not in print_resolution(parse_text(f"package a:b; {text}"))


@pytest.mark.parametrize("item", ["import k;", "export k;", "use k.{t};", "import one: k;", "export f: func();"])
def test_an_external_id_stays_in_text_and_bytes(item: str) -> None:
    found = parse_text(f'package a:b; interface k {{ type t = u8; }} world w {{ @external-id("x y") {item} }}')
    printed = print_resolution(found)
    assert printed.count('@external-id("x y")') == 1
    assert print_resolution(parse_text(printed)) == printed
    assert print_resolution(decode(encode(found.packages[0]))) == printed


def test_an_external_id_goes_with_what_an_export_needs() -> None:
    text = """package a:b;
interface i { resource r; } interface k { use i.{r}; f: func(x: r); }
world w { @external-id("x") export one: k; } world v { @external-id("y") import one: k; }
"""
    found = parse_text(text)
    assert print_resolution(found).count("@external-id") == 3
    (implicit,) = found.world("w").imports.values()
    assert isinstance(implicit, InterfaceItem)
    assert implicit.external_id == "x"
    assert print_resolution(parse_text(print_resolution(found))) == print_resolution(found)


@pytest.mark.parametrize(
    ("gates", "column"),
    [
        ("@since(version = 1.0.0) @unstable(feature = x)", 35),
        ("@unstable(feature = x) @since(version = 1.0.0)", 58),
        ("@since(version = 1.0.0) @since(version = 1.0.0)", 59),
        ("@deprecated(version = 1.0.0)", 35),
    ],
)
def test_where_contradicting_gates_are_refused(gates: str, column: int) -> None:
    """At the @since, whichever comes first; a repeated one at the second; as other WIT tools do."""
    (found,) = refused(f"package a:b@1.0.0; interface i {{ {gates} f: func(); }}")
    assert found.column == column


def test_a_gated_inline_interface_is_not_called_none() -> None:
    (found,) = refused("package a:b; world w { @unstable(feature = o) import x: interface { type t = u8; } }")
    assert "the interface around it" in found.message


@pytest.mark.parametrize(
    "comments",
    [
        "/* a \n b /* c */ */",
        "/** a \n\n\tb*/\n/// c",
        "/// a\n/** b \n c */",
        "/**\n  a\n  b\n*/",
        "/** x // y */",
        "/// a /*",
        "/* a */",
        "///\n///   x",
        "/**/",
    ],
)
def test_documentation_prints_and_reads_back(comments: str) -> None:
    found = parse_text(f"package a:b;\n{comments}\ninterface i {{\n{comments}\nf: func(); }}")
    docs = found.packages[0].interfaces["i"].docs
    again = parse_text(print_resolution(found)).packages[0].interfaces["i"]
    assert docs is not None
    assert (again.docs, again.functions["f"].docs) == (docs, docs)


def test_documentation_with_forbidden_characters_prints_as_text_that_parses() -> None:
    found = parse_text("package a:b; interface i {}")
    found.packages[0].interfaces["i"].docs = "a\0\u202eb"
    assert parse_text(print_resolution(found)).packages[0].interfaces["i"].docs == "a\ufffd\ufffdb"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("f: func(x: strng);", "did you mean `string`?"),
        ("type t = boole;", "did you mean `bool`?"),
        ("type user = u8; f: func(x: usr);", "did you mean `user`?"),
        ("use j.{strin};", None),
    ],
)
def test_names_that_are_nearly_right(text: str, hint: str | None) -> None:
    (found,) = refused(f"package a:b; interface j {{ f: func(); }} interface i {{ {text} }}")
    assert found.hint == hint


@pytest.mark.parametrize(("text", "length"), [("0", 0), ("007", 7), ("4294967295", 2**32 - 1)])
def test_lengths_of_lists_are_read_as_other_tools_read_them(text: str, length: int) -> None:
    kind = parse_text(f"package a:b; interface i {{ type t = list<u8, {text}>; }}").types[0].kind
    assert isinstance(kind, ListType)
    assert kind.length == length


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('interface i { type t = "x"; }', "a string literal"),
        ('interface i { f: func() -> "x"; }', "a string literal"),
        ("world w { @external-id(string) import f: func(); }", "the keyword `string`"),
    ],
)
def test_a_literal_is_not_the_type_of_strings(text: str, found: str) -> None:
    (refusal,) = refused(f"package a:b; {text}")
    assert refusal.message.endswith(f"found {found}")
