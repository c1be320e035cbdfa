"""`wippywasm bindgen` and `wippywasm wit diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from wippywasm.engine import wat2wasm
from wippywasm.wit import encode, parse_text

ROOT = Path(__file__).parent.parent.parent
ZOO = ROOT / "tests/guests/zoo.wasm"
ZOO_WIT = ROOT / "tests/guests/zoo/zoo.wit"
CORE = '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'


def test_a_package_for_a_component(run: Run, tmp_path: Path) -> None:
    ran = run("bindgen", str(ZOO), "-o", str(tmp_path / "zoo"))
    assert (ran.code, ran.err) == (0, f"wrote 5 files to {tmp_path / 'zoo'}\n")
    assert (tmp_path / "zoo/py.typed").read_text() == ""
    for path in (tmp_path / "zoo").rglob("*.py"):
        assert path.read_text().startswith("# Written by `wippywasm bindgen zoo.wasm`")


def test_a_package_for_every_kind_of_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "add.wasm").write_bytes(wat2wasm(CORE))
    (tmp_path / "add.wit").write_text("add: func(a: s32, b: s32) -> s32;")
    package = parse_text(ZOO_WIT.read_text()).main
    assert package is not None
    (tmp_path / "package.wasm").write_bytes(encode(package))
    folder = str(tmp_path / "made")
    assert run("bindgen", str(tmp_path / "add.wasm"), "--wit", str(tmp_path / "add.wit"), "-o", folder).code == 0
    assert "def add(self, a: int, b: int) -> int:" in (tmp_path / "made/__init__.py").read_text()
    for source in (str(tmp_path / "package.wasm"), str(ZOO_WIT), str(ZOO)):
        assert run("bindgen", source, "-o", folder).code == 0
        assert "class Numbers:" in (tmp_path / "made/exports/kinds.py").read_text()
    assert run("bindgen", str(ROOT / "wit"), "-w", "wasi:io/imports", "-o", folder).code == 0
    assert not (tmp_path / "made/exports/kinds.py").exists()  # what the world no longer has goes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.wasm", "-o", "x"], "there is no 'missing.wasm'"),
        ([str(ROOT / "wit"), "-o", "x"], "no single world to choose"),
        ([str(ROOT / "wit"), "-w", "nope", "-o", "x"], "no world is called `nope`"),
        ([str(ZOO), "-o", "not-a-name"], "can't be the name of a package"),
        ([str(ZOO), "-o", "class"], "it is a keyword of Python"),
        ([str(ROOT / "examples/demo/wasm/words.wasm"), "--wit", "missing.wit", "-o", "x"], "can't read 'missing.wit'"),
        ([str(Path(__file__)), "-o", "x"], "expected `world`, `interface`"),
        ([str(ROOT / "examples/demo/wasm/words.wasm"), "-o", "x"], "give its signatures with --wit FILE"),
        ([str(ZOO_WIT), "--wit", str(ZOO_WIT), "-o", "x"], "is not a binary"),
    ],
)
def test_what_has_no_package_says_why(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("bindgen", *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_stay(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/__init__.py").write_text("precious = 1\n")
    ran = run("bindgen", str(ZOO), "-o", str(tmp_path / "mine"))
    assert ran.code == 2
    assert f"{tmp_path / 'mine/__init__.py'} was not written by bindgen" in ran.err
    assert "hint: choose another folder with -o, or move that file away" in ran.err
    assert (tmp_path / "mine/__init__.py").read_text() == "precious = 1\n"
    assert len(list((tmp_path / "mine").rglob("*"))) == 1


def test_a_folder_that_can_not_be_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run("bindgen", str(ZOO), "-o", str(tmp_path / "file/made"))
    assert ran.code == 2
    assert "can't write" in ran.err
    assert "file/made" in ran.err


def test_wit_diff_of_what_is_the_same(run: Run, tmp_path: Path) -> None:
    ran = run("wit", "diff", str(ZOO_WIT), str(ZOO))
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "compatible for callers, those who run components of it",
        "compatible for implementers, components made for it",
    ]


def test_wit_diff_says_what_changed_and_for_whom(run: Run, tmp_path: Path) -> None:
    new = tmp_path / "new.wit"
    new.write_text(ZOO_WIT.read_text().replace("ping: func();", "ping: func(); pong: func();"))
    ran = run("wit", "diff", str(ZOO), str(new))
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "added    export guests:zoo/kinds@0.3#pong: is new (breaks implementers)",
        "compatible for callers, those who run components of it",
        "incompatible for implementers, components made for it",
    ]
    assert run("wit", "diff", str(ZOO), str(new), "--for", "callers").code == 0
    answer = run("wit", "diff", str(new), str(ZOO_WIT), "--json")
    assert answer.code == 1
    found = json.loads(answer.out)
    assert found["compatible"] == {"callers": False, "implementers": True}
    assert [c["path"] for c in found["changes"]] == [
        "interface kinds#pong",
        "world zoo: export guests:zoo/kinds@0.3#pong",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([str(ZOO_WIT), "missing.wit"], "there is no 'missing.wit'"),
        ([str(Path(__file__)), str(ZOO_WIT)], "expected `world`, `interface`"),
        ([str(ZOO_WIT), str(ZOO_WIT), "--world", "nope"], "no world is called `nope`"),
        ([str(ZOO_WIT), str(ROOT / "examples/demo/wasm/words.wasm")], "which has no types"),
    ],
)
def test_what_can_not_be_compared_breaks_nobody(run: Run, arguments: list[str], words: str) -> None:
    ran = run("wit", "diff", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_a_file_called_diff_can_still_be_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "diff").write_text(ZOO_WIT.read_text())
    assert run("wit", "./diff", "--check").code == 0
    assert run("wit", "diff").code == 2


def test_the_name_of_a_file_stays_in_its_comment(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "a\nraise SystemExit.wit"
    source.write_text(ZOO_WIT.read_text())
    assert run("bindgen", str(source), "-o", str(tmp_path / "made")).code == 0
    first, second = (tmp_path / "made/__init__.py").read_text().splitlines()[:2]
    assert (
        first == "# Written by `wippywasm bindgen 'a?raise SystemExit.wit'`: changes are lost when that is run again."
    )
    assert second.startswith('"""The world')
