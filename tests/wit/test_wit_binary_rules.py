"""What text may say and the binary form may not: refused when a package is encoded, and when bytes say it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from wippywasm.cli.wit import wit_command
from wippywasm.engine import wat2wasm
from wippywasm.errors import InvalidError, ValidationError, WitDiagnosticsError
from wippywasm.wit import decode, encode, parse, parse_text

WAT = """(component
  (type (export "i") (component
    (export "a:b/i" (instance (export "f" (func (param "x" u8))))))))"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package a:b; interface i { resource a { a: func(); } }", "too much alike"),
        ("package a:b; interface i { resource a { a: static func(); } }", "too much alike"),
        ("package a:b; interface i {} interface I {}", "too much alike"),
        ("package a:b; interface i {} world I {}", "too much alike"),
        ("package a:b; interface i { resource r; f: func(x: stream<borrow<r>>); }", "carry a `borrow`"),
        ("package a:b; interface i { resource r; record p { x: borrow<r> } type t = future<option<p>>; }", "carry a"),
        ("package a:b; interface i { type c = char; f: func(x: stream<c>); }", "`stream<char>`"),
        ("package A:b; interface i {}", "upper case"),
        ("package a:B; world i {}", "upper case"),
        ("package a:b;", "is empty"),
        ("package a:b; package c:d { interface i {} }", "is empty"),
    ],
)
def test_what_has_no_binary_form(text: str, message: str) -> None:
    package = parse_text(text).main
    assert package is not None
    with pytest.raises(InvalidError, match=message):
        encode(package)


def bytes_of(text: str) -> bytes:
    return encode(parse_text(f"package a:b; {text}").packages[0])


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert data.count(old) == 1
        assert len(old) == len(new)
        return data.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        ("interface i { f: func(); g: func(); }", swap(b"\x01g\x01", b"\x01f\x01"), "`f` is there twice"),
        ("interface i { f: func(); g: func(); }", swap(b"\x01g\x01", b"\x01F\x01"), "too much alike"),
        ("interface i { type t = u8; f: func(); }", swap(b"\x01f\x01", b"\x01T\x01"), "too much alike"),
        ("interface i { resource r { x: func(); } }", swap(b"[method]r.x", b"[method]r.r"), "too much alike"),
        ("world w { import f: func(); import g: func(); }", swap(b"\x01g\x01", b"\x01F\x01"), "too much alike"),
        ("world w { export f: func(); export g: func(); }", swap(b"\x01g\x01", b"\x01F\x01"), "too much alike"),
        ("interface i { resource r; f: func() -> own<r>; }", swap(b"\x01\x69\x00", b"\x01\x68\x00"), "returns a `bor"),
        ("interface i { resource r; f: func() -> list<own<r>>; }", swap(b"\x01\x69\x00", b"\x01\x68\x00"), "returns"),
        ("interface i { resource r; f: func(x: stream<own<r>>); }", swap(b"\x01\x69\x00", b"\x01\x68\x00"), "carry a"),
        ("interface i { f: func(x: stream<u8>); }", swap(b"\x66\x01\x7d", b"\x66\x01\x74"), "`stream<char>`"),
        ("interface i { resource r { m: func(); } }", swap(b"[method]r.m", b"!method]r.m"), "not the name of a func"),
    ],
)
def test_bytes_that_say_it_are_refused(text: str, change: Callable[[bytes], bytes], message: str) -> None:
    data = bytes_of(text)
    decode(data)
    with pytest.raises(ValidationError, match=message):
        decode(change(data))


def test_the_command_line_reads_webassembly_text(tmp_path: Path) -> None:
    path = tmp_path / "p.wat"
    path.write_text(WAT)
    result = CliRunner().invoke(wit_command, [str(path)])
    assert result.exit_code == 0
    assert "f: func(x: u8);" in result.output


def test_a_refusal_of_a_file_names_it(tmp_path: Path) -> None:
    path = tmp_path / "p.wat"
    for text, message in (
        (WAT.replace("u8", "u9"), r"p\.wat:3:\d+: [\s\S]*u9"),
        ("(component)", "p.wat: .*exports no interface"),
    ):
        path.write_text(text)
        with pytest.raises(InvalidError, match=message):
            parse(path, assemble=wat2wasm)
    path.write_bytes(b"\xff")
    with pytest.raises(InvalidError, match=r"p\.wat:1:1: byte 0xff at offset 0 is not UTF-8"):
        parse(path, assemble=wat2wasm)
    path.write_text(WAT)
    with pytest.raises(InvalidError, match="nothing here to assemble it with"):
        parse(path)


def test_a_bad_dependency_is_told_with_the_mistakes_of_the_texts(tmp_path: Path) -> None:
    (tmp_path / "deps").mkdir()
    bad = tmp_path / "deps" / "p.wat"
    bad.write_text(WAT.replace("u8", "u9"))
    (tmp_path / "x.wit").write_text("package x:y; interface i { use a:b/i.{t}; f: func(x: nope); }")
    with pytest.raises(WitDiagnosticsError) as caught:
        parse(tmp_path, assemble=wat2wasm)
    paths = [Path(d.path).name for d in caught.value.diagnostics]
    assert paths == ["p.wat", "x.wit"]
    assert "u9" in caught.value.diagnostics[0].message
    assert "nope" in caught.value.diagnostics[1].message

    (tmp_path / "x.wit").write_text("package x:y; interface i { use a:b/i.{t}; f: func(x: t); }")
    with pytest.raises(InvalidError, match=r"p\.wat:3:\d+: [\s\S]*u9") as alone:
        parse(tmp_path, assemble=wat2wasm)
    assert not isinstance(alone.value, WitDiagnosticsError)

    (tmp_path / "deps" / "q.wasm").write_bytes(b"\0asm")
    (tmp_path / "deps" / "r.wit").write_bytes(b"\xff")
    with pytest.raises(WitDiagnosticsError) as several:
        parse(tmp_path, assemble=wat2wasm)
    assert [Path(d.path).name for d in several.value.diagnostics] == ["p.wat", "q.wasm", "r.wit"]
