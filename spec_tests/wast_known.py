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
SAME_INSTANCE = PARENT_AND_CHILD.replace("a component and its child", "functions of one component instance")
LONG_STRINGS = (
    "the specification allows strings of 2^28 - 1 bytes (CanonicalABI.md, `MAX_STRING_BYTE_LENGTH`), not more"
)
ONE_BYTE_UNITS = "the specification shrinks a string to latin1 with an alignment of 1; the guest of the vector wants 2"
KNOWN_FAILURES: dict[tuple[str, str], dict[int, str]] = {
    ("component-model", "adapter.wast"): {97: SAME_INSTANCE},
    ("component-model", "big-strings.wast"): dict.fromkeys(
        (207, 218, 228, 242, 256, 276, 289, 299, 313, 327, 337, 350, 358, 374, 387, 398, 408, 416), LONG_STRINGS
    ),
    ("component-model", "strings.wast"): {173: ONE_BYTE_UNITS},
    ("component-model", "canon-names.wast"): {22: "the specification does not keep `versionsuffix` to instances"},
    ("async", "trap-on-reenter.wast"): {86: PARENT_AND_CHILD, 110: PARENT_AND_CHILD},
}
"""(folder, file) → line → reason."""


def reason_for(case: Path, line: int) -> str | None:
    """Why the directive at that line of that file is known to fail."""
    return KNOWN_FAILURES.get((case.parent.name, case.name), {}).get(line)
