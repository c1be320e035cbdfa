"""The section with documentation and gates: what it may hold, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wippywasm.errors import MalformedError
from wippywasm.wit import Resolution, Stability, Version, decode, encode, parse_text

PACKAGE = """package a:b@1.2.0;
interface i { record r { a: u8, b: u8 } resource s { m: func(); } f: func(); }
world w { import i; export i; import n: interface { g: func(); } import h: func(); type t = u8; export e: func(); }
"""


def with_section(content: bytes) -> Resolution:
    package = parse_text(PACKAGE).main
    assert package is not None
    data = encode(package)
    payload = b"\x0cpackage-docs" + content
    size = bytes([len(payload) & 0x7F | 0x80, len(payload) >> 7])
    return decode(data[: data.index(b"\x0cpackage-docs") - 2] + b"\0" + size + payload)


def with_docs(found: Any) -> Resolution:
    return with_section(b"\x01" + json.dumps(found).encode())


def interface(**parts: Any) -> Any:
    return {"interfaces": {"i": parts}}


def world(**parts: Any) -> Any:
    return {"worlds": {"w": parts}}


STABLE = {"stable": {"since": "1.0.0", "deprecated": "1.1.0"}}
UNSTABLE = {"unstable": {"feature": "x-y"}}


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"docs": None, "worlds": {}, "interfaces": {}},
        {"package": "a:b@1.2.0", "docs": "d"},
        {"package": "c:d", "interfaces": {"absent": {"docs": "d"}}},
        interface(docs="d", stability=STABLE, funcs={"f": "d", "[method]s.m": {"docs": "d", "stability": UNSTABLE}}),
        interface(types={"r": {"docs": "d", "items": {"a": "d"}}}, stability="unknown"),
        world(docs="d", stability=UNSTABLE, interfaces={"n": {"docs": "d"}}, funcs={"h": {"docs": "d"}}),
        world(func_exports={"e": {"docs": "d"}}, types={"t": {"docs": "d"}}),
        world(funcs={"e": "an export, as in older sections"}),
        world(
            interface_import_stability={"a:b/i@1.2.0": STABLE},
            interface_export_stability={"a:b/i@1.2.0": UNSTABLE},
            interface_import_docs={"a:b/i@1.2.0": "d"},
            interface_export_docs={"a:b/i@1.2.0": "d"},
        ),
    ],
)
def test_good_sections(found: Any) -> None:
    with_docs(found)


def test_what_a_section_says_is_there() -> None:
    found = with_docs(interface(docs="d", stability=STABLE, types={"r": {"items": {"b": "of b"}}}, funcs={"f": "of f"}))
    here = found.interfaces[0]
    assert (here.docs, here.stability) == ("d", Stability(Version(1, 0, 0), None, Version(1, 1, 0)))
    assert here.types["r"].member_docs == (None, "of b")
    assert here.functions["f"].docs == "of f"
    exported = with_docs(world(funcs={"e": "of e"})).world().exports["e"]
    assert getattr(exported, "docs", None) == "of e"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"other": 1}, "'other' is not one of"),
        ({"interfaces": []}, "expected names in interfaces"),
        ({"interfaces": {"j": {}}}, "about 'j', which is not there"),
        ({"worlds": {"v": {}}}, "about 'v', which is not there"),
        (interface(dogs="d"), "'dogs' is not one of"),
        (interface(docs=3), "documentation is a string"),
        (interface(funcs={"g": "d"}), "about 'g'"),
        (interface(funcs={"f": 3}), "expected an object, got 3"),
        (interface(funcs={"f": {"dogs": "d"}}), "'dogs'"),
        (interface(types={"q": {}}), "about 'q'"),
        (interface(types={"r": {"items": {"c": "d"}}}), "about 'c', which `r` has not"),
        (interface(types={"r": []}), "expected an object"),
        (interface(stability=3), "expected an object, got 3"),
        (interface(stability={"steady": {}}), "'steady' is not one of"),
        (interface(stability={}), "either stable or unstable"),
        (interface(stability=STABLE | UNSTABLE), "either stable or unstable"),
        (interface(stability={"stable": {"since": "1"}}), "`1` is not a semantic version"),
        (interface(stability={"stable": {"since": None}}), "not a semantic version"),
        (interface(stability={"stable": {"since": 1}}), "a version is a string"),
        (interface(stability={"stable": {}}), "since"),
        (interface(stability={"stable": {"since": "1.0.0", "until": "2.0.0"}}), "'until'"),
        (interface(stability={"unstable": {"feature": "`x"}}), "an identifier starts with a letter"),
        (interface(stability={"unstable": {"feature": ""}}), "an identifier is missing"),
        (interface(stability={"unstable": {}}), "feature"),
        (world(interfaces={"h": {}}), "about 'h'"),
        (world(funcs={"n": {}}), "about 'n'"),
        (world(func_exports={"h": {}}), "about 'h'"),
        (world(types={"n": {}}), "about 'n'"),
        (world(interface_import_docs={"i": "d"}), "about 'i'"),
        (world(interface_exports_docs={}), "'interface_exports_docs' is not one of"),
    ],
)
def test_what_makes_no_sense_is_refused(found: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        with_docs(found)


HALF = "\ud800"


@pytest.mark.parametrize(
    "found",
    [
        {"docs": HALF},
        {"docs": "\udfff"},
        {"package": HALF},
        {"interfaces": {HALF: {}}},
        interface(funcs={"f": f"a{HALF}"}),
        interface(types={"r": {"items": {"a": HALF}}}),
        interface(stability={"stable": {"since": HALF}}),
        interface(stability={"unstable": {"feature": HALF}}),
        world(interface_import_docs={"a:b/i@1.2.0": HALF}),
    ],
)
def test_half_of_a_surrogate_pair_is_refused(found: Any) -> None:
    with pytest.raises(MalformedError, match="is half of a surrogate pair") as caught:
        with_docs(found)
    str(caught.value).encode()
    assert caught.value.offset is not None


def test_a_surrogate_pair_is_one_character() -> None:
    found = with_section(b'\x01{"docs":"\\ud83d\\ude00"}').main
    assert found is not None
    assert found.docs == "\U0001f600"


@pytest.mark.parametrize("content", [b"", b"\x02{}", b"\x01", b"\x01{", b"\x01[]", b"\x01\xff", b"\x01" + b"[" * 9000])
def test_bytes_that_are_no_section(content: bytes) -> None:
    with pytest.raises(MalformedError, match="package-docs"):
        with_section(content)
