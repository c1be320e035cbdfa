"""Entries that can be run by a name of their own.

In: entries. Out: `name → entry` of every `meta.command`, and problems. Spec: SPEC sections 3 and 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wippywasm.app.entry import Entry
from wippywasm.app.report import Report
from wippywasm.errors import with_article

RUNNABLE = ("function.wat", "function.wasm", "function.lua", "process.wasm", "process.lua")


def command_of(entry: Entry) -> Mapping[str, Any] | None:
    """The `meta.command` of an entry."""
    command = entry.meta.get("command")
    return command if isinstance(command, Mapping) and "name" in command else None


def check_commands(entries: Sequence[Entry], report: Report) -> None:
    """A problem for a command that nothing can run, and for a name taken twice."""
    taken: dict[str, Entry] = {}
    for entry in entries:
        command = command_of(entry)
        if command is None:
            continue
        at = entry.at(report, "meta")
        first = taken.setdefault(command["name"], entry)
        if entry.kind not in RUNNABLE:
            at.problem(
                f"{with_article(entry.kind)} can't be run as a command", f"a command is one of {', '.join(RUNNABLE)}"
            )
        elif first is not entry:
            at.problem(f"the command '{command['name']}' is taken by '{first.id}'", "rename one of them")
