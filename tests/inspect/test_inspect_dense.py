"""Inspections of files that are one kind of thing take a few megabytes and 32 times their size."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from unittest import mock

import pytest

from tests.binary.peaks import assert_peak
from tools import dense, dense_modules
from tools.dense import section, text
from wippywasm import wit
from wippywasm.budget import BudgetError
from wippywasm.cli.output import _json_pieces
from wippywasm.engine import wat2wasm
from wippywasm.errors import TooLongError, ValidationError
from wippywasm.inspect import Inspection, inspect, parts
from wippywasm.inspect.json_form import to_json
from wippywasm.inspect.page import page
from wippywasm.inspect.report import report, tree_lines
from wippywasm.wit import parse_signatures, signatures_of

KINDS = ["worlds of functions, exported", "worlds, exported", "methods", "custom sections", "imports of functions"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_inspection_takes_32_times_the_file(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "dense.wasm"
    wasm = dense.KINDS[kind](180_000)
    file.write_bytes(wasm)

    def read() -> None:
        with suppress(BudgetError):
            report(inspect(file))

    read()
    assert_peak(read, 3_000_000 + 32 * len(wasm))


@pytest.mark.parametrize(("size", "refused"), [(50_000, False), (100_000, True)])
def test_interfaces_that_share_a_type_take_32_times_the_file(size: int, refused: bool, tmp_path: Path) -> None:
    file = tmp_path / "dense.wasm"
    wasm = dense.KINDS["imports of interfaces with a function"](size)
    file.write_bytes(wasm)
    outcome = pytest.raises(ValidationError, match="parts beyond") if refused else nullcontext()

    def read() -> None:
        with outcome:
            report(inspect(file))

    read()
    assert_peak(read, 3_000_000 + 32 * len(wasm))


@pytest.mark.parametrize("form", [page, to_json])
def test_the_page_and_json_of_a_core_module_of_many_interfaces_take_as_little(
    form: Callable[[Inspection], object], tmp_path: Path
) -> None:
    file = tmp_path / "dense.wasm"
    wasm = dense_modules.MODULES["imports of interfaces"](60_000)
    file.write_bytes(wasm)

    def read() -> None:
        with suppress(TooLongError):
            form(inspect(file))

    read()
    assert_peak(read, 3_000_000 + 32 * len(wasm))


def test_a_core_module_of_many_exports_takes_as_little(tmp_path: Path) -> None:
    file = tmp_path / "dense.wasm"
    wasm = dense_modules.MODULES["exports of six letters"](400_000)
    file.write_bytes(wasm)
    assert inspect(file).problems
    assert_peak(lambda: report(inspect(file)), 1_000_000 + 24 * len(wasm))


@pytest.mark.parametrize("kind", ["exports of functions", "methods", "imports of instances"])
def test_json_of_a_small_file_takes_little(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "dense.wasm"
    file.write_bytes(dense.KINDS[kind](20_000))

    def write() -> None:
        with suppress(TooLongError, BudgetError):
            to_json(inspect(file))

    write()
    assert_peak(write, 3_700_000)


def test_a_small_file_of_modules_has_no_json(tmp_path: Path) -> None:
    file = tmp_path / "dense.wasm"
    file.write_bytes(dense.KINDS["modules"](20_000))
    found = inspect(file)
    assert len(found.modules) > 1_000
    with pytest.raises(TooLongError, match="exports, imports and parts"):
        to_json(found)


def test_the_tree_lists_so_many_parts_and_counts_the_others(tmp_path: Path) -> None:
    file = tmp_path / "dense.wasm"
    file.write_bytes(dense.KINDS["custom sections"](15_908))
    tree = inspect(file).tree
    assert tree is not None
    lines = list(tree_lines(tree))
    assert len(lines) == 1 + 5_000 + 1
    assert lines[-1].endswith("… and 300 more")


def test_the_text_of_an_embedded_world_is_not_parsed_again(tmp_path: Path) -> None:
    package = wit.parse_text(
        "package a:b; interface i { record p { x: s32 } f: func(p: p); } world w { export i; }"
    ).main
    assert package is not None
    file = tmp_path / "guest.wasm"
    core = wat2wasm('(module (func (export "a:b/i#f") (param i32)))')
    file.write_bytes(core + section(0, text("component-type:w") + wit.encode(package)))
    with (
        mock.patch.object(wit, "parse_signatures") as parse,
        mock.patch.object(parts, "signatures_of", wraps=signatures_of) as made,
    ):
        found = inspect(file)
    parse.assert_not_called()
    made.assert_called_once()
    assert [f.key for f in found.exports] == ["a:b/i#f"]
    assert parse_signatures(found.wit).exports.keys() == {"a:b/i#f"}


def test_the_json_of_one_import_is_written_in_pieces() -> None:
    imported = {"functions": [{"name": "f" * 100}] * 1_000}
    value = {"imports": [imported], "exports": []}
    pieces = list(_json_pieces(value))
    assert json.loads("".join(pieces)) == value
    assert max(map(len, pieces)) < 25_000
