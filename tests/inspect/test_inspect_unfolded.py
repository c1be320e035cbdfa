"""Types that share their parts: an inspection shows as much of them as people read, and JSON in proportion."""

from __future__ import annotations

import json

import pytest

from tests.inspect.conftest import InspectText
from wippywasm import load
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import TooLongError
from wippywasm.inspect.json_form import to_json
from wippywasm.inspect.page import page
from wippywasm.inspect.report import report
from wippywasm.unfolded import OF_OWN, READABLE, ROOM

CORE = """
(core module $m
  (memory (export "m") 1)
  (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 8)
  (func (export "f") (param i32)))
(core instance $i (instantiate $m))
(alias core export $i "f" (core func $f)) (alias core export $i "r" (core func $r))
(alias core export $i "m" (core memory $mem))
"""


def pairs(levels: int) -> str:
    """`$t`: a tuple of pairs, so many levels deep."""
    types = "".join(f"(type $t{i} (tuple $t{i - 1} $t{i - 1}))" for i in range(1, levels))
    return f"(type $t0 (tuple u8 u8)){types}(type $t (option $t{levels - 1}))"


def wide(parts: int) -> str:
    return f"(type $t (tuple {'u8 ' * parts}))"


def imports(types: str, count: int) -> str:
    functions = "".join(f'(import "f{i}" (func (param "x" $t)))' for i in range(count))
    return f"(component {types} {functions})"


def exports(types: str, count: int) -> str:
    lift = "(canon lift (core func $f) (memory $mem) (realloc $r))"
    functions = "".join(f'(func $g{i} (param "x" $t) {lift}) (export "f{i}" (func $g{i}))' for i in range(count))
    return f"(component {CORE} {types} {functions})"


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        (imports(pairs(17), 1), 1),
        (exports(pairs(17), 1), 1),
        (exports(pairs(13), 28), 28),
        (imports(wide(5000), 180), 180),
        (exports(wide(5000), 170), 170),
    ],
    ids=["import", "export", "exports", "wide imports", "wide exports"],
)
def test_what_is_shown_is_in_proportion(text: str, functions: int, inspect_text: InspectText) -> None:
    found = inspect_text(text)
    assert found.wit == ""
    assert found.world.startswith("// the types here share so many of their parts")
    most = 5_000 + functions * 2 * READABLE
    assert sum(len(line) for section in report(found) for line in section.lines) < most
    assert len(json.dumps(to_json(found))) < most
    assert len(page(found)) < 20_000 + most
    assert all("…" in function.python for function in found.exports)


def test_few_functions_of_a_type_that_shares_its_parts_have_their_world(inspect_text: InspectText) -> None:
    found = inspect_text(exports(pairs(8), 20))
    assert found.wit.count("u8") == 20 * 2**8
    assert to_json(found)["wit"] == found.wit


def test_json_out_of_proportion_is_refused(inspect_text: InspectText) -> None:
    params = " ".join(f'(param "p{i}" u8)' for i in range(115))
    functions = "".join(f'(import "fun-{i}" (func (type $f)))' for i in range(8000))
    found = inspect_text(f"(component (type $f (func {params})) {functions})")
    assert ROOM + OF_OWN * found.size < 8000 * READABLE
    with pytest.raises(TooLongError):
        to_json(found)
    assert sum(len(line) for section in report(found) for line in section.lines) < 300 * READABLE


def test_a_long_name_is_no_sample(inspect_text: InspectText) -> None:
    record = '(type $r (record (field "{}" u8))) (export $t "r" (type $r))'
    found = inspect_text(exports(record.format("a" * 50_000), 100))
    assert [function.python for function in found.exports] == [f"guest.call('f{i}', …)" for i in range(100)]
    found = inspect_text(exports(record.format("a" * 100), 1))
    assert found.exports[0].python == f"guest.call('f0', {{'{'a' * 100}': 1}})"


def test_functions_of_a_component_are_cut(engine: Engine) -> None:
    component = load(wat2wasm(exports(pairs(17), 3)), engine=engine.name)
    assert len(repr(component.functions)) < 4 * READABLE
    assert "… of" in repr(component.functions)
