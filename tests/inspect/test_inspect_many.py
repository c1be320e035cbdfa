"""Files of many things: an inspection takes steps and memory in proportion to them, and shows the first of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

from tests.binary.peaks import assert_peak
from tests.inspect.conftest import InspectText
from tests.steps import grows_in_proportion
from wippywasm.binary import core_module
from wippywasm.engine import wat2wasm
from wippywasm.errors import InvalidError, TooLongError
from wippywasm.inspect import Inspection, definition, inspect, json_form
from wippywasm.inspect.json_form import to_json
from wippywasm.inspect.page import page
from wippywasm.inspect.report import report
from wippywasm.instance.load import load
from wippywasm.plan import core_module as core_plan
from wippywasm.wit.printer import Printer

Text = Callable[[int], str]


def each(count: int, text: Text) -> str:
    return "".join(map(text, range(count)))


CORE = """(core module $m (func (export "f"))) (core instance $i (instantiate $m))
    (alias core export $i "f" (core func $f))"""
LIFTED = f"{CORE} (func $g (canon lift (core func $f)))"
FILES: dict[str, Text] = {
    "functions of one short name": lambda n: (
        f'(component {LIFTED} (instance $x (export "f" (func $g))) '
        + each(n, lambda i: f'(export "a{i}:b/c" (instance $x)) ')
        + ")"
    ),
    "functions whose names start alike": lambda n: (
        f"(component {LIFTED} " + each(n, lambda i: f'(export "{"a" * 100}{i}" (func $g)) ') + ")"
    ),
    "core exports": lambda n: "(module (func $f) " + each(n, lambda i: f'(export "f{i}" (func $f)) ') + ")",
    "core imports": lambda n: "(module " + each(n, lambda i: f'(import "a{i}" "f" (func)) ') + ")",
    "core instances": lambda n: f"(component {CORE} " + each(n, lambda _: "(core instance (instantiate $m)) ") + ")",
    "nested components": lambda n: "(component " + each(n, lambda _: "(component (core module)) ") + ")",
}


@pytest.mark.parametrize("kind", FILES)
def test_inspections_take_steps_in_proportion(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_form, "PARTS", json_form.MOST_PARTS)

    def make(count: int) -> Callable[[], object]:
        file = tmp_path / f"{count}.wasm"
        file.write_bytes(wat2wasm(FILES[kind](count)))
        return lambda: shown(inspect(file))

    assert grows_in_proportion(make, 150)


def refused(found: Inspection) -> None:
    with pytest.raises(TooLongError):
        to_json(found)


def shown(found: Inspection) -> object:
    return report(found), page(found), to_json(found)


def test_each_core_module_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "guest.wasm"
    file.write_bytes(wat2wasm(FILES["nested components"](3)))
    with mock.patch.object(core_module, "parse", wraps=core_module.parse) as parse:
        assert len(inspect(file).modules) == 3
    assert parse.call_count == 3


def padded(module: str, size: int) -> str:
    """The module with so many bytes more, as if its functions had code."""
    return f'{module[:-1]} (data "{"a" * size}"))'


def test_entries_are_not_written_before_they_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "guest.wasm"
    file.write_bytes(wat2wasm(padded(FILES["core exports"](20_000), 300_000)))
    found = inspect(file)
    assert found.definition is not None
    assert len(found.definition.entries) == definition.MOST_ENTRIES
    assert any(note.startswith("10,000 more functions have no entry") for note in found.definition.notes)
    assert_peak(partial(report, found), 1 << 20)
    assert_peak(partial(page, found), 1 << 20)
    assert "… and 19,700 more" in page(found)
    one = inspect(file, method="f19999").definition
    assert one is not None
    assert [entry.key for entry in one.entries] == ["f19999"]


def test_json_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch, inspect_text: InspectText) -> None:
    found = inspect_text(FILES["core exports"](20))
    assert json.loads(json.dumps(to_json(found)))["exports"]
    monkeypatch.setattr(json_form, "MOST_PARTS", 30)
    with pytest.raises(TooLongError, match="JSON has 30 of them at most"):
        to_json(found)


def test_json_may_have_more_parts_of_a_larger_file(inspect_text: InspectText) -> None:
    found = inspect_text(padded(FILES["core exports"](1500), 60_000))
    to_json(found)
    small = replace(found, size=100)
    with mock.patch.object(json_form, "PARTS", 1000), pytest.raises(TooLongError, match="JSON has 1,002 of them"):
        to_json(small)


def test_a_module_that_exports_too_many_functions_has_to_say_which_are_called(
    monkeypatch: pytest.MonkeyPatch, inspect_text: InspectText
) -> None:
    text = FILES["core exports"](20)
    monkeypatch.setattr(core_plan, "MOST_FUNCTIONS", 10)
    with pytest.raises(InvalidError, match="exports 20 functions, and of its size may export 10"):
        load(text)
    assert list(load(text, wit="package a:b; world w { export f7: func(); }").functions) == ["f7"]
    assert inspect_text(text).problems
    monkeypatch.setattr(core_plan, "MOST_FUNCTIONS", 100)
    monkeypatch.setattr(core_plan, "FUNCTIONS", 0)
    with pytest.raises(InvalidError, match="exports 20 functions"):
        load(text)
    assert len(load(padded(text, 500)).functions) == 20


def test_what_all_entries_have_in_common_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "guest.wat"
    file.write_text(FILES["core exports"](3000))
    found = inspect(file, app=tmp_path / "app")
    assert found.definition is not None
    assert len(found.definition.text) < 10 * found.size
    assert_peak(partial(report, found), 2 << 20)
    assert_peak(partial(refused, found), 2 << 20)


def packages(count: int, interface: str = "b/c") -> str:
    return "(component " + each(count, lambda i: f'(import "a{i}:{interface}" (instance (export "f" (func))))') + ")"


def test_packages_are_printed_once(inspect_text: InspectText) -> None:
    with mock.patch.object(Printer, "package_items", autospec=True, side_effect=Printer.package_items) as printed:
        found = inspect_text(packages(2000))
    assert printed.call_count == 2001
    assert found.world.startswith("world root {")
    assert found.world.count("package a") == 2000
    assert found.wit == f"package root:component;\n\n{found.world}"


def test_a_world_of_too_many_packages_is_not_shown(inspect_text: InspectText) -> None:
    found = inspect_text(packages(2600, "with-a-name-of/the-usual-length"))
    assert (found.wit, found.world) == ("", "// the world has more than 5,000 packages and interfaces")
