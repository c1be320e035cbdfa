"""`wippywasm inspect` and `compile`: what they print, and wrong uses. Spec: SPEC section 13."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run

ROOT = Path(__file__).parent.parent.parent
PEOPLE = ROOT / "examples/demo/wasm/people.wasm"


def test_the_report(run: Run) -> None:
    ran = run("inspect", PEOPLE)
    assert (ran.code, ran.err) == (0, "")
    for words in ("Imports\n", "  wasi:cli grants:", "    wippywasm call people:compute 1 1", "Entry to paste"):
        assert words in ran.out
    assert "'--method NAME' one" in ran.out


@pytest.mark.parametrize(
    ("option", "words"),
    [("--wit", "interface stats {"), ("--tree", "├─ core module 1  10.5 KiB"), ("--entry", "  - name: total")],
)
def test_one_part_of_it(option: str, words: str, run: Run) -> None:
    ran = run("inspect", option, PEOPLE)
    assert (ran.code, ran.err) == (0, "")
    assert words in ran.out


def test_one_entry(run: Run) -> None:
    ran = run("inspect", PEOPLE, "--entry", "--method", "stats#total")
    assert ran.out.count("    method:") == 1
    assert '    method: "demo:people/stats@1.0.0#total"' in ran.out


def test_json(run: Run) -> None:
    found = json.loads(run("inspect", "--json", PEOPLE).out)
    compute = next(e for e in found["exports"] if e["name"] == "compute")
    assert compute == {
        "name": "compute",
        "type": "func(a: s32, b: s32) -> s32",
        "id": "people:compute",
        "arguments": "1 1",
        "command": None,
        "address": None,
        "python": "guest.call('compute', 1, 1)",
        "not_by_id": None,
    }
    assert found["declare"] == ["wasi:io", "wasi:cli", "wasi:filesystem"]
    assert {link["to"] for link in found["graph"]["links"]} <= {box["id"] for box in found["graph"]["boxes"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0asm\1\0\0\0\1", "unexpected end"),
        (b"hello", "neither WebAssembly nor its text"),
        (b"package a:b;", "wippywasm wit"),
        (b"(module (func", "x.wasm:1:14: expected"),
    ],
)
def test_bad_files(content: bytes, words: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "x.wasm").write_bytes(content)
    for command in ("inspect", "compile"):
        ran = run(command, tmp_path / "x.wasm")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.count("error: ") == 1
    assert words in run("inspect", tmp_path / "x.wasm").err


def test_names_from_the_file_do_not_reach_the_terminal(tmp_path: Path, run: Run) -> None:
    (tmp_path / "x.wat").write_text('(module (import "\\1b[2J" "\\07" (func)) (func (export "\\1b[31m")))')
    for options in ([], ["--tree"], ["--entry"]):
        ran = run("inspect", tmp_path / "x.wat", *options)
        assert "\x1b" not in f"{ran.out}{ran.err}"


def test_compile_fills_the_cache(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIPPYWASM_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "x.wat").write_text(  # modules that nothing else in this process has compiled already
        f'''(component
          (core module (memory 1) (data (i32.const 0) "{tmp_path}"))
          (core module (memory 2) (data (i32.const 0) "{tmp_path}")))'''
    )
    answer = json.loads(run("compile", "--json", tmp_path / "x.wat", PEOPLE).out)
    assert [(row["kind"], row["modules"]) for row in answer["files"]] == [("component", 2), ("component", 4)]
    assert len(os.listdir(tmp_path / "cache")) >= 2
    assert "4 core modules in" in run("compile", PEOPLE).out


def test_compile_says_which_engine_lacks_what(tmp_path: Path, run: Run) -> None:
    (tmp_path / "x.wat").write_text('(module (func (export "f") (return_call 0)))')
    ran = run("--engine", "wasmtime", "compile", tmp_path / "x.wat")
    assert (ran.code, ran.err) == (0, "")
