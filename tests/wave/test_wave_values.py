"""WAVE against its specification: every form, every refusal with its place, and print then parse for any value."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.abi.abi_types import TYPES, same, values
from wippywasm.errors import InvalidError, WaveSyntaxError
from wippywasm.model import (
    BOOL,
    CHAR,
    F32,
    F64,
    S8,
    S32,
    STRING,
    U8,
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
from wippywasm.wave import parse_arguments, parse_value, print_value

STATUS = EnumType(("ok", "not-found", "HTTP3"))
RESPONSE = VariantType((Case("empty"), Case("body", ListType(U8)), Case("err", STRING), Case("some")))
EXAMPLE = RecordType((Field("must-have", U8), Field("optional", OptionType(U8))))
ALL_OPTIONAL = RecordType((Field("optional", OptionType(U8)),))
PERMS = FlagsType(("read", "write", "exec"))


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        (BOOL, "true", True),
        (BOOL, " false ", False),
        (S8, "-128", -128),
        (U64, "18446744073709551615", 2**64 - 1),
        (F64, "3.14", 3.14),
        (F64, "6.022e+23", 6.022e23),
        (F64, "1", 1.0),
        (F64, "-inf", -math.inf),
        (F32, "inf", math.inf),
        (F32, "0.1", 0.10000000149011612),
        (CHAR, "'x'", "x"),
        (CHAR, "'☃'", "☃"),
        (CHAR, r"'\''", "'"),
        (CHAR, r"'\u{0}'", "\0"),
        (CHAR, "'\"'", '"'),
        (STRING, r'"abc\t123"', "abc\t123"),
        (STRING, '"// no comment"', "// no comment"),
        (STRING, r'"\u{1F600}\"\\"', '\U0001f600"\\'),
        (STRING, '"""\nA single line\n"""', "A single line"),
        (STRING, '"""\n    a\n      b\n\n  """', "  a\n    b\n"),
        (STRING, '"""\n  r: \\r\n  q: ""\\""\n  """', 'r: \r\nq: """"'),
        (STRING, '"""\n"""', ""),
        (TupleType((STRING, U8)), '("abc", 123,)', ("abc", 123)),
        (ListType(S32), "[1, 2, // two\n 3]", [1, 2, 3]),
        (ListType(S32), "[]", []),
        (ListType(U8), "[79, 75]", b"OK"),
        (ListType(S32, 2), "[1,2]", [1, 2]),
        (EXAMPLE, "{must-have: 123}", {"must-have": 123, "optional": None}),
        (EXAMPLE, "{optional: none, %must-have: 1,}", {"must-have": 1, "optional": None}),
        (EXAMPLE, "{optional: 5, must-have: 1}", {"must-have": 1, "optional": 5}),
        (ALL_OPTIONAL, "{:}", {"optional": None}),
        (RESPONSE, "empty", Variant("empty")),
        (RESPONSE, "body([79])", Variant("body", b"O")),
        (RESPONSE, '%err("oops")', Variant("err", "oops")),
        (STATUS, "%ok", "ok"),
        (STATUS, "HTTP3", "HTTP3"),
        (STATUS, "%not-found", "not-found"),
        (OptionType(U8), "123", 123),
        (OptionType(U8), "some(123)", 123),
        (OptionType(U8), "none", None),
        (OptionType(RESPONSE), "%some", Variant("some")),
        (OptionType(OptionType(U8)), "some(none)", Some(None)),
        (OptionType(OptionType(U8)), "some(5)", Some(5)),
        (OptionType(OptionType(U8)), "none", None),
        (ResultType(U8), "123", Ok(123)),
        (ResultType(U8), "ok(123)", Ok(123)),
        (ResultType(None, STRING), "ok", Ok()),
        (ResultType(None, STRING), 'err("no")', Err("no")),
        (ResultType(), "err", Err()),
        (PERMS, "{write, read,}", {"read", "write"}),
        (PERMS, "{}", set()),
        (MapType(STRING, U8), '[("a", 1), ("b", 2)]', {"a": 1, "b": 2}),
    ],
)
def test_what_a_text_means(type: ValType, text: str, value: Any) -> None:
    assert same(parse_value(text, type), value) or parse_value(text, type) == value


@pytest.mark.parametrize(
    ("type", "text", "words"),
    [
        (BOOL, "1", "value, character 1: expected bool, got 1"),
        (S8, "128", "character 1: expected s8 (-128 to 127), got 128"),
        (U8, "-1", "expected u8 (0 to 255), got -1"),
        (U8, "1.0", "expected u8 (0 to 255), got 1.0"),
        (U8, "01", "character 1: '01' is not a number"),
        (U8, "1 2", "character 3: expected the end, got 2"),
        (U8, "", "character 1: expected u8 (0 to 255), got the end"),
        (U8, "9" * 5000, "expected u8"),
        (F64, ".5", "unexpected '.'"),
        (CHAR, "'ab'", "character 1: a char is one character"),
        (CHAR, r"'\u{d800}'", "character 2: there is no character U+D800"),
        (STRING, '"a', "character 1: this string has no end"),
        (STRING, r'"a\q"', "character 3: there is no escape '\\\\q'"),
        (STRING, '"""a"""', "a line ends after the opening quotes"),
        (STRING, '"""\na"""', "stand on a line of their own"),
        (STRING, '"""\n a\n  """', "line 2, character 1: this line is indented less"),
        (TupleType((U8, U8)), "(1)", "expected 2 values in the tuple, got 1"),
        (TupleType((U8, U8)), "(1, 2, 3)", "here is one more"),
        (ListType(U8), "[1, 300]", "value[1], character 5: expected u8 (0 to 255), got 300"),
        (ListType(U8), "[1 2]", "character 4: expected ']', got 2"),
        (ListType(S32, 2), "[1]", "expected 2 items, got 1"),
        (EXAMPLE, "{}", "the field must-have is missing"),
        (EXAMPLE, "{must-have: 1, must-have: 2}", "character 16: the field must-have is given twice"),
        (EXAMPLE, "{x: 1}", "the field x does not exist: there are must-have, optional"),
        (EXAMPLE, "{must-have 1}", "value.must-have, character 12: expected ':', got 1"),
        (RESPONSE, "full", "there is no case full: there are empty, body, err, some"),
        (RESPONSE, 'err("x")', "err is a word of its own here: write %err"),
        (RESPONSE, "body", "value.body, character 5: expected '(', got the end"),
        (STATUS, '"ok"', 'expected enum { ok, not-found, HTTP3 }, got "ok"'),
        (OptionType(OptionType(U8)), "5", "expected option<option<u8>>, got 5"),
        (ResultType(None, STRING), "5", "expected result<_, string>, got 5"),
        (PERMS, "{run}", "there is no flag run: there are read, write, exec"),
        (PERMS, "{read, read}", "a flag is given twice"),
        (OwnType(ResourceType("blob")), "1", "own<blob> has no text form"),
    ],
)
def test_what_is_refused_and_where(type: ValType, text: str, words: str) -> None:
    with pytest.raises(WaveSyntaxError) as caught:
        parse_value(text, type)
    assert words in str(caught.value)
    assert 0 <= caught.value.position <= len(text)


F = FuncType((Param("a", U8), Param("b", OptionType(U8)), Param("c", OptionType(U8))))


@pytest.mark.parametrize("text", ["1", "1, none", "1, none, none,", " 1 , none "])
def test_options_at_the_end_of_a_call_may_be_left_out(text: str) -> None:
    assert parse_arguments(text, F) == [1, None, None]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "a is missing"), ("1, 2, 3, 4", "character 10: these are more arguments"), ("1 2", "the end")],
)
def test_calls_that_do_not_fit(text: str, words: str) -> None:
    with pytest.raises(WaveSyntaxError, match=words):
        parse_arguments(text, F)


@given(st.data())
def test_what_is_printed_parses_to_the_same(data: st.DataObject) -> None:
    type = data.draw(TYPES)
    value = data.draw(values(type))
    assert same(parse_value(print_value(value, type), type), value)


@given(st.sampled_from([F32, F64]), st.floats(width=32))
def test_floats_keep_every_bit_that_counts(type: ValType, value: float) -> None:
    text = print_value(value, type)
    back = parse_value(text, type)
    assert same(back, value)
    assert math.copysign(1, back) == math.copysign(1, value) or math.isnan(value)


@pytest.mark.parametrize(("value", "text"), [(0.10000000149011612, "0.1"), (1.0, "1.0"), (16777216.0, "16777216.0")])
def test_an_f32_has_the_fewest_digits_that_are_it(value: float, text: str) -> None:
    assert print_value(value, F32) == text


@given(st.text(alphabet="[](){},:'\"\\%-.0123456789abcnoesumfirtk/ \n", max_size=30), TYPES)
def test_any_text_is_a_value_or_one_error(text: str, type: ValType) -> None:
    try:
        value = parse_value(text, type)
    except WaveSyntaxError as error:
        place = error.position
    else:
        place = 0
        assert parse_value(print_value(value, type), type) == value or "nan" in text
    assert 0 <= place <= len(text)


def test_a_function_without_result_prints_as_nothing_in_parentheses() -> None:
    assert print_value(None, None) == "()"
    with pytest.raises(InvalidError, match="has no text form"):
        print_value(None, OwnType(ResourceType("blob")))
