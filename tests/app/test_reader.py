"""YAML to nodes: places, values, and everything hostile."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from wippywasm.app.definition import reader
from wippywasm.app.definition.node import Node
from wippywasm.app.definition.reader import MAX_DEPTH, MAX_VALUES, YamlError, read_documents
from wippywasm.app.definition.scalars import resolve


def read(text: str) -> Node:
    documents, complaints = read_documents(text)
    assert not complaints
    assert len(documents) == 1
    return documents[0]


def refusal(text: str) -> str:
    with pytest.raises(YamlError) as caught:
        read_documents(text)
    return f"{caught.value.complaint.line}: {caught.value.complaint.message}"


def test_a_value_stands_on_the_line_of_its_key() -> None:
    node = read("a: 1\nb:\n  c:\n    - x\n    - y: 2\n")
    assert node.mapping["a"].line == 1
    b = node.mapping["b"]
    assert (b.line, b.mapping["c"].line) == (2, 3)
    assert [item.line for item in b.mapping["c"].items] == [4, 5]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("12", 12),
        ("-7", -7),
        ("0755", 755),
        ("0o755", 0o755),
        ("0xff", 255),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", math.inf),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("9" * 50, "9" * 50),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_quoted_and_block_scalars_are_text() -> None:
    node = read("a: '1'\nb: \"true\"\nc: |\n  2\nd: !!str 3\ne: !!float 4\n")
    assert node.plain() == {"a": "1", "b": "true", "c": "2\n", "d": "3", "e": 4.0}


def test_anchors_aliases_and_merges() -> None:
    node = read("base: &b {x: 1, y: 2}\none: *b\ntwo:\n  <<: *b\n  y: 3\n")
    assert node.plain() == {"base": {"x": 1, "y": 2}, "one": {"x": 1, "y": 2}, "two": {"x": 1, "y": 3}}
    assert node.mapping["one"].line == 2


def test_a_key_given_twice_is_a_complaint_with_both_lines() -> None:
    _, complaints = read_documents("a: 1\nb: 2\na: 3\n")
    assert [(c.line, c.message) for c in complaints] == [(3, "the key 'a' is given twice, first on line 1")]


def test_several_documents() -> None:
    documents, _ = read_documents("a: 1\n---\nb: 2\n")
    assert [d.plain() for d in documents] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1\n", "not valid YAML"),
        ("a: b: c\n", "not valid YAML"),
        ("a:\n\t- b\n", "not valid YAML"),
        ("a: *b\n", "the anchor 'b' is not defined before this line"),
        ("a: &b [*b]\n", "the anchor 'b' refers to itself"),
        ("a: !!python/object/apply:os.system [x]\n", "is not allowed in a definition file"),
        ("a: !secret x\n", "is not allowed in a definition file"),
        ("a: !!int x\n", "does not fit"),
        ("? [a]\n: b\n", "a key must be text"),
        ("<<: 5\n", "'<<' merges mappings"),
        ("a: \x01\n", "not valid YAML"),
        ("a: \ud800\n", "a character is not Unicode"),
        ('a: "\\ud800"\n', "invalid Unicode character escape"),
        ("%TAG ! tag:%ed%a0%80\n---\na: !x 1\n", "not valid YAML: a tag or a character is not Unicode"),
        ("[" * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
        ("{a: " * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
        ("- " * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


def test_half_of_a_surrogate_pair_is_refused_by_either_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_LOADER", yaml.SafeLoader)
    with pytest.raises(YamlError) as caught:
        read_documents('a: 1\nb: "\\ud800"\n')
    assert caught.value.complaint.line == 2


def test_a_hint_for_tabs() -> None:
    with pytest.raises(YamlError) as caught:
        read_documents("a:\n\tb: 1\n")
    assert caught.value.complaint.hint == "indent with spaces, YAML knows no tabs"


def test_aliases_of_aliases_are_counted_before_they_are_walked() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    assert f"more than {MAX_VALUES:,} values" in refusal("\n".join(lines))


def test_a_chain_of_aliases_is_as_deep_as_it_expands() -> None:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 200))]
    assert "nested deeper" in refusal("\n".join(lines))


PRINTABLE = st.text(st.characters(max_codepoint=0xD7FF, exclude_categories=["Cc", "Zl", "Zp"]), max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=20,
)


@given(st.text(alphabet="ab:-[]{}&*!|>#'\"\n \t%?,<1", max_size=80))
@settings(max_examples=100)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        documents, _ = read_documents(text)
    except YamlError:
        return
    for document in documents:
        document.plain()


@given(PLAIN)
@settings(max_examples=100)
def test_json_is_yaml(value: Any) -> None:
    def frozen(part: Any) -> Any:
        if isinstance(part, list):
            return tuple(frozen(p) for p in part)
        return {k: frozen(v) for k, v in part.items()} if isinstance(part, dict) else part

    def has_merge(part: Any) -> bool:
        children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return (isinstance(part, dict) and "<<" in part) or any(has_merge(c) for c in children)

    if not has_merge(value):
        assert read(json.dumps(value, ensure_ascii=False)).plain() == frozen(value)
