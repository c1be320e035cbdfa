"""Guests that are no component binaries: a core module with signatures, and text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wippywasm

DEMO = Path(__file__).resolve().parents[2] / "examples/demo"
WORDS = """
title-case: func(text: string) -> string;
split-words: func(text: string) -> list<string>;
sum-of-squares: func(values: list<s32>) -> s64;
"""


@pytest.fixture
def words(engine: str) -> Iterator[Any]:
    with wippywasm.load(DEMO / "wasm/words.wasm", wit=WORDS, engine=engine).instantiate() as guest:
        yield guest


def test_strings(words: Any) -> None:
    assert words.call("title-case", "the quick brown fox") == "The Quick Brown Fox"
    assert words.call("title-case", "") == ""
    assert words.call("title-case", "ähm, well") == "ähm, Well"


def test_lists(words: Any) -> None:
    assert words.call("split-words", " to be  or not ") == ["to", "be", "or", "not"]
    assert words.call("split-words", "") == []
    assert words.call("sum-of-squares", [3, 4, -2_000_000]) == 4_000_000_000_025


def test_its_allocator_starts_over_after_each_result(words: Any) -> None:
    text = "x" * (1 << 20)
    for _ in range(200):
        assert len(words.call("title-case", text)) == len(text)


def test_a_component_as_text(engine: str) -> None:
    with wippywasm.load(DEMO / "wat/greet.wat", engine=engine).instantiate() as guest:
        assert guest.call("greet", "World") == "Hello, World!"
        assert guest.call("greet", "é" * 200_000) == "Hello, " + "é" * 200_000 + "!"


def test_a_core_module_as_text(engine: str) -> None:
    text = '(module (func (export "answer") (result i32) i32.const -42))'
    for wit, answer in (("answer: func() -> s32;", -42), ("answer: func() -> u32;", 2**32 - 42)):
        with wippywasm.load(text, wit=wit, engine=engine).instantiate() as guest:
            assert guest.call("answer") == answer
