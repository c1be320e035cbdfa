"""The module `json`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app_lua.hosts import body


@pytest.mark.parametrize(
    ("lua", "text"),
    [
        ("nil", "null"),
        ("true", "true"),
        ("42", "42"),
        ("-0.5", "-0.5"),
        ("1.0", "1.0"),
        ("0.1", "0.1"),
        ("1/3", "0.33333333333333331"),
        ("1/0", "null"),
        ("math.mininteger", "-9223372036854775808"),
        ("'a\"\\\\\\n\\0é'", '"a\\"\\\\\\n\\u0000é"'),
        ("{}", "[]"),
        ("{1, {2}}", "[1,[2]]"),
        ("{b = 1, a = {x = 'y'}}", '{"a":{"x":"y"},"b":1}'),
        ("table.pack(nil, 1)", "[null,1]"),
        ("json.decode('{}')", "{}"),
        ("{why = errors.new({message = 'gone', kind = errors.NOT_FOUND})}", '{"why":"NOT_FOUND: gone"}'),
    ],
)
def test_encode(lua: str, text: str) -> None:
    assert body(f"return json.encode({lua})") == text


@pytest.mark.parametrize(
    ("lua", "message"),
    [
        ("print", "a function has no JSON"),
        ("{channel.new()}", "a channel has no JSON"),
        ("{1, x = 2}", "an object's key must be a string, got 1"),
        ("{1, nil, 3}", "an object's key must be a string"),
        ("'a\\xff'", "invalid UTF-8: byte 0xff at position 2"),
        ("(function() local t = {} t.t = t return t end)()", "the table contains itself"),
        ("(function() local t = {} for _ = 1, 200 do t = {t} end return t end)()", "nested deeper than 128"),
    ],
)
def test_encode_refuses(lua: str, message: str) -> None:
    text = body(f"local v, e = json.encode({lua}) return {{v == nil, e:kind() .. ' ' .. e:message()}}")
    assert text[0] is True
    assert message in text[1]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "is not empty"),
        ("{", "byte 2: expected a string as a key"),
        ("[1,]", "byte 4: expected a value"),
        ("[1 2]", "byte 4: expected ',' or ']'"),
        ('{"a" 1}', "byte 6: expected ':'"),
        ('{"a":1,}', "byte 8: expected a string as a key"),
        ("01", "byte 1: expected a value"),
        ("1.", "byte 2: expected the end"),
        ("+1", "expected a value"),
        ("nul", "expected a value"),
        ('"a', "a string without an end"),
        ('"\\x"', "unknown escape"),
        ('"\\ud800"', "half of a surrogate pair"),
        ('"\\u00g0"', "four hexadecimal digits"),
        ('"a\nb"', "a control character"),
        ("[\n1,\n}", "line 3, byte 6"),
        ("[" * 200, "nested deeper than 128 levels"),
    ],
)
def test_decode_refuses_with_the_place(text: str, place: str) -> None:
    assert place in body("local v, e = json.decode(...) return e:message()", text)


def test_decode() -> None:
    text = (
        ' {"a" : [1 , 2.5e1 , null , "\\u00e9\\ud83d\\ude00\\/" ] , "b" : { } , "c" : -0 , "d": 123456789012345678901}'
    )
    assert body("return json.decode(...)", text) == {
        "a": [1, 25.0, None, "é😀/"],
        "b": [],
        "c": 0,
        "d": 123456789012345678901.0,
    }


_JSON = st.recursive(
    st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='a"\\é', max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=80)
@given(_JSON)
def test_what_python_writes_is_read_and_written_the_same(value: Any) -> None:
    assert json.loads(body("return json.encode((json.decode(...)))", json.dumps(value))) == value
