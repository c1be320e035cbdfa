"""What a shell completes: ids, names of commands, engines.

In: the words typed so far. Out: candidates, out of the definition files of the app; nothing is compiled, and what can't
be read completes to nothing.

Spec: SPEC section 13.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from wippywasm.app.definition.raw import RawEntry, read_raw_entries
from wippywasm.app.kinds import KINDS
from wippywasm.app.report import Report
from wippywasm.cli.settings import settings_of
from wippywasm.errors import WippyError

FUNCTIONS = ("function.wat", "function.wasm", "function.lua")


class _Bash(BashComplete):
    """Bash takes a colon for the end of a word, and ids have one."""

    source_template = f"COMP_WORDBREAKS=${{COMP_WORDBREAKS//:}}\n{BashComplete.source_template}"


def install() -> None:
    """Let click write scripts that fit ids."""
    add_completion_class(_Bash)


def complete_function(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of functions."""
    found = ((entry.id, entry.kind) for entry in _entries(context) if entry.kind in FUNCTIONS)
    return [CompletionItem(id, help=kind) for id, kind in found if id.startswith(incomplete)]


def complete_target(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What `run` takes: names of commands, `list`, folders."""
    commands = [CompletionItem(name, help=short) for name, short in _commands(context) if name.startswith(incomplete)]
    every = [CompletionItem("list")] if "list".startswith(incomplete) else []
    return [*commands, *every, CompletionItem(incomplete, type="dir")]


def _commands(context: click.Context) -> Iterator[tuple[str, str]]:
    for entry in _entries(context):
        meta = entry.fields.get("meta")
        command = None if meta is None else meta.mapping.get("command")
        if command is not None and command.text("name"):
            yield command.text("name"), command.text("short")


def _entries(context: click.Context) -> list[RawEntry]:
    """The entries of the app in the folder of `-C`, in whatever state."""
    try:
        return read_raw_entries(Path(settings_of(context).directory), KINDS, Report())
    except (WippyError, OSError):
        return []
