"""Types of thousands of parts: code for them grows with what is different in them, and has a bound."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.abi.abi_fakes import FakeFunc, FakeGuest
from wippywasm.abi import Options, lift, lower
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.model import (
    PRIMS,
    Case,
    Field,
    FuncType,
    ListType,
    OptionType,
    Param,
    RecordType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Variant

COUNT = 10_000
STRING, U8 = PRIMS["string"], PRIMS["u8"]
PAIR = TupleType((PRIMS["u32"], STRING))
FEW = [PRIMS[name] for name in ("u8", "u16", "u32", "s8", "string", "bool", "char", "f32")]


def through(t: ValType, value: Any) -> Any:
    """What becomes of a value that the host gives to a guest, which returns it."""
    guest = FakeGuest(size=4 << 20)
    got: list[Any] = []
    type, core = lower(FuncType((Param("x", t),)), got.append, Options(), guest.binding())
    lift(FuncType((Param("x", t),)), FakeFunc(core), Options(), guest.binding())(value)
    assert type.params
    return got[0]


@pytest.mark.parametrize(
    ("t", "value"),
    [
        (TupleType((STRING,) * COUNT), ("x",) * COUNT),
        (TupleType((OptionType(STRING),) * COUNT), (None, "y") * (COUNT // 2)),
        (
            ListType(RecordType(tuple(Field(f"f{i}", U8) for i in range(COUNT)))),
            [{f"f{i}": i % 256 for i in range(COUNT)}],
        ),
        (
            ListType(VariantType(tuple(Case(f"c{i}", PAIR if i % 2 else None) for i in range(COUNT)))),
            [Variant("c0"), Variant("c9999", (7, "z"))],
        ),
        (VariantType(tuple(Case(f"c{i}", STRING) for i in range(COUNT))), Variant("c1234", "z")),
        (VariantType(tuple(Case(f"c{i}", FEW[i % 4]) for i in range(COUNT))), Variant("c5001", 65535)),
    ],
    ids=["strings", "options", "records", "variants", "a flat variant", "a flat variant of numbers"],
)
def test_as_many_parts_as_a_type_may_have(t: ValType, value: Any) -> None:
    assert through(t, value) == value


@pytest.mark.parametrize("params", [300, 1_000])
def test_wide_parameters_side_by_side(params: int) -> None:
    guest = FakeGuest()
    ft = FuncType(tuple(Param(f"p{i}", TupleType((U8,) * 990)) for i in range(params)))
    with pytest.raises(UnsupportedFeatureError, match="values of types with so many parts"):
        lift(ft, FakeFunc(lambda *core: None), Options(), guest.binding())
    with pytest.raises(UnsupportedFeatureError, match="values of types with so many parts"):
        lower(ft, lambda *args: None, Options(), guest.binding())


def test_more_parts_of_which_none_is_like_another() -> None:
    guest = FakeGuest()
    tuples = [TupleType(some) for some in itertools.islice(itertools.product(FEW, repeat=6), COUNT)]
    for t in (TupleType(tuple(tuples)), VariantType(tuple(Case(f"c{i}", u) for i, u in enumerate(tuples)))):
        ft = FuncType((Param("x", ListType(t)),))
        with pytest.raises(UnsupportedFeatureError, match="values of types with so many parts"):
            lift(ft, FakeFunc(lambda *core: None), Options(), guest.binding())
        with pytest.raises(UnsupportedFeatureError, match="values of types with so many parts"):
            lower(ft, lambda x: None, Options(), guest.binding())
