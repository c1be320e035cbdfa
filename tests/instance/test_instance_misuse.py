"""What is of the wrong kind altogether is refused with an `InvalidError` that says what belongs there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from wippywasm.errors import InvalidError, WatSyntaxError

EMPTY = '(module (func (export "go")))'
WIT = "go: func();"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limits": 5}, r"limits must be a Limits\(…\), not 5"),
        ({"wasi": 5}, r"wasi must be a Wasi\(…\), not 5"),
        ({"bindings": 5}, "bindings must be the BINDINGS of a generated package, not 5"),
        ({"imports": 5}, "imports must be a mapping"),
    ],
)
def test_what_an_instance_is_made_with(load: Any, options: dict[str, Any], message: str) -> None:
    component = load(EMPTY, wit=WIT)
    with pytest.raises(InvalidError, match=message):
        component.instantiate(**options)
    component.instantiate().close()


@pytest.mark.parametrize("name", [5, None, ("go",)])
def test_names_of_functions(load: Any, name: Any) -> None:
    with load(EMPTY, wit=WIT).instantiate() as guest:
        with pytest.raises(InvalidError, match="a function is called by its name, not by"):
            guest.call(name)
        with pytest.raises(InvalidError, match="a function is called by its name, not by"):
            asyncio.run(guest.call_async(name))
        with pytest.raises(InvalidError, match="exports are asked for by their names, not by"):
            guest.exports[name]
        assert guest.call("go") is None


def test_what_is_loaded(load: Any) -> None:
    with pytest.raises(InvalidError, match="a module is loaded from a path, from bytes or from text, not from 5"):
        load(5)
    for path in ("\0asm", "a\0b", "\ud800.wasm", Path("a\0b")):
        with pytest.raises(InvalidError, match="can't be the path of a file") as refused:
            load(path)
        assert refused.value.hint == "give a binary as bytes, and text with its parentheses"
    with pytest.raises(WatSyntaxError, match=r"line 2, column 12: '\\ud800' is half of a surrogate pair") as broken:
        load('(component\n  (import "\ud800" (func)))')
    assert (broken.value.details["line"], broken.value.details["column"]) == (2, 12)
    with pytest.raises(InvalidError, match="wit must be the text or the path of WIT, not 5"):
        load(EMPTY, wit=5)
    with pytest.raises(InvalidError, match="engine must be the name of an engine"):
        wippywasm.load(EMPTY, wit=WIT, engine=5)  # type: ignore[arg-type]
