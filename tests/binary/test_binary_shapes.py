"""Flattening and sizes, against the canonical ABI room's own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wippywasm.abi import layout
from wippywasm.binary.shapes import CUT, Layout, Shapes
from wippywasm.model import (
    BOOL,
    CHAR,
    F32,
    F64,
    S64,
    STRING,
    U8,
    U16,
    U32,
    Case,
    EnumType,
    Field,
    FlagsType,
    FuncType,
    FutureType,
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

LEAVES = [BOOL, U8, U16, U32, S64, F32, F64, CHAR, STRING, OwnType(ResourceType()), StreamType(U8), FutureType()]


def named(count: int) -> list[str]:
    return [f"n{i}" for i in range(count)]


def wrapped(inner: st.SearchStrategy[ValType]) -> st.SearchStrategy[ValType]:
    some = st.lists(inner, min_size=1, max_size=4)
    maybe = st.one_of(st.none(), inner)
    return st.one_of(
        st.builds(ListType, inner, st.one_of(st.none(), st.integers(1, 20))),
        some.map(lambda ts: TupleType(tuple(ts))),
        some.map(lambda ts: RecordType(tuple(Field(n, t) for n, t in zip(named(len(ts)), ts)))),
        st.lists(maybe, min_size=1, max_size=4).map(
            lambda ts: VariantType(tuple(Case(n, t) for n, t in zip(named(len(ts)), ts)))
        ),
        st.builds(OptionType, inner),
        st.builds(ResultType, maybe, maybe),
        st.builds(MapType, st.just(STRING), inner),
        st.integers(1, 300).map(lambda n: EnumType(tuple(named(n)))),
        st.integers(1, 32).map(lambda n: FlagsType(tuple(named(n)))),
    )


TYPES: st.SearchStrategy[ValType] = st.recursive(st.sampled_from(LEAVES), wrapped, max_leaves=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(TYPES, max_size=6), st.one_of(st.none(), TYPES))
def test_functions_flatten_as_the_canonical_abi_says(params: list[ValType], result: ValType | None) -> None:
    shapes = Shapes()
    type = FuncType(tuple(Param(n, t) for n, t in zip(named(len(params)), params)), result)
    for param in params:
        assert shapes.flat(param) == tuple(layout.flatten_type(param))[:CUT]
        assert shapes.layout(param) == Layout(layout.elem_size(param, "i64"), layout.alignment(param, "i64"))
    assert shapes.lifted(type) == layout.flatten_functype(type, "lift")
    assert shapes.lowered(type) == layout.flatten_functype(type, "lower")


@pytest.mark.parametrize(
    ("type", "size", "alignment"),
    [
        (STRING, 16, 8),
        (ListType(U16), 16, 8),
        (ListType(U16, 5), 10, 2),
        (RecordType((Field("a", U8), Field("b", U32), Field("c", U8))), 12, 4),
        (OptionType(S64), 16, 8),
        (ResultType(U8, U16), 4, 2),
        (EnumType(tuple(named(257))), 2, 2),
        (FlagsType(tuple(named(9))), 2, 2),
        (FlagsType(tuple(named(17))), 4, 4),
        (VariantType((Case("a", STRING), Case("b"))), 24, 8),
    ],
)
def test_layout_with_pointers_of_64_bits(type: ValType, size: int, alignment: int) -> None:
    assert Shapes().layout(type) == Layout(size, alignment)


def test_async_functions() -> None:
    shapes = Shapes()
    five = FuncType(tuple(Param(n, U32) for n in named(5)), STRING, is_async=True)
    four = FuncType(five.params[:4], None, is_async=True)
    assert shapes.lowered_async(five).params == ("i32", "i32")
    assert shapes.lowered_async(four).params == ("i32",) * 4
    assert shapes.lowered_async(four).results == ("i32",)
    assert shapes.lifted_async(five, callback=True).results == ("i32",)
    assert shapes.lifted_async(five, callback=False).results == ()
