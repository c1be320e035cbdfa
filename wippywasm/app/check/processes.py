"""What is odd about processes and services, though each field of theirs is fine.

In: entries. Out: problems and warnings. Spec: SPEC section 9.
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.app.entry import Entry
from wippywasm.app.report import Report


def check_processes(entries: Sequence[Entry], report: Report) -> None:
    """Warn of what will not run although it looks as if it would."""
    for entry in entries:
        if entry.kind == "process.lua" and entry.data.get("lifecycle"):
            said = "a process is not started by itself, so its lifecycle has no effect"
            entry.at(report, "lifecycle").warning(said, "give it a process.service with that lifecycle")
