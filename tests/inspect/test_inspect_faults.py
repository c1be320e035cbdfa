"""Imports that an entry grants and that can't be linked; names that a reader would not see as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.inspect.conftest import InspectText, Run
from wippywasm import load
from wippywasm.errors import ValidationError
from wippywasm.inspect.page import page
from wippywasm.inspect.report import report
from wippywasm.inspect.tree import human_size

OTHER_TYPE = """(component
  (import "wasi:cli/environment@0.2.3" (instance $e (export "get-environment" (func (result u32)))))
  (core func $l (canon lower (func $e "get-environment")))
  (core module $m (import "x" "g" (func $g (result i32))) (func (export "f") (result i32) call $g))
  (core instance $i (instantiate $m (with "x" (instance (export "g" (func $l))))))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))"""
OTHER_CORE_TYPE = """(module
  (import "wasi_snapshot_preview1" "random_get" (func (param i32) (result i32)))
  (func (export "f") (result i32) i32.const 4))"""


@pytest.mark.parametrize(
    ("text", "name"), [(OTHER_TYPE, "wasi:cli/environment@0.2.3"), (OTHER_CORE_TYPE, "wasi_snapshot_preview1")]
)
def test_what_can_not_be_linked_is_said_first_and_with_the_entry(
    text: str, name: str, tmp_path: Path, run: Run, inspect_text: InspectText
) -> None:
    guest = tmp_path / "app/guest.wat"
    guest.parent.mkdir()
    guest.write_text(text)
    ran = run("-C", guest.parent, "inspect", guest, "--entry")
    assert ran.err.startswith(f"note: import {name}: it can't be linked: ")
    (guest.parent / "_index.yaml").write_text(ran.out)
    assert run("-C", guest.parent, "lint").code == 2
    found = inspect_text(text)
    assert found.problems[0].startswith(f"import {name}: it can't be linked: ")
    sections = {s.heading: s.lines for s in report(found)}
    assert all(line.endswith(": no, its imports can't be linked") for line in sections["Runs on"])
    assert "badge yes" not in page(found)


def test_a_colon_alone_makes_no_name_of_an_interface(inspect_text: InspectText) -> None:
    text = '(module (import "node:fs" "x" (func $x (result i32))) (func (export "f") (result i32) call $x))'
    assert [i.fault for group in inspect_text(text).groups for i in group.imports] == [None]
    with load(text).instantiate({"node:fs": {"x": lambda: 5}}) as guest:
        assert guest.call("f") == 5
    [typed] = [i for g in inspect_text(text.replace("node:fs", "a:b/c@1.0.0")).groups for i in g.imports]
    assert "give the entry the world as `wit`" in str(typed.fault)


ODD = '(module (import "a\\00b\\e2\\80\\aetxt" "\\d7\\90" (func)) (import "./x_bg.js" "y" (func)) (func (export "f")))'


def test_an_entry_has_the_same_names_written_out(tmp_path: Path, run: Run) -> None:
    guest = tmp_path / "odd.wat"
    guest.write_text('(module (func (export "pay\\e2\\80\\aetxt\\ef\\bb\\bf\\1b[31m\\f3\\a0\\81\\81") (param i32)))')
    entry = run("inspect", guest, "--entry").out
    assert not {"\u202e", "\ufeff", "\x1b", "\U000e0041"} & set(entry)
    assert yaml.safe_load(entry)["entries"][0]["method"] == "pay\u202etxt\ufeff\x1b[31m\U000e0041"


def test_what_turns_text_around_is_written_out(tmp_path: Path, run: Run, inspect_text: InspectText) -> None:
    guest = tmp_path / "odd.wat"
    guest.write_text(ODD)
    for options in ([], ["--tree"], ["--entry"]):
        ran = run("inspect", guest, *options)
        assert "\u202e" not in ran.out + ran.err
    assert "a\\x00b\\u202etxt" in run("inspect", guest).out
    text = page(inspect_text(ODD))
    assert not {"\u202e", "\x00"} & set(text)
    assert "<title>a\\x00b\\u202etxt</title>" in text
    assert "<bdi>\u05d0</bdi>" in text


def test_a_path_that_is_no_interface_is_drawn_in_one_piece(inspect_text: InspectText) -> None:
    assert 'class="name">./x_bg.js</text>' in page(inspect_text(ODD))
    assert 'class="name">c@1.0.0</text>' in page(inspect_text(ODD.replace("./x_bg.js", "a:b/c@1.0.0")))


def test_one_byte_is_one() -> None:
    assert [human_size(size) for size in (0, 1, 2)] == ["0 bytes", "1 byte", "2 bytes"]


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("(component (core module (func (result i32))))", "core module 0"),
        (
            "(component (core module) (component (component (core module) (core module (func (result i32))))))",
            "core module 1 of component 0/component 0",
        ),
    ],
)
def test_a_bad_core_module_is_named_with_its_place_in_the_file(
    text: str, which: str, inspect_text: InspectText
) -> None:
    with pytest.raises(ValidationError) as compiling:
        load(text).compile()
    with pytest.raises(ValidationError, match=rf": {which}: type mismatch") as inspecting:
        inspect_text(text)
    assert inspecting.value.offset == compiling.value.offset
