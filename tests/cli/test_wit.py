"""`wippywasm wit`: what it prints, and how it fails. Spec: SPEC section 13."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run

__all__ = ["run"]
WRONG = "package my:app;\ninterface i {\n  type t = strng;\n}\n"
PEOPLE = Path(__file__).resolve().parents[2] / "examples/demo/guests/people/people.wit"
BINARY = Path(__file__).resolve().parents[2] / "examples/demo/wasm/people.wasm"


@pytest.mark.parametrize("arguments", [("--json", "wit", PEOPLE), ("wit", PEOPLE, "--json")])
def test_json_may_stand_before_or_after(arguments: tuple[str | Path, ...], run: Run) -> None:
    assert [world["name"] for world in json.loads(run(*arguments).out)["worlds"]] == ["people"]


def test_mistakes_have_their_places(tmp_path: Path, run: Run) -> None:
    (tmp_path / "wrong.wit").write_text(WRONG)
    ran = run("wit", tmp_path / "wrong.wit", "--check")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"{tmp_path / 'wrong.wit'}:3:12: there is no type `strng`\n")
    error = json.loads(run("wit", tmp_path / "wrong.wit", "--json").err)["error"]
    assert error["kind"] == "INVALID"
    assert "strng" in error["message"]


def test_what_is_no_wit(tmp_path: Path, run: Run) -> None:
    ran = run("wit", tmp_path / "none.wit")
    assert ran.code == 2
    assert "there is no" in ran.err
    ran = run("wit", BINARY)
    assert ran.code == 1
    assert "'wippywasm inspect FILE --wit' has its world" in ran.err
