"""The benchmark tool: ratios, baseline, the page and chart it writes. Nothing here depends on what is measured."""

from __future__ import annotations

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.bench import __main__ as bench
from tools.bench import baseline
from tools.bench.cases import GROUPS
from tools.bench.chart import chart
from tools.bench.processes import figure
from tools.bench.report import PYTHON, as_json, as_table, shown, shown_times, written
from tools.bench.rows import PEER, Ratios, Row, Timed, measure, overhead, ratio, ratios

ROOT = Path(__file__).parent.parent.parent
SIDE = "wippywasm on wasmtime"


def rows() -> list[Row]:
    """Ours takes 2, 1 and 4 seconds where the peer takes 8 and then 20, 8; and 3 KiB where it takes 6."""
    ours, theirs = iter([2.0, 1.0, 4.0]), iter([8.0, 20.0, 8.0])
    timed = [Row("call", SIDE, ours.__next__), Row("call", PEER, theirs.__next__)]
    memory = [Row("memory", SIDE, lambda: 3.0, "KiB"), Row("memory", PEER, lambda: 6.0, "KiB")]
    found = [*timed, *memory, Row("alone", SIDE, lambda: 1e-6)]
    measure(found, 3)
    return found


def test_a_ratio_is_the_median_of_those_of_each_round() -> None:
    assert ratios(rows()) == {"call": {SIDE: 4.0}, "memory": {SIDE: 2.0}}
    found = rows()
    assert (ratio(found, found[1]), ratio(found, found[-1])) == (None, None)


def test_an_overhead_is_that_over_the_direct_call_of_the_same_round() -> None:
    direct = Row("direct", SIDE, iter([1.0, 2.0, 1.0]).__next__)
    other = Row("by a task", SIDE, iter([3.0, 4.0, 5.0]).__next__, direct=direct)
    measure([direct, other], 3)
    assert (overhead(direct), overhead(other)) == (None, 3.0)
    assert "3.0x the direct call" in as_table([direct, other])
    assert [row["overhead"] for row in as_json([direct, other])["rows"]] == [None, 3.0]
    assert ratios([direct, other]) == {}


def test_calls_per_second_are_compared_by_the_time_they_take() -> None:
    ours, theirs = Row("many", SIDE, lambda: 0.001, "calls/s"), Row("many", PEER, lambda: 0.004, "calls/s")
    measure([ours, theirs], 2)
    assert ratio([ours, theirs], ours) == 4
    assert as_json([ours, theirs])["rows"][0]["samples"] == [1000, 1000]


def test_a_timed_call_is_called() -> None:
    calls: list[int] = []
    assert Timed(lambda: calls.append(len(calls)))() >= 0
    assert calls == list(range(len(calls)))
    assert calls


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({"call": {SIDE: 7.0}}, []),
        ({"call": {SIDE: 6.4}}, [f"call, {SIDE}: 6.4 times instead of 10, at least 6.5"]),
        ({"call": {"another side": 0.1}, "another": {SIDE: 0.1}}, []),
        ({}, []),
    ],
)
def test_what_fell_by_more_than_the_tolerance_is_worse(now: Ratios, found: list[str], tmp_path: Path) -> None:
    baseline.save(tmp_path / "kept.json", {"call": {SIDE: 10.0}}, "today")
    assert [line for _, line in baseline.worse(now, baseline.load(tmp_path / "kept.json"))] == found


def test_the_baseline_has_cases_and_sides_that_there_are() -> None:
    with ExitStack() as stack:
        cases = {row.case for group in GROUPS for row in group(stack)}
    kept = baseline.load(bench.BASELINE)["ratios"]
    assert set(kept) <= cases
    assert {side for sides in kept.values() for side in sides} <= {SIDE, "wippywasm on wasmer"}


def test_the_command_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept.json"
    baseline.save(kept, {"two ints": {SIDE: 1e12}, "another case": {SIDE: 1e12}}, "today")
    assert bench.main(["--rounds", "1", "--only", "two ints", "--json", "--check", str(kept)]) == 1
    said = capsys.readouterr()
    assert {row["case"] for row in json.loads(said.out)["rows"]} >= {"two ints"}
    assert said.err.startswith("worse: two ints, wippywasm on wasmtime: ")
    assert "The baseline: today\nNow: Python " in said.err
    assert "another case" not in said.err


def test_what_is_worse_once_only_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept.json"
    baseline.save(kept, {"call": {SIDE: 4.0}}, "today")
    peers = iter([1.0, 4.0])

    def two_rows(_: ExitStack) -> list[Row]:
        return [Row("call", SIDE, lambda: 1.0), Row("call", PEER, partial(float, next(peers)))]

    monkeypatch.setattr(bench, "GROUPS", (two_rows,))
    assert bench.main(["--rounds", "1", "--check", str(kept)]) == 0
    assert next(peers, None) is None


def test_the_command_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "GROUPS", (lambda _: rows(),))
    monkeypatch.setattr(bench, "measure", lambda *_: None)
    assert bench.main(["--save", str(tmp_path / "kept.json")]) == 0
    assert baseline.load(tmp_path / "kept.json")["ratios"] == {"call": {SIDE: 4.0}, "memory": {SIDE: 2.0}}


@pytest.mark.parametrize("keeping", [["--write"], ["--save", "kept.json"]])
def test_some_cases_are_no_baseline_and_no_page(keeping: list[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--only", "two ints", *keeping])


@pytest.mark.parametrize("side", ["wasmtime", PEER])
@pytest.mark.parametrize("task", ["start", "instances", "asleep"])
def test_what_needs_a_process_gives_a_figure(task: str, side: str) -> None:
    assert figure(task, side) > 0


def test_the_table_and_its_units() -> None:
    assert next(line.split()[-1] for line in as_table(rows()).splitlines() if line.startswith("call")) == "4.0"
    assert (shown(2e-6, "s"), shown(0.25, "s"), shown(1234.0, "KiB")) == ("2.00 µs", "250.00 ms", "1,234 KiB")
    assert shown(0.0005, "calls/s") == "2,000 calls/s"
    assert (shown_times(1234.5), shown_times(0.25), shown_times(None)) == ("1,234", "0.2", "")


def test_the_page_has_one_section_for_each_python() -> None:
    page = "# P\n\n## Reading it\n\ntext\n"
    once = written(page, rows(), "a.svg")
    assert once.count(f"### CPython {PYTHON}\n") == 1
    assert written(once, rows(), "b.svg") == once.replace("a.svg", "b.svg")
    assert once.endswith("## Reading it\n\ntext\n")
    real = (ROOT / "docs/performance.md").read_text()
    assert real.count("<!-- measured on ") == real.count("<!-- end -->") > 0


def test_the_chart_has_a_bar_for_each_ratio() -> None:
    found: Ratios = {"a < b": {SIDE: 20.0, "wippywasm on wasmer": 0.2}, "c": {SIDE: 1.0}}
    tree = ElementTree.fromstring(chart(found))
    bars = [r for r in tree.iter("{http://www.w3.org/2000/svg}rect") if r.get("width") != "12"]
    texts = [text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert len(bars) == 3
    assert {"a < b", "c", "20", "0.2", "1.0", SIDE} <= set(texts)
    assert all(0 < float(bar.get("width", 0)) < 600 for bar in bars)


@pytest.mark.parametrize("text", [None, "no JSON", "{}", "[]"])
def test_what_is_no_baseline_is_refused_before_anything_is_measured(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kept.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit) as caught:
        bench.main(["--check", str(file)])
    assert caught.value.code == 2
    assert f"can't compare with {str(file)!r}: " in capsys.readouterr().err
