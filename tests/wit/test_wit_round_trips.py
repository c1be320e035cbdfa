"""Text and bytes of a package say the same: print, parse, encode, decode."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, reject, settings

from tests.wit.wit_samples import EVERYTHING, canonical
from tests.wit.wit_strategies import comment_mixtures, package_texts
from wippywasm.errors import BinaryError, InvalidError, MalformedError, ValidationError, WippyError
from wippywasm.wit import (
    Resolution,
    decode,
    encode,
    host_packages,
    parse,
    parse_text,
    print_package,
    print_resolution,
    print_world,
    to_json,
)

FEATURES = ["active"]
PROPERTY = settings(max_examples=60)


def resolved(text: str) -> Resolution:
    return parse_text(text, features=FEATURES)


def decoded(resolution: Resolution) -> Resolution:
    """Through bytes; a package without anything has no name there, so it is left out."""
    found = Resolution()
    for package in resolution.packages:
        if package.interfaces or package.worlds:
            decode(encode(package), found)
    return found


def test_everything_prints_and_parses_back() -> None:
    found = resolved(EVERYTHING)
    again = resolved(print_resolution(found))
    assert canonical(again) == canonical(found)
    assert to_json(resolved(print_resolution(again))) == to_json(again)


def test_everything_goes_through_bytes() -> None:
    found = resolved(EVERYTHING)
    assert canonical(decoded(found)) == canonical(found)


@given(package_texts())
@PROPERTY
def test_any_package_prints_and_parses_back(text: str) -> None:
    found = resolved(text)
    assert canonical(resolved(print_resolution(found))) == canonical(found)


@given(comment_mixtures())
@settings(max_examples=1000)
def test_any_documentation_prints_and_parses_back(text: str) -> None:
    found = resolved(f"package a:b; {text} interface i {{}}")
    assert canonical(resolved(print_resolution(found))) == canonical(found)


INCLUDED = """package a:b;
world w { include c:d/v@2.0.0 with { f as g } import h: func(); export i; }
interface i { type t = u8; }
world x { include w; @unstable(feature = active) include c:d/u@2.0.0; }
package c:d@2.0.0 {
  world v { @since(version = 1.0.0) import f: func(); import j: interface { @since(version = 1.0.0) g: func(); } }
  world u { import k: func(); }
}
"""


def test_an_include_stays_where_its_versions_mean_nothing_here() -> None:
    found = resolved(INCLUDED)
    printed = print_resolution(found)
    assert "include c:d/v@2.0.0 with { f as g }\n" in printed
    assert "  include w;\n  @unstable(feature = active)\n  include c:d/u@2.0.0;\n" in printed
    assert canonical(resolved(printed)) == canonical(found)
    assert print_resolution(resolved(printed)) == printed
    reached = resolved(INCLUDED.replace("package a:b;", "package a:b@1.2.0;"))
    assert "include" not in print_resolution(reached)
    assert canonical(resolved(print_resolution(reached))) == canonical(reached)


def test_a_version_that_no_text_says_is_not_left_out() -> None:
    again = decode(encode(resolved(INCLUDED).packages[-1]))
    with pytest.raises(InvalidError, match=r"@since 1.0.0 can't be written in package `a:b`"):
        print_resolution(again)


@given(package_texts())
@PROPERTY
def test_any_package_goes_through_bytes(text: str) -> None:
    found = resolved(text)
    expected = {name: p for name, p in canonical(found).items() if p["interfaces"] or p["worlds"]}
    try:
        again = decoded(found)
    except InvalidError as error:
        if "stream<char>" not in str(error):  # the one thing drawn that has no binary form
            raise
        reject()
    assert canonical(again) == expected


def test_the_encoding_is_what_the_format_says() -> None:
    """Compared byte by byte with what `Binary.md` gives for this package, without its documentation section."""
    data = encode(resolved("package a:b; interface i { f: func(x: u8) -> string; }").packages[0])
    function = b"\x40\x01\x01x\x7d\x00\x73"
    instance = b"\x42\x02\x01" + function + b"\x04\x00\x01f\x01\x00"
    component = b"\x41\x02\x01" + instance + b"\x04\x00\x05a:b/i\x05\x00"
    types, export = b"\x01" + component, b"\x01\x00\x01i\x03\x00\x00"
    head = b"\0asm\x0d\0\x01\0" + bytes([7, len(types)]) + types + bytes([11, len(export)]) + export
    assert data == head + b"\x00\x10\x0cpackage-docs\x01{}"


def test_a_binary_dependency_is_found_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deps").mkdir()
    dependency = resolved("package c:d@1.0.0; interface i { resource r; record s { n: u8 } f: func() -> s; }")
    (tmp_path / "deps" / "cd.wasm").write_bytes(encode(dependency.packages[0]))
    (tmp_path / "a.wit").write_text("package a:b; world w { use c:d/i@1.0.0.{r, s}; export g: func(r: r) -> s; }")
    found = parse(tmp_path)
    assert [str(p.name) for p in found.packages] == ["c:d@1.0.0", "a:b"]
    assert "import c:d/i@1.0.0;" in print_world(found.world())
    (tmp_path / "whole.wasm").write_bytes(encode(found.packages[1]))
    assert canonical(parse(tmp_path / "whole.wasm"))["a:b"] == canonical(found)["a:b"]


def test_functions_of_a_binary_dependency_go_with_their_features(tmp_path: Path) -> None:
    text = "package c:d; interface i { @unstable(feature = x) f: func(); @unstable(feature = y) g: func(); h: func(); }"
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "cd.wasm").write_bytes(encode(parse_text(text, features=["x", "y"]).packages[0]))
    (tmp_path / "a.wit").write_text("package a:b; world w { import c:d/i; }")
    for features, names in (((), ["h"]), (("x",), ["f", "h"]), (("x", "y"), ["f", "g", "h"])):
        assert list(parse(tmp_path, features=features).interfaces[0].functions) == names


def test_a_text_dependency_is_assembled(tmp_path: Path) -> None:
    package = resolved("package c:d; interface i {}").packages[0]
    (tmp_path / "x.wat").write_text("(text)")
    found = parse(tmp_path / "x.wat", assemble=lambda text, path: encode(package))
    assert canonical(found) == {"c:d": canonical(resolved("package c:d; interface i {}"))["c:d"]}
    with pytest.raises(WippyError, match="nothing here to assemble"):
        parse(tmp_path / "x.wat")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0asm\x01\0\0\0",
        b"\0asm\x0d\0\x01\0",
        b"\0asm\x0d\0\x01\0\x07\xff\xff\xff\xff\x0f",
        b"\0asm\x0d\0\x01\0\x01\0",
    ],
)
def test_what_is_no_package_is_refused(data: bytes) -> None:
    with pytest.raises(BinaryError):
        decode(data)


def leb(value: int) -> bytes:
    out = b""
    while value > 0x3F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def section(id: int, content: bytes) -> bytes:
    return bytes([id]) + leb(len(content)) + content


def component(*declarations: bytes, name: bytes = b"i") -> bytes:
    """A component that exports one component type with these declarations."""
    body = b"\x41" + bytes([len(declarations)]) + b"".join(declarations)
    export = b"\x01\x00" + bytes([len(name)]) + name + b"\x03\x00\x00"
    return b"\0asm\x0d\0\x01\0" + section(7, b"\x01" + body) + section(11, export)


def instance(*declarations: bytes) -> bytes:
    body = b"\x42" + bytes([len(declarations)]) + b"".join(declarations)
    return component(b"\x01" + body, b"\x04\x00\x05a:b/i\x05\x00")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (component(), "exactly one export"),
        (component(b"\x04\x00\x05a:b/i\x05\x07"), "no type 7"),
        (component(b"\x01\x42\x00", b"\x04\x00\x03a:b\x05\x00"), "full name"),
        (instance(b"\x01\x70\x00"), "no type 0"),
        (instance(b"\x01\x72\x01\x01a\x7d", b"\x01\x40\x00\x00\x00", b"\x04\x00\x01f\x01\x01"), "has no name"),
        (instance(b"\x01\x72\x00", b"\x04\x00\x01a\x03\x00\x00"), "at least one member"),
        (instance(b"\x01\x6d\x02\x01a\x01A", b"\x04\x00\x01a\x03\x00\x00"), "there twice"),
        (instance(b"\x01\x69\x00"), "no type 0"),
        (instance(b"\x01\x7d", b"\x04\x00\x01a\x03\x00\x00", b"\x01\x69\x01", b"\x04\x00\x01b\x03\x00\x02"), "handle"),
        (instance(b"\x01\x40\x00\x01\x00", b"\x04\x00\x0b[method]r.f\x01\x00"), "resource that is not there"),
        (
            instance(b"\x04\x00\x01r\x03\x01", b"\x01\x40\x00\x01\x00", b"\x04\x00\x0b[method]r.f\x01\x01"),
            "self: borrow",
        ),
        (instance(b"\x04\x00\x01r\x03\x01", b"\x01\x40\x00\x00\x00", b"\x04\x00\x01f\x01\x01"), "used as a value"),
        (instance(b"\x01\x7d", b"\x04\x00\x02_a\x03\x00\x00"), "starts with a letter"),
        (instance(b"\x02\x03\x02\x05\x00"), "not 5 scopes"),
        (instance(b"\x02\x03\x02\x01\x00"), "no type 0"),
        (
            component(b"\x01\x70\x7d", b"\x01\x42\x01\x02\x03\x02\x01\x00", b"\x04\x00\x05a:b/i\x05\x01"),
            "has no name there",
        ),
        (instance(b"\x02\x03\x00\x00\x01a"), "has no type `a`"),
    ],
)
def test_invalid_packages(data: bytes, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        decode(data)


def test_the_older_form_with_one_type_for_the_package() -> None:
    instance_type, world_type = b"\x01\x42\x00", b"\x01\x41\x02\x01\x40\x00\x01\x00\x04\x00\x01f\x01\x00"
    parts = [b"\x04\x00\x05a:b/x\x05\x00", b"\x04\x00\x05a:b/y\x05\x00", b"\x04\x00\x05a:b/w\x04\x01"]
    found = decode(component(instance_type, world_type, *parts, name=b"a:b/wit"))
    expected = "package a:b; interface x {} interface y {} world w { export f: func(); }"
    assert canonical(found) == canonical(resolved(expected))
    for other in (b"\x04\x00\x05c:d/x\x05\x00", b"\x04\x00\x05a:b/x\x05\x00"):
        with pytest.raises(ValidationError, match=r"of another package|there twice"):
            decode(component(instance_type, parts[0], other, name=b"a:b/wit"))


def test_types_in_bytes_nest_so_deep_and_no_deeper() -> None:
    def nested(count: int) -> bytes:
        data = b"\x42" + leb(count + 1) + b"\x01\x70\x7d" + b"".join(b"\x01\x70" + leb(i) for i in range(count - 1))
        data += b"\x04\x00\x01t\x03\x00" + leb(count - 1)
        body = b"\x01\x41\x02\x01" + data + b"\x04\x00\x05a:b/i\x05\x00"
        return b"\0asm\x0d\0\x01\0\x07" + leb(len(body)) + body + section(11, b"\x01\x00\x01i\x03\x00\x00")

    assert decode(nested(60)).interfaces[0].types["t"].depth == 61
    with pytest.raises(ValidationError, match="nest more than"):
        decode(nested(1000))


def interface(count: int, extern: bytes, *types: bytes) -> bytes:
    """A vector of one type: a package of an interface with so many exports of one kind."""
    exports = [b"\4\0" + leb(len(name)) + name + extern for name in (b"x%d" % i for i in range(count))]
    return b"\1\x41\2\1\x42" + leb(len(types) + count) + b"".join([*types, *exports]) + b"\4\0\5a:b/i\5\0"


@pytest.mark.parametrize(
    "content",
    [
        section(7, leb(500_000) + b"\x7d" * 500_000),
        section(7, leb(200_000) + b"\x42\0" * 200_000),
        section(7, leb(200) + (b"\x6f" + leb(5_000) + b"\x7d" * 5_000) * 200),
        section(0, b"\0") * 200_000,
        section(7, b"\0") * 200_000,
        section(7, interface(30_000, b"\3\1")),
        section(7, interface(30_000, b"\1\0", b"\1\x40\0\1\0")),
    ],
    ids=["primitives", "instances", "tuples", "custom sections", "sections", "resources", "functions"],
)
def test_bytes_make_only_so_much(content: bytes) -> None:
    data = b"\0asm\x0d\0\x01\0" + content
    tracemalloc.start()
    with pytest.raises(ValidationError, match="too many types and names"):
        decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (2 << 20) + 44 * len(data)


def test_bytes_that_mean_nothing_give_no_room_for_copies() -> None:
    functions = b"".join(b"\4\0\4f%03d\1\0" % i for i in range(200))
    imports = b"".join(b"\3\0\5x%04d\5\0" % i for i in range(2_000))
    body = b"\1\x42" + leb(201) + b"\1\x40\0\1\0" + functions + imports
    world = b"\1\x41\2\1\x41" + leb(2_001) + body + b"\4\0\5a:b/w\4\0"
    data = b"\0asm\x0d\0\1\0" + section(7, world) + section(11, b"\1\0\1w\3\0\0")
    with pytest.raises(ValidationError, match="too often"):
        decode(data + section(0, b"\1x" + b"\0" * 1_000_000))


def test_bytes_of_many_interfaces_are_read() -> None:
    functions = " ".join(f"do-the-thing-{k}: func(first: string, opts: options) -> result<u32>;" for k in range(10))
    body = f"record options {{ first: string, second: option<u32> }} resource thing {{ constructor(); }} {functions}"
    items = [f"interface some-interface-{i} {{ {body} }}" for i in range(300)]
    imports = " ".join(f"import some-interface-{i}; export some-interface-{i};" for i in range(300))
    package = parse_text("package a:b;\n" + "\n".join([*items, f"world w {{ {imports} }}"])).packages[-1]
    assert len(decode(encode(package)).world("w").exports) == 300


def test_a_type_in_bytes_is_made_once_however_often_it_is_used() -> None:
    data = b"\x42" + leb(62) + b"\x01\x6f\x02\x7d\x7d" + b"".join(b"\x01\x6f\x02" + leb(i) * 2 for i in range(60))
    data += b"\x04\x00\x01t\x03\x00" + leb(60)
    body = b"\x01\x41\x02\x01" + data + b"\x04\x00\x05a:b/i\x05\x00"
    package = b"\0asm\x0d\0\x01\0\x07" + leb(len(body)) + body + section(11, b"\x01\x00\x01i\x03\x00\x00")
    assert len(decode(package).types) == 61


def test_types_without_a_name_belong_to_where_they_are_written() -> None:
    text = "package a:b; interface i { f: func(x: list<u8>); } interface j { g: func(x: list<u8>, y: list<u8>); }"
    assert [len(found.types) for found in (resolved(text), decoded(resolved(text)))] == [1, 2]


def test_bad_documentation_is_refused() -> None:
    data = encode(resolved("package a:b; interface i {}").packages[0])
    for content in (
        b"\x02{}",
        b"\x01[",
        b"\x01[]",
        b'\x01{"docs":3}',
        b'\x01{"interfaces":{"i":{"stability":{"stable":3}}}}',
    ):
        payload = b"\x0cpackage-docs" + content
        with pytest.raises(MalformedError, match="package-docs"):
            decode(data[: data.index(b"\x00\x10\x0cpackage")] + bytes([0, len(payload)]) + payload)


@pytest.mark.parametrize("package", host_packages().packages, ids=lambda p: str(p.name))
def test_the_hosts_go_through_text_and_bytes(package: object) -> None:
    from wippywasm.wit import Package

    assert isinstance(package, Package)
    assert print_package(decoded(host_packages()).package(package.name) or package) == print_package(package)


def test_documentation_that_lines_can_not_hold() -> None:
    text = "package a:b;\n/**\n   one\n   two\n*/\ninterface i {}"
    assert canonical(resolved(print_resolution(resolved(text)))) == canonical(resolved(text))


@pytest.mark.parametrize(
    "definition",
    [
        "record t {}",
        "flags t {}",
        "type t = tuple<>;",
        "type t = list<u8, 0>;",
        f"flags t {{ {', '.join(f'f{i}x' for i in range(33))} }}",
    ],
)
def test_types_without_a_binary_form(definition: str) -> None:
    with pytest.raises(InvalidError, match="no binary form"):
        encode(resolved(f"package a:b; interface i {{ {definition} }}").packages[0])
