"""Directives that do not pass, each with the reason.

In: a file and a line. Out: the reason, or None. An entry names a file with its folder, and lines of it.
What needs a feature that does not run yet is not listed: the library says so itself, and the runner skips it.
"""

from __future__ import annotations

from pathlib import Path

PARENT_AND_CHILD = (
    "the specification allows calls between a component and its child (CanonicalABI.md, `entering_set`); "
    "the vector keeps a restriction that it calls temporary"
)
KNOWN_FAILURES: dict[tuple[str, str], dict[int, str]] = {
    ("async", "trap-on-reenter.wast"): {86: PARENT_AND_CHILD, 110: PARENT_AND_CHILD},
}
"""(folder, file) → line → reason."""


def reason_for(case: Path, line: int) -> str | None:
    """Why the directive at that line of that file is known to fail."""
    return KNOWN_FAILURES.get((case.parent.name, case.name), {}).get(line)
