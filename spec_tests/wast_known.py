"""Directives that do not pass, each with the reason.

In: a file, a line, and how the directive failed. Out: the reason, or None. An entry names a file with its folder, and
for lines of it how they fail: another failure there is a failure.
What needs a feature that does not run yet is not listed: the library says so itself, and the runner skips it.
"""

from __future__ import annotations

from pathlib import Path

PARENT_AND_CHILD = (
    "the specification allows calls between a component and its child (CanonicalABI.md, `entering_set`); "
    "the vector keeps a restriction that it calls temporary"
)
NO_TRAP = "expected a trap (wasm trap: cannot enter component instance), got none"
KNOWN_FAILURES: dict[tuple[str, str], dict[int, tuple[str, str]]] = {
    ("async", "trap-on-reenter.wast"): {86: (NO_TRAP, PARENT_AND_CHILD), 110: (NO_TRAP, PARENT_AND_CHILD)},
}
"""(folder, file) → line → how it fails, and why."""


def reason_for(case: Path, line: int, failure: str) -> str | None:
    """Why the directive at that line of that file is known to fail like this."""
    how, why = KNOWN_FAILURES.get((case.parent.name, case.name), {}).get(line, ("", ""))
    return why if how == failure else None
