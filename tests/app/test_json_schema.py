"""JSON Schema, keyword by keyword, and what is bounded. Spec: JSON Schema 2020-12."""

from __future__ import annotations

import asyncio
import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.conftest import LoadApp
from wippywasm.app.json_schema import Schema, SchemaError
from wippywasm.errors import InvalidError, WippyError


def told(schema: Any, value: Any, *, is_loose: bool = False) -> list[str]:
    return [str(problem) for problem in Schema(json.dumps(schema)).problems(json.dumps(value), is_loose=is_loose)]


@pytest.mark.parametrize(
    ("schema", "fitting", "others"),
    [
        (True, [None, 1, {}], []),
        (False, [], [None, 1, {}]),
        ({}, [None, "x", []], []),
        ({"type": "integer"}, [1, 1.0, -(2**70)], [1.5, True, "1", None]),
        ({"type": "number"}, [1, 1.5], [True, "1"]),
        ({"type": ["null", "boolean"]}, [None, False], [0, "", [], {}]),
        ({"type": "array"}, [[], [1]], [{}, "a"]),
        ({"type": "object"}, [{}, {"a": 1}], [[], "a"]),
        ({"enum": [1, "a", None, [1, {"x": 2}]]}, [1, 1.0, "a", None, [1, {"x": 2.0}]], [True, "1", [], {}]),
        ({"const": {"a": [0]}}, [{"a": [0]}, {"a": [0.0]}], [{"a": [False]}, {"a": []}, {}]),
        ({"minimum": 1, "maximum": 3}, [1, 2.5, 3, "0"], [0, 3.01]),
        ({"exclusiveMinimum": 1, "exclusiveMaximum": 3}, [1.01, 2], [1, 3]),
        ({"minimum": 1, "exclusiveMinimum": True}, [2], [1, 0]),
        ({"minimum": 1, "exclusiveMinimum": False}, [1], [0]),
        ({"multipleOf": 0.1}, [0.3, 1, -0.7], [0.35]),
        ({"multipleOf": 3}, [0, 9, -3, 6.0, "x"], [1, 4.5]),
        ({"minLength": 2, "maxLength": 3}, ["ab", "äöü", "\U0001f600\U0001f600", 1], ["a", "abcd"]),
        ({"pattern": "^a+$"}, ["a", "aaa", 1], ["", "ba"]),
        ({"minItems": 1, "maxItems": 2}, [[1], [1, 2], "x"], [[], [1, 2, 3]]),
        ({"uniqueItems": True}, [[1, True, "1", [1]], []], [[1, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]]),
        ({"items": {"type": "integer"}}, [[], [1, 2], "x"], [["a"], [1, None]]),
        ({"prefixItems": [{"type": "integer"}], "items": False}, [[], [1]], [["a"], [1, 2]]),
        ({"items": [{"type": "integer"}], "additionalItems": {"type": "null"}}, [[1, None]], [[1, 1], [None]]),
        ({"contains": {"const": 1}, "minContains": 2, "maxContains": 3}, [[1, 1], [1, 0, 1, 1]], [[1], [1, 1, 1, 1]]),
        ({"contains": {"const": 1}}, [[0, 1], "x"], [[], [0]]),
        ({"minProperties": 1, "maxProperties": 2}, [{"a": 1}, []], [{}, {"a": 1, "b": 1, "c": 1}]),
        ({"required": ["a", "b"]}, [{"a": 1, "b": None}, "x"], [{"a": 1}, {}]),
        ({"properties": {"a": {"type": "null"}}}, [{"a": None}, {"b": 1}, {}], [{"a": 1}]),
        (
            {"properties": {"a": True}, "patternProperties": {"^x": {"type": "null"}}, "additionalProperties": False},
            [{"a": 1, "x1": None}],
            [{"b": 1}, {"x": 1}],
        ),
        ({"additionalProperties": {"type": "integer"}}, [{"a": 1}], [{"a": "b"}]),
        ({"propertyNames": {"maxLength": 2}}, [{"ab": 1}], [{"abc": 1}]),
        ({"dependentRequired": {"a": ["b"]}}, [{"b": 1}, {"a": 1, "b": 1}], [{"a": 1}]),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, [{}, {"a": 1, "b": 1}], [{"a": 1}]),
        ({"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}, [{}, {"a": 1, "b": 1}], [{"a": 1}, {"c": 1}]),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [1, 2], [0, 3]),
        ({"anyOf": [{"type": "null"}, {"minimum": 2}]}, [None, 2], [1]),
        ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, [0, 3], [1, 2]),
        ({"not": {"type": "null"}}, [1], [None]),
        ({"if": {"minimum": 5}, "then": {"maximum": 6}, "else": {"const": 1}}, [5, 6, 1], [7, 2]),
        ({"$defs": {"n": {"minimum": 1}}, "$ref": "#/$defs/n"}, [1], [0]),
        ({"$defs": {"a/b~c": {"const": 1}}, "$ref": "#/$defs/a~1b~0c"}, [1], [0]),
        ({"$defs": {"x": {"$anchor": "n", "const": 1}}, "$ref": "#n"}, [1], [0]),
        ({"$id": "https://x.example/s", "items": {"$ref": "https://x.example/s#"}, "minItems": 1}, [1, [1]], [[]]),
        (
            {"properties": {"next": {"$ref": "#"}}, "required": ["v"]},
            [{"v": 1, "next": {"v": 2}}],
            [{"v": 1, "next": {}}],
        ),
        ({"x-note": 5, "title": [], "format": "unknown"}, [1], []),
    ],
)
def test_keywords(schema: Any, fitting: list[Any], others: list[Any]) -> None:
    for value in fitting:
        assert told(schema, value) == [], value
    for value in others:
        assert told(schema, value) != [], value


@pytest.mark.parametrize(
    ("name", "fitting", "others"),
    [
        ("email", ["a.b+c@x-y.example"], ["not-an-email", "@x", "a@", "a@-x", "a b@x", "a..b@x"]),
        ("date", ["2024-02-29"], ["2023-02-29", "20240229", "2024-2-9"]),
        ("time", ["23:59:60Z", "01:02:03.5+01:00"], ["24:00:00Z", "01:02:03", "1:2:3Z"]),
        ("date-time", ["2024-02-29T00:00:00Z", "2024-02-29t00:00:00z"], ["2024-02-29", "2024-02-29 00:00:00Z"]),
        ("duration", ["P1Y2M3D", "PT1H", "P2W", "P1DT1S"], ["P", "PT", "1D", "P1S"]),
        ("hostname", ["a", "a-b.example"], ["", "-a", "a_b", "a..b", "a" * 64]),
        ("ipv4", ["127.0.0.1"], ["127.0.0", "256.0.0.1", "::1"]),
        ("ipv6", ["::1", "1::2"], ["1", "1:::2", "fe80::1%eth0"]),
        ("uri", ["https://x.example/a?b=c#d", "urn:x:y"], ["/a/b", "a b:c", "x", "http://[::1"]),
        ("uri-reference", ["/a/b", "?x", "https://x.example"], ["a b", "\\x"]),
        ("uuid", ["2EB8AA08-AA98-11EA-B4AA-73B441D16380"], ["2eb8aa08aa9811eab4aa73b441d16380", "x"]),
        ("json-pointer", ["", "/a~1b/0"], ["a", "/~2"]),
        ("regex", ["^a+$"], ["(", "a**"]),
    ],
)
def test_formats(name: str, fitting: list[str], others: list[str]) -> None:
    for text in fitting:
        assert told({"format": name}, text) == [], text
    for text in others:
        assert told({"format": name}, text) != [], text
    assert told({"format": name}, 5) == [], "a format says nothing of what is no text"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (5, "the schema: a schema is an object, or true or false"),
        ({"type": "text"}, "the schema at type: type is one or some of"),
        ({"properties": {"a": {"items": 5}}}, "the schema at properties.a.items: a schema is an object"),
        ({"minLength": -1}, "minLength is a whole number"),
        ({"minLength": True}, "minLength is a whole number"),
        ({"multipleOf": 0}, "above 0"),
        ({"maximum": "5"}, "maximum is a number"),
        ({"pattern": "("}, "pattern is a pattern"),
        ({"pattern": "(?=x)"}, "pattern is a pattern"),
        ({"required": "a"}, "required is a list of names"),
        ({"allOf": {}}, "allOf is a list of schemas"),
        ({"anyOf": []}, "anyOf is a list of schemas"),
        ({"$ref": "#/nowhere"}, "'#/nowhere' leads to nothing"),
        ({"$ref": "#/enum/7", "enum": [1]}, "leads to nothing"),
        ({"$ref": "other.json"}, "in another document"),
        ({"$defs": {"x": {"type": 5}}}, "the schema at $defs.x.type"),
        ({"unevaluatedProperties": False}, "there is no unevaluatedProperties here"),
    ],
)
def test_what_is_no_schema(schema: Any, words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        told(schema, None)
    assert words in str(caught.value)


def test_every_problem_has_its_place() -> None:
    schema = {
        "properties": {"users": {"items": {"required": ["id"], "properties": {"tags": {"items": {"type": "string"}}}}}},
        "required": ["users", "total"],
    }
    assert told(schema, {"users": [{"id": 1, "tags": ["a", 2]}, {}]}) == [
        "total: is required, and missing",
        "users[1].tags[2]: expected string, got 2",
        "users[2].id: is required, and missing",
    ]
    assert len(told({"items": False}, [0] * 1000)) == 20


def test_an_empty_table_of_lua_is_both() -> None:
    assert told({"properties": {"a": {"type": "object"}}}, {"a": []}, is_loose=True) == []
    assert told({"properties": {"a": {"type": "object"}}}, {"a": []}) != []
    assert told({"required": ["x"]}, [], is_loose=True) == ["x: is required, and missing"]
    assert told({"type": "string"}, [], is_loose=True) != []
    assert told({"const": {}}, [], is_loose=True) == []


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = {"x": value}
    return value


def test_a_schema_may_follow_the_deepest_value() -> None:
    schema = {"anyOf": [{"type": "integer"}, {"properties": {"x": {"$ref": "#"}}, "type": "object"}]}
    assert told(schema, nested(60)) == []
    assert told({"properties": {"x": {"$ref": "#"}}}, nested(90)) == []


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#"}, "leads back to itself"),
        ({"allOf": [{"$ref": "#"}]}, "leads back to itself"),
        (
            {
                "$defs": {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)} | {"d40": False},
                "$ref": "#/$defs/d0",
            },
            "too many steps",
        ),
    ],
)
def test_no_schema_takes_for_ever(schema: Any, words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        told(schema, None)


def test_a_schema_may_not_be_too_deep() -> None:
    with pytest.raises(InvalidError, match="nested"):
        Schema('{"not":' * 500 + "{}" + "}" * 500)
    with pytest.raises(InvalidError, match=r"too deep|without end"):
        Schema('{"allOf":[' * 63 + '{"$ref":"#"}' + "]}" * 63).problems("1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(string.printable, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(string.ascii_letters, max_size=3), inner, max_size=4)
    ),
    max_leaves=10,
)
KEYWORDS = [
    "type", "enum", "const", "minimum", "multipleOf", "maxLength", "pattern", "items", "prefixItems", "contains",
    "required", "properties", "patternProperties", "additionalProperties", "propertyNames", "dependencies", "allOf",
    "not", "if", "then", "$ref", "$defs", "format", "uniqueItems", "minItems", "minContains",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYWORDS), JSON, max_size=5), JSON, st.booleans())
def test_whatever_is_given_ends_with_an_answer_or_our_error(schema: Any, value: Any, is_loose: bool) -> None:
    try:
        told(schema, value, is_loose=is_loose)
    except WippyError:
        return


@given(JSON)
def test_a_value_is_itself(value: Any) -> None:
    assert told({"const": value}, value) == []
    assert told({"enum": [0.5, value]}, value) == []
    assert told({"not": {"const": value}}, value) != []


LUA = """\
- name: f
  kind: function.lua
  modules: [json]
  method: main
  source: |
    local json = require("json")
    return {main = function(what, schema, value)
      local ok, err = json[what](schema, value)
      return {ok, err and err:kind(), err and err:message(), err and err:details()}
    end}
"""


def test_lua_validates_tables_and_texts(load_app: LoadApp) -> None:
    user = {"type": "object", "required": ["name"], "properties": {"name": {"minLength": 1}, "tags": {"items": {}}}}
    asked: list[tuple[str, Any, Any]] = [
        ("validate", user, {"name": "Zoë", "tags": []}),
        ("validate", json.dumps(user), {"name": ""}),
        ("validate", user, {}),
        ("validate", {"type": "nothing"}, {}),
        ("validate", 5, {}),
        ("validate_string", user, '{"name":"x","tags":[1,"a"]}'),
        ("validate_string", user, "[]"),
        ("validate_string", user, '{"name":'),
        ("validate_string", user, None),
        ("validate_string", user, json.dumps({"name": "x" * 10_000, "tags": list(range(5000))})),
    ]

    async def call() -> list[Any]:
        async with load_app(LUA) as app:
            return [await app.call("t:f", *one) for one in asked]

    answers = asyncio.run(call())
    assert [answer[0] for answer in answers] == [True, False, False, False, False, True, False, False, False, True]
    assert {answer[1] for answer in answers if not answer[0]} == {"INVALID"}
    words = ["name: expected at least 1 characters", "name: is required", "type is one or some of", "takes a schema"]
    words += ["expected object, got an array of 0", "the value is not JSON", "takes JSON text, got nil"]
    for answer, said in zip([a for a in answers if not a[0]], words, strict=True):
        assert said in answer[2]
    assert answers[1][3] == {"problems": ["name: expected at least 1 characters, got 0"]}
