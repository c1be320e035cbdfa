"""Sizes and flattening, by hand and on types that try to cost too much."""

from __future__ import annotations

import time

import pytest

from tests.abi.abi_fakes import FakeFunc, FakeGuest
from wippywasm.abi import Options, lift, lower
from wippywasm.abi.layout import (
    alignment,
    discriminant_size,
    elem_size,
    field_offsets,
    flags_size,
    flatten_functype,
    flatten_type,
    join,
)
from wippywasm.core import CoreFuncType
from wippywasm.errors import UnsupportedFeatureError
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
    Param,
    RecordType,
    ResultType,
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
