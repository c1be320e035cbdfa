"""Number literals of scripts, to the last bit."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spec_tests.wast_literals import F32, F64, FloatFormat, LiteralError, float_bits, integer


def bits_of(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


def value_of(bits: int) -> float:
    return float(struct.unpack("<f", bits.to_bytes(4, "little"))[0])


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("0", 0),
        ("-0", 0x80000000),
        ("1", 0x3F800000),
        ("+1.", 0x3F800000),
        ("1_0.2_5e-0_1", 0x3F833333),
        ("0x1.8p1", 0x40400000),
        ("0x0.0000018p+24", 0x3FC00000),
        ("0x1.00000100000000001p0", 0x3F800001),
        ("0x1.000001p0", 0x3F800000),
        ("0x1.000003p0", 0x3F800002),
        ("1.000000059604644775390625000001", 0x3F800001),
        ("1.000000059604644775390625", 0x3F800000),
        ("0x1.fffffep+127", 0x7F7FFFFF),
        ("340282356779733661637539395458142568447.9", 0x7F7FFFFF),
        ("0x1p-149", 1),
        ("0x1p-150", 0),
        ("0x1.0000000000000000001p-150", 1),
        ("0x1.fffffcp-127", 0x007FFFFF),
        ("0x1.fffffep-127", 0x00800000),
        ("1e-999999999999999999999", 0),
        ("0e999999999999999999999", 0),
        ("0x0p999999999999999999999", 0),
        ("000" + "1" + "0" * 10_000 + "e-10000", 0x3F800000),
        ("inf", 0x7F800000),
        ("-inf", 0xFF800000),
        ("nan", 0x7FC00000),
        ("-nan:0x1", 0xFF800001),
        ("nan:0x7f_ffff", 0x7FFFFFFF),
    ],
)
def test_floats_of_32_bits(text: str, bits: int) -> None:
    assert float_bits(text, F32) == bits


@pytest.mark.parametrize(
    ("text", "format"),
    [
        *[(text, F32) for text in ("", "-", ".5", "1_", "_1", "1__0", "1e", "1e+", "0x", "0x1p", "0x.8", "1f", "--1")],
        *[(text, F32) for text in ("infinity", "Inf", "nan:1", "nan:0x", "nan:0x0", "nan:0x800000", "nan:canonical")],
        *[(text, F32) for text in ("1e39", "0x1p128", "0x1.ffffffp127", "340282356779733661637539395458142568448")],
        *[(text, F64) for text in ("1e309", "0x1p1024", "1e999999999999999999999", "nan:0x10000000000000")],
    ],
)
def test_what_is_no_float(text: str, format: FloatFormat) -> None:
    with pytest.raises(LiteralError):
        float_bits(text, format)


@given(st.floats(allow_nan=False))
def test_floats_of_64_bits_are_those_of_python(value: float) -> None:
    assert float_bits(repr(value), F64) == bits_of(value)
    hexadecimal = value.hex()
    assert float_bits(hexadecimal, F64) == bits_of(value)


@given(st.integers(0, 0x7F7FFFFE), st.sampled_from((-1, 0, 1)))
def test_halfway_between_two_floats(bits: int, nudge: int) -> None:
    """Between two neighbours of 32 bits, a float of 64 has room for the middle and for what is next to it."""
    middle = (value_of(bits) + value_of(bits + 1)) / 2
    text = value_of_bits(bits_of(middle) + nudge).hex()
    assert float_bits(text, F32) == (bits + (bits & 1) if nudge == 0 else bits + (nudge > 0))


def value_of_bits(bits: int) -> float:
    return float(struct.unpack("<d", bits.to_bytes(8, "little"))[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("007", 7), ("-0_1", -1), ("+0xF_f", 255), ("-0x8", -8), ("0" * 9000 + "1", 1), ("-0", 0)],
)
def test_integers(text: str, value: int) -> None:
    assert integer(text, -8, 255) == value


@pytest.mark.parametrize("text", ["", "-", "1_", "_1", "1__1", "0x", "0xg", "1.0", "1e1", "256", "-9", "9" * 9000, "٣"])
def test_what_is_no_integer(text: str) -> None:
    with pytest.raises(LiteralError):
        integer(text, -8, 255)
