"""Component-level values and start functions: a gated feature that decodes and validates."""

from __future__ import annotations

import pytest

from tests.binary.binary_text import refused
from tools.dense import COMPONENT, leb, section
from wippywasm.binary import decode
from wippywasm.binary.component import Component, Start, ValueBound, ValueDefinition
from wippywasm.binary.features import ALL
from wippywasm.engine import wat2wasm
from wippywasm.errors import BinaryError, MalformedError, ValidationError
from wippywasm.model import U8

IMPORTS = '(import "v" (value $v u8)) (import "f" (func $f (param "x" u8) (result string)))'
STARTED = f'{IMPORTS} (start $f (value $v) (result (value $r))) (export "r" (value $r))'


def with_values(text: str) -> Component:
    return decode(wat2wasm(f"(component {text})"), features=ALL)


def no_values(text: str, message: str) -> None:
    refused(text, message, ALL)


def written(type: bytes, value: bytes) -> bytes:
    """Sections that write a value of a type down and export it; type 0 and on are those of the test."""
    type = bytes([type[0] + EXPORTED]) if type[0] < EXPORTED else type
    definition = b"\1" + type + leb(len(value)) + value
    return section(12, definition) + section(11, b"\1\0\1v\2\0\0")


def test_a_start_takes_values_and_gives_one() -> None:
    found = with_values(STARTED)
    (start,) = [d for d in found.definitions if isinstance(d, Start)]
    assert (start.func, start.args, start.results) == (0, (0,), 1)
    assert found.type.imports["v"] == ValueBound(U8)
    assert isinstance(found.type.exports["r"], ValueBound)


@pytest.mark.parametrize(
    "text",
    [
        IMPORTS,
        STARTED,
        '(type (component (import "a" (value u8))))',
        '(import "i" (instance (export "v" (value u8)))) (alias export 0 "v" (value))',
    ],
)
def test_they_need_their_feature(text: str) -> None:
    refused(text, "a component-level value needs the feature `values`")


@pytest.mark.parametrize("number", [9, 12])
def test_their_sections_need_it_even_where_they_are_empty(number: int) -> None:
    with pytest.raises(
        ValidationError, match=r"needs the feature `values`, .* \(the specification gates it: .* runs it\)"
    ):
        decode(COMPONENT + section(number, b"\0"))


def test_a_value_is_used_once() -> None:
    no_values('(import "v" (value u8))', "value index 0 was not used as part of")
    twice = '(import "v" (value $v u8)) (export "a" (value $v)) (export "b" (value $v))'
    no_values(twice, "value 0 cannot be used more than once")
    passed = '(component $c (import "x" (value $x u8)) (export "y" (value $x)))'
    with_values(f'(import "v" (value $v u8)) {passed} (instance (instantiate $c (with "x" (value $v))))')
    no_values(f'(import "v" (value $v u16)) {passed} (instance (instantiate $c (with "x" (value $v))))', "expected")
    with_values('(import "i" (instance (export "v" (value u8)))) (alias export 0 "v" (value)) (export "w" (value 0))')


def test_a_start_fits_its_function() -> None:
    no_values('(import "f" (func $f (param "x" u8))) (start $f)', "requires 1 arguments but was given 0")
    no_values(f"{IMPORTS} (start $f (value $v))", "has a result count of 0")
    no_values(
        '(import "v" (value $v u16)) (import "f" (func $f (param "x" u8))) (start $f (value $v))',
        "value type mismatch for component start function argument 0",
    )
    no_values('(import "f" (func $f)) (start 7)', "unknown function 7")


def test_a_bound_may_be_another_value() -> None:
    imports = section(10, b"\2\0\1a\2\1\x7d\0\1b\2\0\0")
    exports = section(11, b"\2\0\1c\2\0\0\0\1d\2\1\0")
    found = decode(COMPONENT + imports + exports, features=ALL)
    assert found.type.imports["a"] == found.type.imports["b"] == ValueBound(U8)


@pytest.mark.parametrize(
    ("type", "value"),
    [
        (b"\x7f", b"\1"),
        (b"\x7d", b"\xff"),
        (b"\x7c", b"\x7f"),
        (b"\x77", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
        (b"\x76", b"\0\0\xc0\x7f"),
        (b"\x75", b"\0\0\0\0\0\0\xf0\x7f"),
        (b"\x74", "é".encode()),
        (b"\x73", b"\2hi"),
        (b"\0", b"\1\2"),  # record
        (b"\1", b"\1\7"),  # variant, the case with a payload
        (b"\1", b"\0"),
        (b"\2", b"\2\7\7"),  # list
        (b"\3", b"\3"),  # flags
        (b"\4", b"\1"),  # enum
        (b"\5", b"\1\7"),  # option
        (b"\6", b"\1"),  # result<u8>, an error
        (b"\7", b"\1\1a\7"),  # map
    ],
)
def test_values_that_are_written_down(type: bytes, value: bytes) -> None:
    found = decode(COMPONENT + TYPES + written(type, value), features=ALL)
    (definition,) = [d for d in found.definitions if isinstance(d, ValueDefinition)]
    assert bytes(definition.value) == value


@pytest.mark.parametrize(
    ("type", "value", "error"),
    [
        (b"\x7f", b"\2", MalformedError),
        (b"\x7d", b"", MalformedError),
        (b"\x7d", b"\0\0", MalformedError),
        (b"\x76", b"\1\0\xc0\x7f", MalformedError),
        (b"\x74", b"\xc3\x28", MalformedError),
        (b"\x74", b"\xed\xa0\x80", MalformedError),
        (b"\1", b"\2", ValidationError),
        (b"\2", b"\5\7", MalformedError),
        (b"\4", b"\2", ValidationError),
        (b"\5", b"\2", MalformedError),
        (b"\x08", b"\0", ValidationError),  # a stream
    ],
)
def test_values_that_are_none(type: bytes, value: bytes, error: type[BinaryError]) -> None:
    with pytest.raises(error):
        decode(COMPONENT + TYPES + written(type, value), features=ALL)


EXPORTED = 9
"""Each of the types is exported, and has so many added to its index."""
TYPES = section(
    7,
    b"\x09"
    b"\x72\2\1a\x7d\1b\x7d"
    b"\x71\2\1a\0\0\1b\1\x7d\0"
    b"\x70\x7d"
    b"\x6e\2\1a\1b"
    b"\x6d\2\1a\1b"
    b"\x6b\x7d"
    b"\x6a\1\x7d\0"
    b"\x63\x73\x7d"
    b"\x66\1\x7d",
) + section(11, b"\x09" + b"".join(b"\0\2t" + b"%d" % i + b"\3" + bytes([i]) + b"\0" for i in range(9)))
