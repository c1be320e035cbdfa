"""Sizes and flattening, by hand and on types that try to cost too much."""

from __future__ import annotations

import time

import pytest

from tests.abi.abi_fakes import FakeFunc, FakeGuest
from wippywasm.abi import Options, lift, lower
from wippywasm.core import CoreFuncType
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.layout import (
    alignment,
    discriminant_size,
    elem_size,
    field_offsets,
    flags_size,
    flatten_functype,
    flatten_type,
    join,
    needs_memory,
)
from wippywasm.model import (
    BOOL,
    F32,
    F64,
    S64,
    STRING,
    U8,
    U16,
    U32,
    U64,
    Case,
    EnumType,
    Field,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    Param,
    RecordType,
    ResourceType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Variant


@pytest.mark.parametrize(
    ("t", "align", "size"),
    [
        (BOOL, 1, 1),
        (STRING, 4, 8),
        (ListType(U8), 4, 8),
        (ListType(U16, 5), 2, 10),
        (TupleType((U8, U32, U8)), 4, 12),
        (RecordType((Field("a", U8), Field("b", U64))), 8, 16),
        (OptionType(U8), 1, 2),
        (OptionType(U64), 8, 16),
        (ResultType(None, None), 1, 1),
        (VariantType((Case("a", STRING), Case("b", U64))), 8, 16),
        (EnumType(tuple(map(str, range(256)))), 1, 1),
        (EnumType(tuple(map(str, range(257)))), 2, 2),
        (FlagsType(tuple(map(str, range(17)))), 4, 4),
        (MapType(STRING, U8), 4, 8),
    ],
)
def test_sizes(t: ValType, align: int, size: int) -> None:
    assert (alignment(t), elem_size(t)) == (align, size)


def test_addresses_of_64_bits_double_pointers() -> None:
    assert elem_size(STRING, "i64") == 16
    assert flatten_type(ListType(U8), "i64") == ("i64", "i64")


def test_offsets_and_widths() -> None:
    assert field_offsets((U8, U32, U16, F64)) == (0, 4, 8, 16)
    assert [discriminant_size(n) for n in (1, 256, 257, 65536, 65537)] == [1, 1, 2, 2, 4]
    assert [flags_size(n) for n in (1, 8, 9, 16, 17, 32)] == [1, 1, 2, 2, 4, 4]


def test_joins() -> None:
    assert join("i32", "f32") == "i32"
    assert join("f32", "f64") == join("i32", "i64") == join("f32", "i64") == "i64"
    assert flatten_type(VariantType((Case("a", F32), Case("b", TupleType((S64, F32)))))) == ("i32", "i64", "f32")


def test_function_types() -> None:
    wide = FuncType(tuple(Param(str(i), U32) for i in range(17)), STRING)
    assert flatten_functype(wide, "lift") == CoreFuncType(("i32",), ("i32",))
    assert flatten_functype(wide, "lower") == CoreFuncType(("i32", "i32"), ())
    assert flatten_functype(wide, "lower", abi="async") == CoreFuncType(("i32", "i32"), ("i32",))
    assert flatten_functype(wide, "lift", abi="callback") == CoreFuncType(("i32",), ("i32",))


def test_types_that_share_their_nodes_cost_no_more_than_their_nodes() -> None:
    t: ValType = ListType(U8)
    for _ in range(24):
        t = TupleType((t, t))
    start = time.thread_time()
    assert elem_size(t) == 8 << 24
    assert len(flatten_type(t)) == 17
    lift(FuncType((Param("x", t),), t), FakeFunc(lambda p: p), Options(), FakeGuest().binding())
    lower(FuncType((Param("x", t),), t), lambda x: x, Options(), FakeGuest().binding())
    assert time.thread_time() - start < 2


def test_deep_types() -> None:
    def nested(depth: int) -> ValType:
        t: ValType = U8
        for _ in range(depth):
            t = OptionType(ListType(t))
        return t

    ft = FuncType((Param("x", nested(50)),))
    lift(ft, FakeFunc(lambda *core: None), Options(), FakeGuest().binding())([[None]])
    with pytest.raises(UnsupportedFeatureError, match="types nested 602 deep"):
        lift(FuncType((Param("x", nested(300)),)), FakeFunc(print), Options(), FakeGuest().binding())


def test_wide_types() -> None:
    cases = tuple(Case(f"c{i}", U32 if i % 2 else None) for i in range(3000))
    t = TupleType((VariantType(cases), *[U32] * 500))
    guest = FakeGuest()
    got: list[object] = []
    ft = FuncType((Param("x", t),))
    _, receive = lower(ft, got.append, Options(), guest.binding())
    value = (Variant("c2999", 7), *range(500))
    lift(ft, FakeFunc(receive), Options(), guest.binding())(value)
    assert got == [value]


@pytest.mark.parametrize(
    ("t", "size", "align"),
    [
        (STRING, 16, 8),
        (ListType(U16), 16, 8),
        (ListType(U16, 5), 10, 2),
        (RecordType((Field("a", U8), Field("b", U32), Field("c", U8))), 12, 4),
        (OptionType(S64), 16, 8),
        (ResultType(U8, U16), 4, 2),
        (EnumType(tuple(f"n{i}" for i in range(257))), 2, 2),
        (FlagsType(tuple(f"n{i}" for i in range(17))), 4, 4),
        (VariantType((Case("a", STRING), Case("b"))), 24, 8),
    ],
)
def test_sizes_with_pointers_of_64_bits(t: ValType, size: int, align: int) -> None:
    assert (elem_size(t, "i64"), alignment(t, "i64")) == (size, align)
    assert (elem_size(t, "i64"), alignment(t, "i64")) == (size, align), "as remembered"


def test_asynchronous_functions() -> None:
    five = FuncType(tuple(Param(f"n{i}", U32) for i in range(5)), STRING, is_async=True)
    four = FuncType(five.params[:4], None, is_async=True)
    assert flatten_functype(five, "lower", abi="async") == CoreFuncType(("i32", "i32"), ("i32",))
    assert flatten_functype(four, "lower", abi="async") == CoreFuncType(("i32",) * 4, ("i32",))
    assert flatten_functype(five, "lift", abi="callback") == CoreFuncType(("i32",) * 5, ("i32",))
    assert flatten_functype(five, "lift", abi="async") == CoreFuncType(("i32",) * 5)


@pytest.mark.parametrize(
    ("t", "needs"),
    [
        (STRING, True),
        (ListType(U8), True),
        (ListType(U8, 3), False),
        (ListType(STRING, 3), True),
        (MapType(U8, U8), True),
        (OptionType(TupleType((U8, ListType(U8)))), True),
        (OptionType(TupleType((U8, F32))), False),
        (OwnType(ResourceType("r")), False),
        (StreamType(U8), False),
    ],
)
def test_what_follows_pointers(t: ValType, needs: bool) -> None:
    assert needs_memory(t) is needs
