"""JSON and WIT values. The table is in docs/values.md."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wippywasm.app.json_values.from_json import arguments_from_json, value_from_json
from wippywasm.app.json_values.text import dump_json, parse_json
from wippywasm.app.json_values.to_json import value_to_json
from wippywasm.app.json_values.untyped import untyped_to_json
from wippywasm.errors import InvalidError, ValueMismatchError
from wippywasm.model import (
    BOOL,
    CHAR,
    F32,
    F64,
    S8,
    S32,
    S64,
    STRING,
    U8,
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
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Err, Ok, Some, Variant

USER = RecordType((Field("user-id", U32), Field("tags", ListType(STRING)), Field("nick", OptionType(STRING))))
SHAPE = VariantType((Case("circle", F64), Case("no-shape"), Case("tag", STRING)))
NESTED = OptionType(OptionType(U8))

BOTH_WAYS: list[tuple[ValType, Any, Any]] = [
    (BOOL, True, True),
    (S8, -128, -128),
    (U64, 2**64 - 1, 2**64 - 1),
    (F64, 1.5, 1.5),
    (F64, "inf", math.inf),
    (F64, "-inf", -math.inf),
    (CHAR, "é", "é"),
    (STRING, "grüße\0", "grüße\0"),
    (ListType(STRING), ["a", "b"], ["a", "b"]),
    (ListType(S32, 2), [1, 2], [1, 2]),
    (TupleType((S32, STRING)), [1, "x"], (1, "x")),
    (USER, {"user-id": 1, "tags": [], "nick": None}, {"user-id": 1, "tags": [], "nick": None}),
    (SHAPE, {"tag": "circle", "value": 2.0}, Variant("circle", 2.0)),
    (SHAPE, {"tag": "no-shape"}, Variant("no-shape")),
    (SHAPE, {"tag": "tag", "value": "x"}, Variant("tag", "x")),
    (EnumType(("red", "dark-blue")), "dark-blue", "dark-blue"),
    (FlagsType(("read", "write", "x")), ["read", "x"], {"read", "x"}),
    (OptionType(S32), None, None),
    (OptionType(S32), 5, 5),
    (NESTED, None, None),
    (NESTED, {"some": None}, Some(None)),
    (NESTED, {"some": 5}, Some(5)),
    (ResultType(S32, STRING), {"ok": 5}, Ok(5)),
    (ResultType(None, STRING), {"ok": None}, Ok(None)),
    (ResultType(S32, STRING), {"err": "no"}, Err("no")),
    (MapType(STRING, S32), {"a": 1}, {"a": 1}),
    (MapType(S32, STRING), [[1, "a"]], {1: "a"}),
]


@pytest.mark.parametrize(("type", "json_value", "value"), BOTH_WAYS)
def test_both_ways(type: ValType, json_value: Any, value: Any) -> None:
    assert value_from_json(type, json_value) == value
    assert value_to_json(type, value) == json_value
    assert parse_json(dump_json(json_value), "it") == json_value


ALSO_ACCEPTED: list[tuple[ValType, Any, Any]] = [
    (S32, 5.0, 5),
    (F64, 5, 5.0),
    (F64, "Infinity", math.inf),
    (ListType(U8), "grüße", "grüße".encode()),
    (ListType(U8), [1, 255], [1, 255]),
    (ListType(U8), {"base64": "AAH/"}, b"\x00\x01\xff"),
    (USER, {"user_id": 1, "tags": []}, {"user-id": 1, "tags": [], "nick": None}),
    (SHAPE, {"circle": 1.0}, Variant("circle", 1.0)),
    (SHAPE, "no_shape", Variant("no-shape")),
    (SHAPE, {"no-shape": None}, Variant("no-shape")),
    (SHAPE, {"tag": "words"}, Variant("tag", "words")),
    (EnumType(("dark-blue",)), "dark_blue", "dark-blue"),
    (FlagsType(("read", "write")), {"read": True, "write": False}, {"read"}),
    (ResultType(None, None), "err", Err(None)),
    (MapType(STRING, S32), [["a", 1]], {"a": 1}),
]


@pytest.mark.parametrize(("type", "json_value", "value"), ALSO_ACCEPTED)
def test_also_accepted(type: ValType, json_value: Any, value: Any) -> None:
    assert value_from_json(type, json_value) == value


def test_nan_both_ways() -> None:
    assert math.isnan(value_from_json(F64, "nan"))
    assert value_to_json(F32, math.nan) == "nan"


def test_f32_is_written_with_the_fewest_digits() -> None:
    (tenth,) = struct.unpack("<f", struct.pack("<f", 0.1))
    assert value_to_json(F32, tenth) == 0.1
    assert value_to_json(F64, tenth) == tenth != 0.1


def test_bytes_are_written_as_numbers() -> None:
    assert value_to_json(ListType(U8), b"\x00\xff") == [0, 255]


REFUSED: list[tuple[ValType, Any, str]] = [
    (S8, 128, "x: expected s8 (-128 to 127), got 128"),
    (S32, True, "x: expected s32, got true"),
    (S32, 1.5, "x: expected s32, got 1.5"),
    (S64, "5", 'x: expected s64, got "5"'),
    (F64, "fast", 'x: expected f64, got "fast"'),
    (F64, 10**400, "x: expected f64, got a huge number"),
    (CHAR, "ab", 'x: expected char (text of one character), got "ab"'),
    (STRING, None, "x: expected string, got null"),
    (ListType(STRING), 5, "x: expected list<string>, got 5"),
    (ListType(USER), [{"user-id": 1, "tags": 5}], "x[0].tags: expected list<string>, got 5"),
    (ListType(USER), [{"user-id": 1, "tags": [1]}], "x[0].tags[0]: expected string, got 1"),
    (ListType(U8), {"base64": "?"}, "x.base64: expected base64"),
    (ListType(U8), [256], "x[0]: expected u8 (0 to 255), got 256"),
    (TupleType((S32, S32)), [1], "x: expected an array of 2, got an array of 1"),
    (USER, {"tags": []}, "x.user-id: expected u32, got nothing"),
    (USER, {"user-id": 1, "tags": [], "tagz": 1}, "did you mean 'tags'?"),
    (USER, {"user-id": 1, "user_id": 1, "tags": []}, "given twice"),
    (SHAPE, "squircle", "x: expected one of 'circle', 'no-shape', 'tag'"),
    (SHAPE, {"circle": "big"}, 'x.circle: expected f64, got "big"'),
    (SHAPE, {"no-shape": 1}, "x.no-shape: expected no payload, got 1"),
    (SHAPE, {"circle": 1, "tag": 1}, 'write {"tag"'),
    (EnumType(("red",)), "rad", "did you mean 'red'?"),
    (FlagsType(("read",)), {"read": 1}, "x.read: expected true or false, got 1"),
    (FlagsType(("read",)), ["raed"], "x[0]: expected one of 'read'"),
    (NESTED, 5, "options that nest"),
    (ResultType(S32, None), {"ok": 1, "err": None}, 'write {"ok"'),
    (ResultType(S32, None), {"err": 1}, "x.err: expected null, got 1"),
    (OwnType(ResourceType("blob")), 1, "can't be written as JSON"),
]


@pytest.mark.parametrize(("type", "json_value", "said"), REFUSED)
def test_refused_with_its_path(type: ValType, json_value: Any, said: str) -> None:
    with pytest.raises(ValueMismatchError) as caught:
        value_from_json(type, json_value, "x")
    assert said in str(caught.value)


def test_the_number_of_arguments() -> None:
    type = FuncType((Param("a", S32), Param("b", STRING)), S32)
    assert arguments_from_json("t:f", type, [1, "x"]) == [1, "x"]
    with pytest.raises(InvalidError) as caught:
        arguments_from_json("t:f", type, [1])
    assert str(caught.value) == "t:f takes 2 arguments, got 1 (it is func(a: s32, b: string) -> s32)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("World", "argument 1 is not JSON: expecting value at character 1 (text is written in quotes: '\"World\"')"),
        ("[1,", "argument 1 is not JSON: expecting value at character 4"),
        ("", "argument 1 is not JSON"),
        ("[" * 100_000, "argument 1 is nested deeper than"),
        ("[" * 200 + "]" * 200, "argument 1 is nested deeper than"),
        ("9" * 10_000, "argument 1 is not JSON"),
    ],
)
def test_text_that_is_not_json(text: str, said: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_json(text, "argument 1")
    assert said in str(caught.value)


def test_values_without_a_type() -> None:
    value = {"a": [1, 2.5, None, True], 3: b"text", "raw": b"\xff", "nan": math.nan, "v": Variant("x", Ok(1))}
    assert untyped_to_json(value) == {
        "a": [1, 2.5, None, True],
        "3": "text",
        "raw": [255],
        "nan": "nan",
        "v": {"tag": "x", "value": {"ok": 1}},
    }
    with pytest.raises(InvalidError, match="can't be written as JSON"):
        untyped_to_json(object())


def of_type(type: ValType) -> st.SearchStrategy[Any]:
    """Python values of a type, as functions give them."""
    match type:
        case ListType(element=element):
            return st.lists(of_type(element), max_size=3)
        case RecordType(fields=fields):
            return st.fixed_dictionaries({f.name: of_type(f.type) for f in fields})
        case TupleType(items=items):
            return st.tuples(*map(of_type, items))
        case OptionType(type=inner):
            some = of_type(inner)
            return st.none() | (some.map(Some) if isinstance(inner, OptionType) else some)
        case ResultType(ok=ok, err=err):
            good, bad = (st.none() if t is None else of_type(t) for t in (ok, err))
            return good.map(Ok) | bad.map(Err)
        case VariantType(cases=cases):
            payloads = [(c.name, st.none() if c.type is None else of_type(c.type)) for c in cases]
            return st.one_of(*(st.builds(Variant, st.just(name), payload) for name, payload in payloads))
        case FlagsType(names=names):
            return st.sets(st.sampled_from(names))
        case EnumType(names=names):
            return st.sampled_from(names)
    prims: dict[ValType, st.SearchStrategy[Any]] = {
        BOOL: st.booleans(),
        S8: st.integers(-128, 127),
        U64: st.integers(0, 2**64 - 1),
        F64: st.floats(allow_nan=False),
        CHAR: st.characters(exclude_categories=["Cs"]),
        STRING: st.text(),
    }
    return prims[type]


NAMES = st.lists(st.sampled_from(["a", "tag", "value", "ok", "some", "b-c", "x1"]), min_size=1, max_size=4, unique=True)


def wider(inner: st.SearchStrategy[ValType]) -> st.SearchStrategy[ValType]:
    maybe = st.none() | inner
    return st.one_of(
        inner.map(ListType),
        inner.map(OptionType),
        st.lists(inner, min_size=1, max_size=3).map(lambda i: TupleType(tuple(i))),
        st.builds(ResultType, maybe, maybe),
        NAMES.flatmap(lambda ns: st.tuples(*[inner] * len(ns)).map(lambda ts: RecordType(tuple(map(Field, ns, ts))))),
        NAMES.flatmap(lambda ns: st.tuples(*[maybe] * len(ns)).map(lambda ts: VariantType(tuple(map(Case, ns, ts))))),
    )


TYPES = st.recursive(
    st.sampled_from([BOOL, S8, U64, F64, CHAR, STRING, EnumType(("e1", "e-2")), FlagsType(("f1", "f-2"))]),
    wider,
    max_leaves=6,
)


@given(TYPES.flatmap(lambda t: st.tuples(st.just(t), of_type(t))))
@settings(max_examples=150)
def test_any_value_survives_json(typed: tuple[ValType, Any]) -> None:
    type, value = typed
    text = dump_json(value_to_json(type, value))
    assert value_from_json(type, parse_json(text, "it")) == value
