"""Vectors of `wit-parser`: WIT files and folders with what they resolve to, or where they are refused.

In: `X.wit.json`, the resolution of `X.wit`, of the folder `X` or of `X.wat`; or `X.wit.result`, the refusal of one.
Out: for each, whether ours is the same: the resolution in every detail and index, the refusal at the same place.
The vectors are made with the feature `active` enabled.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spec_tests import FileResult, Options
from wippywasm.errors import Diagnostic, WippyError, WitDiagnosticsError
from wippywasm.wit import parse, to_json

FEATURES = ("active",)
KNOWN_FAILURES: dict[str, str] = {}
"""Cases that do not pass, by file name, each with the reason that the specification gives for it."""

_EXPECTATION = re.compile(r"\.wit(?:\.md)?\.(?:json|result)\Z")
_PLACE = re.compile(r"(?:-->|\*) (?:\S*?tests/ui/)?(\S+?):(\d+):(\d+)")
_PACKAGE = re.compile(r"^\s*package\s+%?([\w-]+:%?[\w-]+(?:@[\w.+-]+)?)", re.MULTILINE)


def find(path: Path) -> Iterator[Path]:
    """The expectations below `path`; for an input by itself the one beside it, or else the input."""
    if _EXPECTATION.search(path.name):
        yield path
        return
    found = [p for p in path.parent.glob(f"{path.stem}.wit.*") if _EXPECTATION.search(p.name)]
    if not found and path.is_dir():
        found = [p for p in path.rglob("*") if _EXPECTATION.search(p.name)]
    if not found and (path.suffix == ".wit" or next(path.glob("*.wit"), None)):
        found = [path]
    yield from sorted(found)


def run(case: Path, options: Options) -> FileResult:
    result = FileResult(case)
    known = KNOWN_FAILURES.get(case.name)
    source = _input(case)
    if source is None:
        result.skipped.append((case.name, "the input of this expectation is not beside it"))
        return result
    try:
        fault = _run(case, source)
    except (OSError, ValueError) as error:  # an expectation that is no JSON, a file that is no text
        fault = f"can't be read: {error}"
    if fault is None:
        result.passed += 1
    elif known or fault.startswith("skip: "):
        result.skipped.append((case.name, known or fault[len("skip: ") :]))
    else:
        result.failed.append((case.name, fault))
    return result


def _input(case: Path) -> Path | None:
    if not _EXPECTATION.search(case.name):
        return case
    path = case.with_suffix("")
    stem = path.with_suffix("")
    return next(
        (p for p in (path, stem, *(stem.with_suffix(end) for end in (".wat", ".wasm", ".md"))) if p.exists()), None
    )


def _run(case: Path, source: Path) -> str | None:
    """What is wrong, or None; `skip: reason` where the case can't be run."""
    try:
        found = parse(source, features=FEATURES, assemble=_assemble)
    except WippyError as error:
        return _check_refusal(case, source, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this case's failure
        return f"not an error of ours: {type(error).__name__}: {error}"
    if case.suffix == ".result" or (case == source and "parse-fail" in case.parts):
        return "expected a refusal, but it resolves"
    if case == source:
        return None
    return difference(to_json(found), json.loads(case.read_text(encoding="utf-8")))


def _assemble(text: str, path: str) -> bytes:
    engine: Any = importlib.import_module("wippywasm.engine")
    wasm: bytes = engine.wat2wasm(text, path)
    return wasm


def _check_refusal(case: Path, source: Path, error: WippyError) -> str | None:
    if case.suffix != ".result":
        if case == source and "parse-fail" in case.parts:
            return None
        missing = _absent_packages(case, source)
        if missing:
            return f"skip: packages that are not among the vectors: {missing}"
        return f"expected a resolution, but it is refused: {error}"
    expected = _PLACE.findall(case.read_text(encoding="utf-8"))
    if not expected:
        return None
    path, line, column = expected[0]
    if not isinstance(error, WitDiagnosticsError):
        return f"expected a refusal at {path}:{line}:{column}, but it has no place: {error}"
    if any(_is_at(d, path, int(line), int(column)) for d in error.diagnostics):
        return None
    return f"expected a refusal at {path}:{line}:{column}, but it is:\n{error}"


def _is_at(diagnostic: Diagnostic, path: str, line: int, column: int) -> bool:
    """Whether the places are the same; those of the vectors count bytes in a line."""
    before = diagnostic.source_line[: diagnostic.column - 1]
    own = len(before.encode("utf-8")) + 1 if before else diagnostic.column
    return Path(diagnostic.path).as_posix().endswith(path) and (diagnostic.line, own) == (line, column)


def _absent_packages(case: Path, source: Path) -> str:
    """Packages that the expectation has and no file of the case declares: binary dependencies that were left out."""
    if case == source or not source.is_dir() or list(source.rglob("*.wasm")) or list(source.rglob("*.wat")):
        return ""
    declared = {name for p in source.rglob("*.wit") for name in _PACKAGE.findall(p.read_text(encoding="utf-8"))}
    expected = {p["name"] for p in json.loads(case.read_text(encoding="utf-8"))["packages"]}
    return ", ".join(sorted(expected - {name.replace("%", "") for name in declared}))


def difference(got: Any, want: Any, path: str = "$") -> str | None:
    """The first place where two documents differ, the order of keys included; None if they are the same."""
    if isinstance(got, dict) and isinstance(want, dict):
        if list(got) != list(want):
            return f"{path}: has {list(got)}, expected {list(want)}"
        pairs = [(got[key], want[key], f"{path}.{key}") for key in want]
    elif isinstance(got, list) and isinstance(want, list):
        if len(got) != len(want):
            return f"{path}: has {len(got)} items, expected {len(want)}"
        pairs = [(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(got, want))]
    else:
        return None if got == want and type(got) is type(want) else f"{path}: is {got!r}, expected {want!r}"
    return next((found for a, b, where in pairs if (found := difference(a, b, where))), None)
