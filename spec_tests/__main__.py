"""`python -m spec_tests PATH… [--engine E] [--json]`: runs vectors and says what passed.

In: paths and options. Out: a report on standard output; the exit code is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from spec_tests import FileResult, Options, Runner
from wippywasm.engine import get
from wippywasm.errors import WippyError

RUNNERS = ("spec_tests.wit", "spec_tests.wast")
"""Modules that follow the `Runner` protocol, each for its own kind of vector."""


def runners() -> list[Runner]:
    return [cast(Runner, importlib.import_module(name)) for name in RUNNERS if importlib.util.find_spec(name)]


def run_all(paths: Sequence[Path], options: Options) -> list[FileResult]:
    """The results of every case at or below `paths`, in order."""
    results = []
    for path in paths:
        cases = [(case, runner) for runner in runners() for case in runner.find(path)]
        if not cases:
            results.append(FileResult(path, failed=[(str(path), "there are no vectors here")]))
        results += [runner.run(case, options) for case, runner in cases]
    return results


def totals(results: Sequence[FileResult]) -> tuple[int, int, int]:
    """How many assertions passed, failed and were skipped."""
    return (
        sum(r.passed for r in results),
        sum(len(r.failed) for r in results),
        sum(len(r.skipped) for r in results),
    )


def report(results: Sequence[FileResult]) -> str:
    lines = []
    for r in results:
        lines.append(f"{r.path}: {r.passed} passed, {len(r.failed)} failed, {len(r.skipped)} skipped")
        lines += [f"  FAILED {name}: {reason}" for name, reason in r.failed]
        lines += [f"  skipped {name}: {reason}" for name, reason in r.skipped]
        lines += [f"  only validated {name}: {reason}" for name, reason in r.validated]
    unread = sum(len(r.unread) for r in results)
    if unread:
        lines.append(f"{unread} of those skipped have text that the text parser does not take, new or mistaken")
    return "\n".join([*lines, summary(results)])


def summary(results: Sequence[FileResult]) -> str:
    passed, failed, skipped = totals(results)
    return f"{passed} passed, {failed} failed, {skipped} skipped"


def as_json(results: Sequence[FileResult]) -> str:
    passed, failed, skipped = totals(results)
    total = {"passed": passed, "failed": failed, "skipped": skipped}
    return json.dumps({"files": [r.as_json() for r in results], "total": total}, indent=2)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m spec_tests", description="Run conformance vectors.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a folder or file of vectors")
    parser.add_argument("--engine", help="the engine that runs what has to run; else the default one")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    chosen = parser.parse_args(arguments)
    if chosen.engine is not None:
        try:
            get(chosen.engine)
        except WippyError as error:
            parser.error(str(error))
    results = run_all(chosen.paths, Options(chosen.engine))
    if chosen.json:
        print(as_json(results), file=sys.stdout)
        print(summary(results), file=sys.stderr)
    else:
        print(report(results))
    return 1 if totals(results)[1] else 0


if __name__ == "__main__":
    sys.exit(main())
