"""Checks of all entries together, the names of host imports, and suggestions."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wippywasm.app.check import check_cycles, check_references
from wippywasm.app.definition.files import MAX_FOLDERS, yaml_files
from wippywasm.app.entry import Entry, Reference, Source
from wippywasm.app.kinds.hosts import unknown_import
from wippywasm.app.paths import PathError
from wippywasm.app.programs.lua import build_lua
from wippywasm.app.report import Report
from wippywasm.app.suggest import did_you_mean, did_you_mean_id, near


def library(id: str, imports: list[str], kind: str = "library.lua") -> Entry:
    references = tuple(Reference(i, ("library.lua",), f"imports.{i}", "x.yaml", 1) for i in imports)
    data = {"source": Source("return 1", "x.yaml"), "imports": {i: i for i in imports}, "method": "main"}
    return Entry(id, kind, {}, MappingProxyType(data), "x.yaml", 1, references=references)


def reachable(graph: dict[int, list[int]], start: int) -> set[int]:
    seen: set[int] = set()
    todo = list(graph[start])
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += graph[node]
    return seen


GRAPHS = st.integers(1, 7).flatmap(
    lambda n: st.fixed_dictionaries({i: st.lists(st.integers(0, n - 1), max_size=3, unique=True) for i in range(n)})
)


@given(GRAPHS)
@settings(max_examples=150)
def test_a_circle_is_found_exactly_where_there_is_one(graph: dict[int, list[int]]) -> None:
    report = Report()
    check_cycles([library(f"t:{n}", [f"t:{m}" for m in to]) for n, to in graph.items()], report)
    has_circle = any(node in reachable(graph, node) for node in graph)
    assert bool(report.problems) == has_circle
    for problem in report.problems:
        way = [int(id.removeprefix("t:")) for id in problem.message.partition(": ")[2].split(" → ")]
        assert way[0] == way[-1]
        assert all(b in graph[a] for a, b in itertools.pairwise(way))


def test_a_library_that_imports_itself() -> None:
    report = Report()
    check_cycles([library("t:a", ["t:a"])], report)
    assert [p.message for p in report.problems] == ["libraries import one another in a circle: t:a → t:a"]


def test_a_long_chain_of_imports_takes_no_recursion() -> None:
    entries = [library(f"t:{i}", [f"t:{i + 1}"]) for i in range(5000)] + [library("t:5000", [])]
    entries.append(library("t:f", ["t:0", "t:1"], "function.lua"))
    report = Report()
    check_cycles(entries, report)
    programs = build_lua(entries, {entry.id: entry for entry in entries})
    assert not report.problems
    assert programs["t:f"].imports["t:0"].imports["t:1"] is programs["t:f"].imports["t:1"]


def test_thousands_of_dangling_references_are_said_quickly() -> None:
    entries = [library(f"t:name_{i}", [f"t:nome_{i}"]) for i in range(3000)]
    report = Report()
    check_references(entries, set(), report)
    assert len(report.problems) == 3000
    assert report.problems[0].hint == "did you mean 't:name_0'?"


@pytest.mark.parametrize(
    "name",
    [
        "wasi:io",
        "wasi:io/poll",
        "wasi:poll",
        "wasi:clocks/monotonic-clock@0.2.3",
        "wasi:cli@0.2.0",
        "wasi1",
        "preview1",
        "wasi_snapshot_preview1",
        "wasi-preview1",
        "funcs",
        "wippy:runtime/funcs",
        "wippy:runtime/funcs@0.1.0",
        "wasi:http",
    ],
)
def test_host_imports_that_there_are(name: str) -> None:
    assert unknown_import(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wasi:clock", "did you mean 'wasi:clocks'?"),
        ("wasi:io/stream", "'wasi:io' has no interface 'stream': did you mean 'streams'?"),
        ("wasi:io@0.3.0", "version 0.3.0 is not served"),
        ("wasi:io@", "version (none) is not served"),
        ("wippy:runtime", "there is no host import 'wippy:runtime'"),
        ("wippy:runtime/funcs@0.2.0", "version 0.2.0 is not served"),
        ("wasi1@1.0.0", "there is no host import"),
        ("", "there is no host import"),
        ("/@", "there is no host import"),
    ],
)
def test_host_imports_that_there_are_not(name: str, said: str) -> None:
    assert said in str(unknown_import(name))


def test_suggestions() -> None:
    assert near("metod", ["source", "method"]) == ["method"]
    assert did_you_mean("max-size", ["max_size"]) == "did you mean 'max_size'?"
    assert did_you_mean("zzz", ["method"]) is None
    assert did_you_mean_id("a:compute", ["b:compute", "a:computer"]) == "did you mean 'a:computer'?"
    assert did_you_mean_id("x:compute", ["b:compute"]) == "did you mean 'b:compute'?"
    assert near("x" * 10_000, ["x" * 10_000]) == []


def test_the_walk_over_folders_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_FOLDERS == 10_000
    monkeypatch.setattr("wippywasm.app.definition.files.MAX_FOLDERS", 3)
    for i in range(4):
        (tmp_path / str(i)).mkdir()
    with pytest.raises(PathError, match="more than 3 folders"):
        list(yaml_files(tmp_path))
