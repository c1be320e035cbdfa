"""Texts and bytes that mean harm: an answer comes, in little time and memory, and it is ours."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wit.wit_samples import EVERYTHING
from wippywasm.errors import BinaryError, WippyError, WitDiagnosticsError
from wippywasm.wit import decode, encode, parse_signatures, parse_text, print_resolution

PROPERTY = settings(max_examples=100)
TEN_MB = 10_000_000
WORDS = st.sampled_from(
    [
        "package",
        "interface",
        "world",
        "use",
        "import",
        "export",
        "include",
        "with",
        "as",
        "func",
        "async",
        "resource",
        "record",
        "variant",
        "enum",
        "flags",
        "type",
        "static",
        "constructor",
        "list<",
        "option<",
        "result<",
        "tuple<",
        "map<",
        "own<",
        "borrow<",
        "stream",
        "future",
        "a",
        "b",
        "c:d",
        "c:d/e",
        "%f",
        "@since",
        "@unstable",
        "(version",
        "=",
        "1.0.0)",
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        ",",
        ";",
        ":",
        ".",
        "->",
        "=",
        "/",
        "*",
        "//",
        "/*",
        "*/",
        '"',
        "\\u{",
        "1",
        "_",
        "u8",
        "string",
        "é",
        "\u202e",
        "\x00",
        "\n",
    ]
)


@pytest.mark.parametrize("ch", list('({};/"@aé'))
def test_ten_megabytes_of_one_character(ch: str) -> None:
    with pytest.raises(WitDiagnosticsError) as caught:
        parse_text(ch * TEN_MB)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "text",
    [
        "package a:b; interface i { type t = " + "list<" * 200_000,
        "package a:b; interface i { f: func" + "(" * 1_000_000,
        "package a:b;" + "package c:d { " * 20_000,
        "package a:b;" + "interface i { " * 20_000,
        "package a:b; " + "/*" * 500_000,
        "package a:b; " + "x /* " * 200_000,
        "package a:b; " + '"\\' * 200_000,
        "package a:b@" + "1" * 1_000_000,
        "package a:b@1.0.0-" + "1." * 20_000 + ";",
        "package " + "a-" * 200_000 + "a:b !",
        'package a:b; world w { @external-id("\\u{' + "_" * 1_000_000,
        "package a:b; interface i { f " * 5_000,
    ],
    ids=lambda text: text[:30],
)
def test_texts_that_would_be_slow(text: str) -> None:
    with pytest.raises(WitDiagnosticsError) as caught:
        parse_text(text)
    assert len(caught.value.diagnostics) <= 25


@pytest.mark.parametrize(
    "text",
    [
        "interface i { type a0 = u8;" + "".join(f"type a{i} = a{i - 1};" for i in range(5000, 0, -1)) + "}",
        "interface i { type a0 = u8;" + "".join(f"type a{i} = tuple<a{i - 1}, a{i - 1}>;" for i in range(1, 140)) + "}",
        "interface i0 { type t = u8; }"
        + "".join(f"interface i{i} {{ use i{i - 1}.{{t}}; }}" for i in range(1, 300))
        + "world w { export i299; import i298; }",
        "world w0 { import f: func(); }" + "".join(f"world w{i} {{ include w{i - 1}; }}" for i in range(1, 1500)),
    ],
    ids=["aliases", "shared", "uses", "includes"],
)
def test_long_chains_are_no_deep_recursion(text: str) -> None:
    found = parse_text("package a:b;" + text)
    assert print_resolution(found)
    assert all(encode(p) for p in found.packages)


def test_types_that_nest_through_names_are_bounded() -> None:
    text = "package a:b; interface i { type a0 = u8;" + "".join(f"type a{i} = list<a{i - 1}>;" for i in range(1, 3000))
    with pytest.raises(WitDiagnosticsError, match="nest more than"):
        parse_text(text + "}")


def test_memory_is_bounded_by_the_text() -> None:
    text = "a " * 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(WitDiagnosticsError):
            parse_text(text)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


def complaint(read: Callable[[str], object], text: str) -> str | None:
    """What is wrong with the text; None if nothing is. Any other exception than ours goes through."""
    try:
        read(text)
    except WippyError as error:
        return str(error)
    return None


def offset_of_refusal(data: bytes) -> int:
    """Where the bytes are refused, 0 if they are not: then what they hold prints."""
    try:
        print_resolution(decode(data))
    except BinaryError as error:
        return error.offset
    return 0


@given(st.lists(WORDS, max_size=60))
@PROPERTY
def test_any_words_give_a_package_or_a_diagnostic(words: list[str]) -> None:
    for text in (" ".join(words), "package a:b; interface i { " + " ".join(words), "package a:b; " + "".join(words)):
        for read in (parse_text, parse_signatures):
            assert complaint(read, text) != ""


@given(st.text(max_size=200))
@PROPERTY
def test_any_text_gives_a_package_or_a_diagnostic(text: str) -> None:
    assert complaint(parse_text, text) != ""


@given(st.integers(0, len(EVERYTHING)), st.integers(0, 30), st.text(max_size=5))
@PROPERTY
def test_any_change_of_a_package_gives_a_package_or_a_diagnostic(at: int, length: int, put: str) -> None:
    assert complaint(parse_text, EVERYTHING[:at] + put + EVERYTHING[at + length :]) != ""


ENCODED = [encode(p) for p in parse_text(EVERYTHING, features=["active"]).packages]


@given(st.sampled_from(ENCODED), st.data())
@settings(max_examples=200)
def test_any_change_of_bytes_gives_a_package_or_an_error_of_ours(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(8, len(data) - 1))
    put = draw.draw(st.binary(max_size=4))
    changed = data[:at] + put + data[at + draw.draw(st.integers(0, 4)) :]
    assert 0 <= offset_of_refusal(changed) <= len(changed)


@given(st.binary(max_size=200))
@PROPERTY
def test_any_bytes_give_an_error_of_ours(data: bytes) -> None:
    for prefix in (b"", b"\0asm\x0d\0\x01\0", b"\0asm\x0d\0\x01\0\x07\x7f\x01\x41"):
        with pytest.raises(BinaryError):
            decode(prefix + data)
