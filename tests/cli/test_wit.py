"""`wippywasm wit`: what it prints, and how it fails. Spec: SPEC section 13."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from wippywasm.wit import encode, parse_text

__all__ = ["run"]
GATED = "package my:app;\ninterface i {\n  @unstable(feature = fancy)\n  f: func();\n}\nworld w {\n  import i;\n}\n"
WRONG = "package my:app;\ninterface i {\n  type t = strng;\n}\n"
PEOPLE = Path(__file__).resolve().parents[2] / "examples/demo/guests/people/people.wit"
BINARY = Path(__file__).resolve().parents[2] / "examples/demo/wasm/people.wasm"


@pytest.mark.parametrize("arguments", [("--json", "wit", PEOPLE), ("wit", PEOPLE, "--json")])
def test_json_may_stand_before_or_after(arguments: tuple[str | Path, ...], run: Run) -> None:
    assert [world["name"] for world in json.loads(run(*arguments).out)["worlds"]] == ["people"]


def test_mistakes_have_their_places(tmp_path: Path, run: Run) -> None:
    (tmp_path / "wrong.wit").write_text(WRONG)
    ran = run("wit", tmp_path / "wrong.wit", "--check")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"{tmp_path / 'wrong.wit'}:3:12: there is no type `strng`\n")
    ran = run("wit", tmp_path / "wrong.wit", "--json")
    error = json.loads(ran.err)["error"]
    assert (ran.code, error["kind"]) == (2, "INVALID")
    assert "strng" in error["message"]


def test_a_bad_file_is_one_exit_code_for_all_commands(tmp_path: Path, run: Run) -> None:
    wrong = tmp_path / "wrong.wit"
    wrong.write_text(WRONG)
    made = tmp_path / "made"
    commands: list[list[str | Path]] = [["wit"], ["wit", "diff", PEOPLE], ["bindgen", "-o", made]]
    commands += [["inspect"], ["compile"], ["compose", "-o", made, BINARY]]
    for command in commands:
        ran = run(*command, wrong)
        assert (ran.code, ran.out) == (2, "")
        assert command == ["inspect"] or str(wrong) in ran.err
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(b"\0asm\x0d\0\1\0\1")
    commands = [["wit"], ["wit", "diff", PEOPLE], ["compile", BINARY], ["compose", "-o", made, BINARY]]
    for command in commands:
        ran = run(*command, broken)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith(f"error: {broken}: unexpected end")


def test_what_the_text_holds_does_not_reach_the_terminal(tmp_path: Path, run: Run) -> None:
    (tmp_path / "wrong.wit").write_text("package my:app; interface i { type t = strng; /* \x1b[31m \x9b */ }")
    ran = run("wit", tmp_path / "wrong.wit")
    assert ran.code == 2
    assert not {"\x1b", "\x9b"} & set(ran.err)


def test_what_is_no_wit(tmp_path: Path, run: Run) -> None:
    ran = run("wit", tmp_path / "none.wit")
    assert ran.code == 2
    assert "there is no" in ran.err
    ran = run("wit", tmp_path)
    assert ran.code == 2
    assert f"there is no WIT in the folder {str(tmp_path)!r}" in ran.err
    ran = run("wit", BINARY)
    assert ran.code == 2
    assert "'wippywasm inspect FILE --wit' has its world" in ran.err


@pytest.mark.parametrize("command", [["wit"], ["bindgen", "-o", "made"]])
def test_a_feature_that_changes_nothing_is_told(
    command: list[str], tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gated.wit").write_text(GATED)
    ran = run(*command, "gated.wit", "--features", "fancy,zzz")
    assert ran.code == 0
    assert [line for line in ran.err.splitlines() if "note" in line] == ["note: the feature 'zzz' changes nothing here"]
    assert "nothing here; did you mean 'fancy'?\n" in run(*command, "gated.wit", "--features", "fanci").err
    assert "note" not in run(*command, "gated.wit", "--features", "fancy").err


def test_features_count_in_binary_form_too(tmp_path: Path, run: Run) -> None:
    package = parse_text(GATED, features=["fancy"]).main
    assert package is not None
    (tmp_path / "gated.wasm").write_bytes(encode(package))
    (tmp_path / "gated.wit").write_text(GATED)
    ways: list[tuple[list[str], bool]] = [([], False), (["--features", "fancy"], True)]
    for features, is_there in ways:
        for source in "gated.wasm", "gated.wit":
            assert ("f: func();" in run("wit", tmp_path / source, *features).out) == is_there
            assert run("bindgen", tmp_path / source, *features, "-o", tmp_path / "made").code == 0
            assert ("def f(" in (tmp_path / "made/imports/i.py").read_text()) == is_there
    assert run("wit", "diff", tmp_path / "gated.wit", tmp_path / "gated.wasm").code == 0
