"""Directives that do not pass, each with the reason.

In: a file and a line. Out: the reason, or None. An entry names a file below the vectors' folder, and the lines or `*`.
What needs a feature that does not run yet is not listed: the library says so itself, and the runner skips it.
"""

from __future__ import annotations

from pathlib import Path

KNOWN_FAILURES: dict[tuple[str, str], dict[int, str]] = {}
"""(folder, file) → line → reason."""


def reason_for(case: Path, line: int) -> str | None:
    """Why the directive at that line of that file is known to fail."""
    return KNOWN_FAILURES.get((case.parent.name, case.name), {}).get(line)
