"""Writes `docs/conformance.md` from what the conformance runner says.

In: the folder with the vectors (`component-model`, `wit-parser`). Out: the page, or with `--check` exit code 1 where
the page says something else. Each figure is from `python -m spec_tests FOLDER --engine E --json`, run for each engine
that is here: on CPython 3.10 these are both.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from wippywasm import engine as engines

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/conformance.md"
SUITES = {
    "component-model": "Component model: the `test` folder of WebAssembly/component-model",
    "wit-parser": "WIT: the `ui` folder of the tests of wit-parser, in bytecodealliance/wasm-tools",
}
HEAD = """# Conformance

What the vectors of others say, by the runner's own figures. `python -m tools.conformance` writes this page.

<!-- not run: takes a minute for each engine, and the vectors are another checkout -->
```console
$ python -m spec_tests ../shared/conformance/component-model --engine wasmtime
$ python -m spec_tests ../shared/conformance/wit-parser
```

runs them and prints each skip with its reason; `--json` gives the same as data. Any checkout of the two suites will do.
Text that the text parser does not take is skipped, as it may be newer than that, and counted in the last lines.
A component that imports what its file provides nowhere passes where it is valid, and is listed as `only validated`.
In a file whose head says what features it is for (`;;!`, or `;; RUN:`), as those of other projects do, what is
malformed may be refused as invalid and the other way round: their validator tells the two apart nowhere. Two rules hold
there that the specification has since September 2026, and that break vectors of August: names that differ only in
hyphens are not apart, and no built-in is `cancellable` (`binary.features.REVISED`).
"""


@dataclass(frozen=True)
class Run:
    """One suite on one engine."""

    suite: str
    engine: str
    report: dict[str, Any]

    @property
    def skips(self) -> Counter[str]:
        return Counter(skip["reason"] for file in self.report["files"] for skip in file["skipped"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.conformance", description="Write docs/conformance.md.")
    parser.add_argument("vectors", type=Path, nargs="?", default=ROOT / "../shared/conformance", metavar="FOLDER")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where the page is out of date")
    arguments = parser.parse_args()
    text = page([run(suite, name, arguments.vectors) for suite in SUITES for name in usable()])
    if arguments.check:
        return told(text)
    PAGE.write_text(text)
    return 0


def told(text: str) -> int:
    """1 where the page is out of date, and what differs; not in what an engine did that can't run here."""
    page = PAGE.read_text()
    for info in engines.available():
        if not info.usable:
            print(f"note: {info.name} can't run here, so its part of the page is not checked", file=sys.stderr)
            page = without(page, info.name)
    lines = list(unified_diff(_filled(page), _filled(text), PAGE.name, "now", lineterm="", n=0))
    print("\n".join(lines), end="\n" * bool(lines))
    return int(bool(lines))


def without(page: str, engine: str) -> str:
    """The page without an engine's rows and sections."""
    sections = [s for s in re.split("(?m)^(?=## )", page) if not s.partition("\n")[0].endswith(f" on {engine}")]
    return "".join([line for s in sections for line in s.splitlines(keepends=True) if f"| {engine} |" not in line])


def _filled(page: str) -> list[str]:
    return [line for line in page.splitlines() if line]


def usable() -> list[str]:
    return [info.name for info in engines.available() if info.usable]


def run(suite: str, engine: str, vectors: Path) -> Run:
    command = [sys.executable, "-m", "spec_tests", str(vectors / suite), "--engine", engine, "--json"]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    return Run(suite, engine, json.loads(ran.stdout))


def page(runs: list[Run]) -> str:
    return "\n".join([HEAD, *totals(runs), *(line for run in runs if run.skips for line in skips(run))]) + "\n"


def totals(runs: list[Run]) -> Iterator[str]:
    yield "| suite | engine | files | passed | failed | skipped |"
    yield "|---|---|---|---|---|---|"
    for run in runs:
        total = run.report["total"]
        figures = [len(run.report["files"]), total["passed"], total["failed"], total["skipped"]]
        yield "| " + " | ".join([SUITES[run.suite], run.engine, *map(str, figures)]) + " |"


def skips(run: Run) -> Iterator[str]:
    yield from ("", f"## Skipped in {run.suite} on {run.engine}", "", "| directives | why |", "|---|---|")
    for reason, count in sorted(run.skips.items(), key=lambda item: (-item[1], item[0])):
        yield f"| {count} | {reason.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    sys.exit(main())
