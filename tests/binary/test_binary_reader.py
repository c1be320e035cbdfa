"""LEB128, vectors and names, at their edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.dense import leb
from wippywasm.binary.reader import Reader, view_of
from wippywasm.errors import MalformedError


def reader(data: bytes) -> Reader:
    return Reader(memoryview(data))


@given(st.integers(0, 2**32 - 1))
def test_u32_round_trip(value: int) -> None:
    assert reader(leb(value)).u32() == value


@given(st.integers(0, 2**64 - 1))
def test_u64_round_trip(value: int) -> None:
    assert reader(leb(value)).u64() == value


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"\x00", 0), (b"\x7f", -1), (b"\x40", -64), (b"\x80\x7f", -128), (b"\xff\xff\xff\xff\x0f", 2**32 - 1)],
)
def test_s33(data: bytes, value: int) -> None:
    assert reader(data).s33() == value


@pytest.mark.parametrize("data", [b"\x81\x80\x80\x80\x00", b"\x81\x00"])
def test_padding_with_zeros_is_allowed(data: bytes) -> None:
    assert reader(data).u32() == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x81\x80\x80\x80\x10", "integer too large"),
        (b"\x81\x80\x80\x80\x80\x00", "integer representation too long"),
        (b"\x80", "unexpected end"),
        (b"", "unexpected end"),
    ],
)
def test_u32_refuses(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message) as caught:
        reader(data).u32()
    assert caught.value.offset <= len(data)


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff\x4f", b"\xff\xff\xff\xff\xff\x7f"])
def test_s33_refuses_bits_that_it_has_not(data: bytes) -> None:
    with pytest.raises(MalformedError, match="integer"):
        reader(data).s33()


def test_a_count_past_the_end_is_refused_before_anything_is_read() -> None:
    with pytest.raises(MalformedError, match="4294967295 items are announced, 1 bytes remain"):
        reader(leb(2**32 - 1) + b"x").vec(lambda: pytest.fail("read an item"))


def test_names_are_utf_8_and_errors_point_at_the_bad_byte() -> None:
    assert reader(b"\x03\xe2\x98\x83").name() == "☃"
    with pytest.raises(MalformedError, match="UTF-8") as caught:
        reader(b"\x03ab\xff").name()
    assert caught.value.offset == 3


def test_a_sub_reader_counts_from_the_start_of_the_file() -> None:
    outer = reader(b"\x00\x01\x02\x03")
    outer.byte()
    inner = outer.sub(2)
    inner.slice(2)
    assert outer.pos == 3
    with pytest.raises(MalformedError) as caught:
        inner.byte()
    assert caught.value.offset == 3


def test_any_buffer_is_seen_as_bytes() -> None:
    spaced = memoryview(b"a-b-c")[::2]
    assert bytes(view_of(spaced)) == b"abc"
    assert bytes(view_of(memoryview(bytearray(4)).cast("I"))) == b"\0\0\0\0"
