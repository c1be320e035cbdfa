"""The vectors of `wit-parser`, through the conformance runner."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from spec_tests import Options, wit
from spec_tests.__main__ import main

VECTORS = Path(
    os.environ.get("WIPPYWASM_CONFORMANCE") or Path(__file__).parents[3] / "shared" / "conformance", "wit-parser"
)
CASES = list(wit.find(VECTORS)) if VECTORS.is_dir() else []


@pytest.mark.skipif(not CASES, reason=f"no wit-parser vectors at {VECTORS}; set WIPPYWASM_CONFORMANCE")
def test_every_vector_holds() -> None:
    results = [wit.run(case, Options()) for case in CASES]
    assert [r.failed for r in results if r.failed] == []
    assert sum(r.passed for r in results) > 100


def test_the_known_failures_have_reasons() -> None:
    assert all(reason for reason in wit.KNOWN_FAILURES.values())


def write_case(folder: Path, name: str, text: str, expectation: str, expected: str) -> None:
    (folder / f"{name}.wit").write_text(text, encoding="utf-8")
    (folder / f"{name}.wit.{expectation}").write_text(expected, encoding="utf-8")


def test_a_wrong_resolution_fails_with_the_place_of_the_difference(tmp_path: Path) -> None:
    package = {"name": "a:b", "interfaces": {}, "worlds": {"x": 0}}
    expected = json.dumps({"worlds": [], "interfaces": [], "types": [], "packages": [package]})
    write_case(tmp_path, "one", "package a:b;", "json", expected)
    result = wit.run(next(iter(wit.find(tmp_path))), Options())
    assert result.failed == [("one.wit.json", "$.packages[0].worlds: has [], expected ['x']")]


@pytest.mark.parametrize(("column", "passes"), [(3, True), (4, False)])
def test_a_refusal_has_to_be_at_the_place(tmp_path: Path, column: int, passes: bool) -> None:
    folder = tmp_path / "parse-fail"
    folder.mkdir()
    text = "package a:b;\ninterface i {\n  func;\n}\n"
    write_case(folder, "bad", text, "result", f"some words\n --> tests/ui/parse-fail/bad.wit:3:{column}\n")
    result = wit.run(next(iter(wit.find(folder))), Options())
    assert (not result.failed) is passes


def test_what_should_be_refused_may_not_resolve(tmp_path: Path) -> None:
    write_case(tmp_path, "good", "package a:b;", "result", "no\n --> tests/ui/good.wit:1:1\n")
    result = wit.run(next(iter(wit.find(tmp_path))), Options())
    assert result.failed == [("good.wit.result", "expected a refusal, but it resolves")]


def test_an_expectation_without_its_input_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "gone.wit.json").write_text("{}")
    result = wit.run(next(iter(wit.find(tmp_path))), Options())
    assert (result.passed, len(result.skipped)) == (0, 1)


def test_the_command_counts_and_ends_with_a_plain_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_case(tmp_path, "good", "package a:b;", "result", "no\n --> tests/ui/good.wit:1:1\n")
    (tmp_path / "gone.wit.json").write_text("{}")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 1 skipped"


def test_the_command_reports_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gone.wit.json").write_text("{}")
    assert main(["--json", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == {"passed": 0, "failed": 0, "skipped": 1}


def test_a_path_without_vectors_is_a_failure(tmp_path: Path) -> None:
    assert main([str(tmp_path / "nothing")]) == 1


def test_an_expectation_that_is_no_json_is_a_failure(tmp_path: Path) -> None:
    write_case(tmp_path, "one", "package a:b;", "json", "{")
    result = wit.run(next(iter(wit.find(tmp_path))), Options())
    assert [reason.split(":")[0] for _, reason in result.failed] == ["can't be read"]


def test_a_number_is_no_truth_value() -> None:
    assert wit.difference({"a": [True]}, {"a": [1]}) == "$.a[0]: is True, expected 1"
    assert wit.difference({"a": [1]}, {"a": [1]}) is None
