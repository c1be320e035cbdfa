"""`wippywasm run NAME`: run a command of an app, a function or a process.

In: the words of the command line. Out: the command's output and its exit code: what it exited with or returned, 130 or
143 where a signal ended it, 141 where nobody read its output. Spec: SPEC section 13.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from wippywasm.app.application import App
from wippywasm.app.entry import Entry
from wippywasm.app.json_values.results import result_json
from wippywasm.app.kinds.processes import PROCESSES
from wippywasm.app.output_lost import OutputLost
from wippywasm.app.processes.command import Command
from wippywasm.app.processes.events import Outcome
from wippywasm.app.suggest import did_you_mean, listing
from wippywasm.cli.answers import say_payload
from wippywasm.cli.call import call_once
from wippywasm.cli.command_args import command_arguments
from wippywasm.cli.failures import FAILED, Finished, UsageFailure, blaming_the_user
from wippywasm.cli.output import print_json
from wippywasm.cli.settings import Settings
from wippywasm.cli.signals import signals_to
from wippywasm.errors import CanceledError, InvalidError, NotFoundError, WitError
from wippywasm.instance.grants import PREVIEW_1

_COMMAND_LINE = ("wasi:cli", *PREVIEW_1)


def run_command(app: App, name: str, words: Sequence[str], settings: Settings) -> None:
    """Run the command `name`; raises `Finished` with its exit code."""
    entry = _command(app, name)
    with blaming_the_user():
        values = _values(app, entry, name, words)
    try:
        result = _run_process(app, entry, values, words) if _is_process(entry) else call_once(app, entry.id, values)
    except WitError as error:
        if error.payload is not None or not _is_process(entry):
            say_payload(app.signature(entry.id), error, is_json=settings.is_json)
        raise Finished(FAILED) from None
    if isinstance(result, bool) and _is_process(entry):
        raise Finished(0 if result else FAILED)
    _show_result(result_json(app.signature(entry.id), result))


def _command(app: App, name: str) -> Entry:
    entry = app.commands.get(name)
    if entry is None:
        known = f"the commands are {listing(app.commands)}" if app.commands else "the app has no commands"
        hint = did_you_mean(name, app.commands) or known
        raise UsageFailure(NotFoundError(f"there is no command '{name}'", hint=hint))
    return entry


def _is_process(entry: Entry) -> bool:
    return entry.kind in PROCESSES


def _values(app: App, entry: Entry, name: str, words: Sequence[str]) -> list[Any]:
    """The arguments; a process that takes none, and may read its command line, finds the words there."""
    signature = app.signature(entry.id)
    declared: Sequence[str] = entry.data.get("imports") or ()
    if _is_process(entry) and signature is not None and not signature.params and _reads_command_line(declared):
        return []
    return command_arguments(name, signature, words)


def _reads_command_line(declared: Sequence[str]) -> bool:
    return any(grant.partition("@")[0].partition("/")[0] in _COMMAND_LINE for grant in declared)


def _show_result(result: Any) -> None:
    """A whole number is the exit code; text is printed as it is, anything else but nothing as JSON."""
    if isinstance(result, int) and not isinstance(result, bool):
        if not 0 <= result <= 255:
            raise InvalidError(f"the command returned {result}, which is no exit code", hint="they go from 0 to 255")
        raise Finished(result)
    if isinstance(result, str):
        sys.stdout.write(result if result.endswith("\n") else f"{result}\n")
    elif result is not None:
        print_json(result)


def _run_process(app: App, entry: Entry, values: Sequence[Any], words: Sequence[str]) -> Any:
    """What the process returned; raises what it failed with, and `Finished` where a signal ended it."""
    outcome, signals, lost = asyncio.run(_run(app, entry.id, values, words))
    if lost is not None:
        raise OutputLost(lost)
    if signals and isinstance(outcome.error, CanceledError):
        raise Finished(128 + signals[0])
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


async def _run(
    app: App, id: str, values: Sequence[Any], words: Sequence[str]
) -> tuple[Outcome, list[int], OSError | None]:
    signals: list[int] = []
    async with app:
        command = app.processes.start_command(id, values, words)
        with signals_to(partial(_interrupt, command, signals)):
            outcome = await command.outcome()
        return outcome, signals, command.lost


def _interrupt(command: Command, signals: list[int], number: int) -> None:
    signals.append(number)
    command.interrupt(signal.Signals(number).name)
