"""`wippywasm run`: start an app, list its commands, or run one of them.

In: a folder, `list`, or a command's name with its arguments. Out: the command's output and its exit code.
Spec: SPEC section 13.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from wippywasm.app.application import App
from wippywasm.cli.apps import load_app
from wippywasm.cli.command import run_command
from wippywasm.cli.completion import complete_target
from wippywasm.cli.failures import UsageFailure
from wippywasm.cli.output import print_columns, print_json, print_line
from wippywasm.cli.serve import serve
from wippywasm.cli.settings import Settings, common_options, log_option, settings_of
from wippywasm.errors import InvalidError, WippyError


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("target", metavar="[DIR | list | NAME [ARGS]...]", required=False, shell_complete=complete_target)
@click.argument("arguments", metavar="", nargs=-1, type=click.UNPROCESSED)
@click.option("--watch", is_flag=True, help="Take up changes of the app's files while it runs.")
@log_option
@common_options
@click.pass_context
def run(context: click.Context, target: str | None, arguments: tuple[str, ...], watch: bool) -> None:
    """Start the app in DIR; list its commands; or run the command NAME with ARGS.

    A command's arguments are text. A whole number from 0 to 255 that it returns is the exit code; text is printed.
    """
    settings = settings_of(context)
    if target == "list":
        _list_commands(load_app(settings), settings)
    elif target is None or _is_folder(target, settings):
        _refuse_arguments(arguments)
        serve(load_app(settings, target), settings, is_watched=watch)
    else:
        run_command(load_app(settings), target, arguments, settings)


def _is_folder(target: str, settings: Settings) -> bool:
    """Whether `target` names a folder rather than a command of the app at hand."""
    if os.sep in target or target in (".", ".."):
        return True
    if not Path(target).is_dir():
        return False
    try:
        return target not in App.load(settings.directory, engine=settings.engine, overrides=settings.overrides).commands
    except WippyError:
        return True


def _refuse_arguments(arguments: Sequence[str]) -> None:
    if arguments:
        raise UsageFailure(InvalidError(f"an app takes no arguments, got {arguments[0]!r}", hint="run NAME [ARGS]"))


def _list_commands(app: App, settings: Settings) -> None:
    rows = [(name, entry.meta["command"].get("short", ""), entry.id) for name, entry in app.commands.items()]
    if settings.is_json:
        print_json([{"name": name, "short": short, "id": id} for name, short, id in rows])
    elif rows:
        print_columns(rows, ("COMMAND", "WHAT IT DOES", "ENTRY"))
    else:
        print_line("no commands: give an entry 'meta: {command: {name: …}}'")
