"""Types of thousands of parts: code for them grows with what is different in them, and has a bound."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.abi import abi_types
from tests.abi.abi_fakes import FakeFunc, FakeGuest
from tests.abi.test_against_reference import function_of, reference_lift, reference_lower
from wippywasm.abi import Options, lift, lower
from wippywasm.abi.shapes import GROUP, MAX_FIELDS
from wippywasm.layout import MAX_FLAT_PARAMS
from wippywasm.model import (
    PRIMS,
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
from wippywasm.values import Err, Ok, Some, Variant

COUNT = 10_000
STRING, U8 = PRIMS["string"], PRIMS["u8"]
PAIR = TupleType((PRIMS["u32"], STRING))
FEW = [PRIMS[name] for name in ("u8", "u16", "u32", "s8", "string", "bool", "char", "f32")]


PARTS: list[tuple[ValType, list[Any]]] = [
    (U8, [0, 255]),
    (PRIMS["s64"], [-(1 << 63), 5]),
    (PRIMS["f32"], [1.5, -0.0]),
    (PRIMS["char"], ["a", "\U0001f600"]),
    (STRING, ["", "text", "ö€"]),
    (ListType(U8), [b"", b"bytes"]),
    (ListType(STRING), [[], ["a", "ö"]]),
    (ListType(PRIMS["u16"], 3), [[1, 2, 3]]),
    (ListType(STRING, 2), [["x", "yz"]]),
    (MapType(STRING, U8), [{}, {"k": 1}]),
    (RecordType((Field("n-0", U8), Field("n-1", STRING))), [{"n-0": 1, "n-1": "s"}]),
    (TupleType((U8, PRIMS["f64"])), [(1, 2.5)]),
    (EnumType(("n-0", "n-1")), ["n-1"]),
    (FlagsType(tuple(f"n-{i}" for i in range(9))), [set(), {"n-8", "n-0"}]),
    (VariantType((Case("n-0", U8), Case("n-1", STRING), Case("n-2"))), [Variant("n-1", "x"), Variant("n-2")]),
    (OptionType(STRING), [None, "some"]),
    (OptionType(OptionType(U8)), [None, Some(None), Some(3)]),
    (ResultType(U8, STRING), [Ok(1), Err("no")]),
]


def drawn(random: Random, depth: int = 0) -> tuple[ValType, list[Any]]:
    """A type with more parts than one function has lines for, and some values of it."""
    count = random.choice((MAX_FIELDS,) if depth else (MAX_FIELDS, MAX_FIELDS, GROUP)) + 1 + random.randrange(3)
    some = [random.choice(PARTS) for _ in range(random.choice((1, 2, 3, 6)))]
    if depth < 2 and random.random() < 0.3:
        some.append(drawn(random, depth + 1))
    parts = [some[i % len(some)] for i in range(count)]
    names = [f"n-{i}" for i in range(count)]
    kind = random.choice(("record", "tuple", "variant", "list"))
    if kind == "list":
        t, values = drawn(random, depth + 1)
        return ListType(t), [[], values]
    if kind == "variant":
        chosen = random.sample(range(count), 3)
        cases = VariantType((Case("none"), *[Case(n, t) for n, (t, _) in zip(names, parts)]))
        return cases, [Variant("none"), *[Variant(names[i], random.choice(parts[i][1])) for i in chosen]]
    rows = [[random.choice(values) for _, values in parts] for _ in range(2)]
    types = tuple([t for t, _ in parts])
    if kind == "tuple":
        return TupleType(types), [tuple(row) for row in rows]
    return RecordType(tuple(map(Field, names, types))), [dict(zip(names, row)) for row in rows]


@pytest.mark.parametrize("encoding", abi_types.ENCODINGS)
@pytest.mark.parametrize("seed", range(25))
def test_wide_types_are_as_the_reference_has_them(seed: int, encoding: str) -> None:
    random = Random(seed)
    drawings = [drawn(random) for _ in range(random.choice((1, 1, 2)))]
    for i in range(2):
        there_and_back([t for t, _ in drawings], [choices[i % len(choices)] for _, choices in drawings], encoding)


def there_and_back(types: list[ValType], values: list[Any], encoding: str) -> tuple[FuncType, FakeGuest, list[Any]]:
    """Values go to a guest as the reference sends them, and come back as they were. The function, the guest, and the
    core values that it got."""
    ours, theirs = FakeGuest(size=1 << 20), FakeGuest(size=1 << 20)
    core: list[Any] = []
    ft = function_of(types)
    lift(ft, FakeFunc(lambda *given: core.extend(given)), Options(encoding), ours.binding())(*values)
    assert abi_types.same(core, reference_lower(theirs, types, values, encoding))
    assert ours.calls == theirs.calls
    assert ours.memory.bytes == theirs.memory.bytes
    got: list[Any] = []
    _, call = lower(ft, lambda *given: got.extend(given), Options(encoding), ours.binding())
    call(*core)
    assert abi_types.same(got, values)
    assert abi_types.same(got, reference_lift(ours, types, core, encoding, MAX_FLAT_PARAMS))
    return ft, ours, core


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


@pytest.mark.parametrize("encoding", abi_types.ENCODINGS)
@pytest.mark.parametrize("count", [100, GROUP, GROUP + 1, 1_000])
def test_as_many_parameters_as_a_function_may_have(count: int, encoding: str) -> None:
    parts = [PARTS[i % len(PARTS)] for i in range(count)]
    for i in range(2):
        there_and_back([t for t, _ in parts], [values[i % len(values)] for _, values in parts], encoding)


@pytest.mark.parametrize("first", range(9))
def test_groups_of_fields_wherever_they_start(first: int) -> None:
    fields = [*PARTS[:first], *[PARTS[i % 4] for i in range(2 * GROUP)]]
    there_and_back(
        [U8, TupleType(tuple([t for t, _ in fields]))], [1, tuple([values[0] for _, values in fields])], "utf16"
    )
