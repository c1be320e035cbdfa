"""Strings between real components, in all pairs of encodings, from guests that may lie about them.

A `sender` passes bytes of its memory as a string to an `echoer`, which tells what it got and gives it back.

Spec: `CanonicalABI.md`, `load_string`, `store_string` and what they call.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import wippywasm
from wippywasm.errors import PoisonedError, Trap

SETTINGS = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
ENCODINGS = ("utf8", "utf16", "latin1+utf16")
PAIRS = [(a, b) for a in ENCODINGS for b in ENCODINGS]
TAG = 1 << 31
LIMIT = (1 << 28) - 1
MEMORY = 32 << 16

LIBC = """
  (core module $Libc
    (memory (export "memory") 32 32)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $new i32)
      (if (i32.and (i32.ne (local.get $old) (i32.const 0)) (i32.le_u (local.get $size) (local.get $old-size)))
        (then (return (local.get $old))))
      (local.set $new (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $new) (local.get $size)))
      (memory.copy (local.get $new) (local.get $old) (local.get $old-size))
      (local.get $new)))
  (core instance $libc (instantiate $Libc))
"""
BYTES = {
    "utf8": "(local.get $units)",
    "utf16": "(i32.shl (local.get $units) (i32.const 1))",
    "latin1+utf16": f"""(if (result i32) (i32.and (local.get $units) (i32.const {TAG:#x}))
        (then (i32.shl (local.get $units) (i32.const 1))) (else (local.get $units)))""",
}
"""How many bytes so many tagged code units are (the shift drops the tag)."""


def tell(encoding: str) -> str:
    """A function that lays out what is told of a string: its bytes and its tagged code units."""
    return f"""
    (func $tell (param $pointer i32) (param $units i32) (result i32)
      (i32.store (i32.const 48) (local.get $pointer))
      (i32.store (i32.const 52) {BYTES[encoding]})
      (i32.store (i32.const 56) (local.get $units))
      (i32.const 48))"""


def source(sender: str, echoer: str) -> str:
    """The component of two such components."""
    options = '(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))'
    return f"""
(component
  (component $Echoer {LIBC}
    (core module $M
      (import "libc" "memory" (memory 32)) {tell(echoer)}
      (func (export "echo") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
      (func (export "got") (result i32) (call $tell (i32.load (i32.const 16)) (i32.load (i32.const 20)))))
    (core instance $m (instantiate $M (with "libc" (instance $libc))))
    (func (export "echo") (param "s" string) (result string)
      (canon lift (core func $m "echo") string-encoding={echoer} {options}))
    (func (export "got") (result (tuple (list u8) u32))
      (canon lift (core func $m "got") {options})))
  (component $Sender {LIBC}
    (import "echo" (func $echo (param "s" string) (result string)))
    (core func $echo' (canon lower (func $echo) string-encoding={sender} {options}))
    (core module $M
      (import "libc" "memory" (memory 32))
      (import "" "echo" (func $echo (param i32 i32 i32)))
      {tell(sender)}
      (func (export "send") (param $bytes i32) (param $count i32) (param $skipped i32) (param $units i32) (result i32)
        (call $echo (i32.add (local.get $bytes) (local.get $skipped)) (local.get $units) (i32.const 16))
        (call $tell (i32.load (i32.const 16)) (i32.load (i32.const 20)))))
    (core instance $m (instantiate $M
      (with "libc" (instance $libc)) (with "" (instance (export "echo" (func $echo'))))))
    (func (export "send")
      (param "bytes" (list u8)) (param "skipped" u32) (param "units" u32) (result (tuple (list u8) u32))
      (canon lift (core func $m "send") {options})))
  (instance $echoer (instantiate $Echoer))
  (instance $sender (instantiate $Sender (with "echo" (func $echoer "echo"))))
  (export "send" (func $sender "send"))
  (export "got" (func $echoer "got")))
"""


class Told(NamedTuple):
    """A string as a guest has it."""

    content: bytes
    units: int


def written(text: str, encoding: str) -> Told:
    """A text as a guest receives it."""
    if encoding == "utf8":
        return Told(text.encode(), len(text.encode()))
    wide = text.encode("utf-16-le")
    if encoding == "utf16":
        return Told(wide, len(wide) // 2)
    if all(ord(c) < 256 for c in text):
        return Told(text.encode("latin-1"), len(text))
    return Told(wide, len(wide) // 2 | TAG)


def read(told: Told, encoding: str, skipped: int) -> str | None:
    """The text that a guest passes by so many units, after some bytes of `content`; None where that traps."""
    wide = encoding == "utf16" or (encoding == "latin1+utf16" and told.units & TAG)
    size = 2 * (told.units & ~TAG if encoding == "latin1+utf16" else told.units) if wide else told.units
    if size > LIMIT or (encoding != "utf8" and skipped % 2) or size > MEMORY:
        return None
    codec = "utf-16-le" if wide else "utf-8" if encoding == "utf8" else "latin-1"
    try:
        return told.content[skipped : skipped + size].decode(codec)
    except UnicodeDecodeError:
        return None


TEXT = st.one_of(
    st.text(max_size=30),
    st.text("abcäöü ", max_size=30),
    st.text("aé€\U0001f600\ud7ff\ue000\uffff\U0010ffff\x00\x7f\x80\xff\u0100\u07ff\u0800", max_size=12),
)
UNITS = st.binary(max_size=24)
SURROGATES = st.lists(st.sampled_from([b"a\0", b"\x00\xd8", b"\x3d\xd8", b"\x00\xde", b"\xff\xdf"]), max_size=6)


@st.composite
def passed(draw: st.DrawFn, encoding: str) -> tuple[Told, int]:
    """A string as a guest may pass it: mostly honest, cut anywhere, or noise; and the bytes before it."""
    content, units = draw(TEXT.map(lambda t: written(t, encoding)))
    if draw(st.integers(0, 3)) == 0:
        content = draw(st.one_of(UNITS, SURROGATES.map(b"".join)))
        tag = draw(st.sampled_from([0, TAG])) if encoding == "latin1+utf16" else 0
        units = len(content) // (2 if encoding == "utf16" or tag else 1) | tag
    lie = draw(st.integers(0, 7))
    if lie == 0:
        units = draw(st.integers(0, units & ~TAG)) | units & TAG
    elif lie == 1:
        units = draw(st.sampled_from([LIMIT, LIMIT + 1, TAG - 1, TAG, TAG | LIMIT, 2**32 - 1]))
    skipped = draw(st.sampled_from([0, 0, 0, 1, 2]))
    return Told(bytes(skipped) + content, units), skipped


@pytest.fixture(scope="module")
def components() -> dict[Any, Any]:
    """Those that are loaded, by engine and encodings."""
    return {}


@pytest.fixture
def linked(engine: str, pair: tuple[str, str], components: dict[Any, Any]) -> Any:
    if (engine, pair) not in components:
        components[engine, pair] = wippywasm.load(source(*pair), engine=engine).link()
    return components[engine, pair]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} to {pair[1]}")
@SETTINGS
@given(data=st.data())
def test_strings_cross_as_they_are_or_trap(linked: Any, pair: tuple[str, str], data: st.DataObject) -> None:
    told, skipped = data.draw(passed(pair[0]))
    text = read(told, pair[0], skipped)
    with linked.instantiate() as guest:
        if text is None:
            with pytest.raises(Trap):
                guest.call("send", told.content, skipped, told.units)
            with pytest.raises(PoisonedError):
                guest.call("send", b"", 0, 0)
        else:
            assert guest.call("send", told.content, skipped, told.units) == written(text, pair[0])
            assert guest.call("got") == written(text, pair[1])


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} to {pair[1]}")
@pytest.mark.parametrize("text", ["a" * 70_000, "é" * 70_000, "a" * 30_000 + "€" * 30_000, "\U0001f600" * 30_000])
def test_long_strings(linked: Any, pair: tuple[str, str], text: str) -> None:
    told = written(text, pair[0])
    with linked.instantiate() as guest:
        assert guest.call("send", told.content, 0, told.units) == told
        assert guest.call("got") == written(text, pair[1])


BAD_TEXT = """
(module
  (import "log" "line" (func $line (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\ffab") (data (i32.const 32) "\\08\\00\\00\\00\\02")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
  (func (export "pass") (call $line (i32.const 8) (i32.const 2) (i32.const 48)))
  (func (export "ask") (result i32) (call $line (i32.const 9) (i32.const 2) (i32.const 48)) (i32.const 48))
  (func (export "give") (result i32) (i32.const 32)))
"""
BAD_TEXT_WIT = """
package t:t;
world w {
  import log: interface { line: func(text: string) -> string; }
  export pass: func();
  export ask: func() -> string;
  export give: func() -> string;
}
"""


def test_who_gave_what_is_no_text(load: Any) -> None:
    def line(text: str) -> str:
        return b"\xff".decode()

    component = load(BAD_TEXT, wit=BAD_TEXT_WIT)
    for name, where in (("pass", "an argument of `log#line`"), ("give", "the result of `give`")):
        with (
            component.instantiate({"log": {"line": line}}) as guest,
            pytest.raises(Trap, match=f"^invalid utf-8 sequence of 1 bytes from index 0 in {where}$"),
        ):
            guest.call(name)
    with component.instantiate({"log": {"line": line}}) as guest, pytest.raises(UnicodeDecodeError):
        guest.call("ask")


SHORT_TEXT = """
(module
  (memory (export "memory") {pages})
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const {address}))
  (func (export "length") (param i32 i32) (result i32) (local.get 1)))
"""


@pytest.mark.parametrize(("pages", "address", "text"), [(0, 0, ""), (65536, 0, "abc"), (65536, -3, "abc")])
def test_the_least_and_the_most_of_a_memory(load: Any, pages: int, address: int, text: str) -> None:
    wit = "package t:t; world w { export length: func(text: string) -> u32; }"
    with load(SHORT_TEXT.format(pages=pages, address=address), wit=wit).instantiate() as guest:
        assert guest.call("length", text) == len(text)
