"""The commands of `wippywasm`.

In: the command line. Out: an exit code; every failure is one message on standard error. A command's module is loaded
when it is run. Spec: SPEC section 13.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from wippywasm.app.output_lost import OutputLost
from wippywasm.cli.failures import INTERRUPTED, Finished, exit_code
from wippywasm.cli.settings import Settings, common_options

_COMMANDS = {
    "run": "run:run",
    "call": "call:call",
    "lint": "lint:lint",
    "inspect": "inspect:inspect_command",
    "wit": "wit:wit_command",
    "wit diff": "wit_diff:wit_diff",
    "bindgen": "bindgen:bindgen",
    "compose": "compose:compose_command",
    "compile": "compile:compile_command",
    "engines": "engines:engines",
}
_ABOUT = {
    "run": "Start the app in DIR; list its commands; or run the command NAME with ARGS.",
    "call": "Call the function ID (namespace:name) and print its result as JSON.",
    "lint": "Check every entry of the app in DIR; nothing is started.",
    "inspect": "Explain the module or component in FILE: its world, what grants its imports, and how to run it here.",
    "wit": "Parse and resolve WIT: PATH is a file or a folder with `deps/`.",
    "wit diff": "Say what changed from OLD to NEW, and for whom that is compatible.",
    "bindgen": "Write a typed Python package for a world: classes for its types, methods for its exports.",
    "compose": "Plug the exports of each PLUG into the imports of SOCKET, and write one component.",
    "compile": "Compile modules and components into the cache of this user, for one engine.",
    "engines": "List the engines, their versions and features, and why each is used or not.",
}
"""How the help of each begins: a list of commands loads none of them."""


class _Commands(click.Group):
    """The commands by name, each imported when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"wippywasm.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = formatter.width - 6 - max(map(len, _ABOUT))
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, click.Command(name, help=about).get_short_help_str(width)) for name, about in _ABOUT.items()]
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As usual, but for commands of two words, which a shell takes for one."""
        return [item for item in super().shell_complete(ctx, incomplete) if " " not in item.value]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise OutputLost(error) from error  # click would end the process itself
        except KeyboardInterrupt:
            raise Finished(INTERRUPTED) from None  # click would write an empty line

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        words = " ".join(args[:2])
        if len(args) > 1 and words in _COMMANDS:
            return words, self.get_command(ctx, words), args[2:]
        if args and args[0] not in _COMMANDS:
            from wippywasm.app.suggest import did_you_mean

            near = did_you_mean(args[0], _COMMANDS)
            ctx.fail(f"there is no command '{args[0]}'{f'; {near}' if near else ''}")
        return super().resolve_command(ctx, args)


def _show_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"wippywasm {_version()}")
        context.exit()


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("wippywasm")
    except metadata.PackageNotFoundError:
        return "(not installed)"


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Say which.")
@common_options
def cli() -> None:
    """WebAssembly modules and components as entries beside Lua, called by id."""


def run_main(arguments: Sequence[str]) -> int:
    """Run the command line and give its exit code."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  a stream that was closed before us
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    if "_WIPPYWASM_COMPLETE" in os.environ:
        from wippywasm.cli import completion

        completion.install()
    settings = Settings()
    return exit_code(
        lambda: cli.main(list(arguments), prog_name="wippywasm", standalone_mode=False, obj=settings), settings
    )
