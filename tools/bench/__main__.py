"""Times guests, ours against wasmtime-py's, in one process. Nothing is asserted unless `--check` asks for it.

In: options. Out: a table, or JSON; with `--write` the figures in docs/performance.md and their chart; with `--check`
exit code 1 where a ratio fell.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.bench import baseline
from tools.bench.cases import GROUPS
from tools.bench.chart import chart
from tools.bench.report import PYTHON, as_json, as_table, machine, written
from tools.bench.rows import Row, measure, ratios

DOCS = Path(__file__).resolve().parents[2] / "docs"
BASELINE = Path(__file__).resolve().parents[1] / "bench_baseline.json"


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Time guests against wasmtime-py.")
    parser.add_argument("--rounds", type=int, default=7, help="samples for each figure (default: 7)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", metavar="WORDS", default="", help="only cases whose names contain this")
    parser.add_argument("--write", action="store_true", help="put the figures and a chart into docs/performance.md")
    parser.add_argument("--save", metavar="FILE", type=Path, help="keep the ratios as a baseline")
    parser.add_argument("--check", metavar="FILE", type=Path, help=f"compare ratios with a baseline ({BASELINE.name})")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options()
    chosen = parser.parse_args(arguments)
    if chosen.only and (chosen.write or chosen.save is not None):
        parser.error("what is kept has all cases: leave --only out")
    try:
        before = None if chosen.check is None else baseline.load(chosen.check)
    except (OSError, ValueError) as error:
        parser.error(f"can't compare with {str(chosen.check)!r}: {getattr(error, 'strerror', None) or error}")
    rows = measured(lambda case: chosen.only in case, chosen.rounds)
    print(json.dumps(as_json(rows), indent=2) if chosen.json else as_table(rows))
    if chosen.write:
        write(rows)
    if chosen.save is not None:
        baseline.save(chosen.save, ratios(rows), machine())
    return 0 if before is None else check(rows, before, chosen.rounds)


def measured(is_wanted: Callable[[str], bool], rounds: int) -> list[Row]:
    """The rows of those cases, with their samples."""
    rows: list[Row] = []
    for group in GROUPS:
        with ExitStack() as stack:
            found = [row for row in group(stack) if is_wanted(row.case)]
            measure(found, max(rounds, 1))
        rows += found
    return rows


def check(rows: list[Row], before: dict[str, Any], rounds: int) -> int:
    """Tell what is worse, and is so again when it is measured once more; 1 where there is such a case."""
    cases = {case for case, _ in baseline.worse(ratios(rows), before)}
    again = measured(cases.__contains__, rounds) if cases else []
    lines = [f"worse: {line}\n" for _, line in baseline.worse(ratios(again), before)]
    if lines:
        lines += [f"The baseline: {before.get('taken', 'not told')}\n", f"Now: {machine()}\n"]
    sys.stderr.writelines(lines)
    return 1 if lines else 0


def write(rows: list[Row]) -> None:
    name = f"performance-{PYTHON}.svg"
    (DOCS / name).write_text(chart(ratios(rows)))
    page = DOCS / "performance.md"
    page.write_text(written(page.read_text(), rows, name))


if __name__ == "__main__":
    sys.exit(main())
