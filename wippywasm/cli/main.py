"""The command `wippywasm`.

In: the command line. Out: an exit code; every failure is one message on standard error. Spec: SPEC section 13.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from wippywasm.cli.call import call
from wippywasm.cli.engines import engines
from wippywasm.cli.failures import exit_code
from wippywasm.cli.lint import lint
from wippywasm.cli.run import run
from wippywasm.cli.settings import Settings, common_options


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wippywasm")
@common_options
def cli() -> None:
    """WebAssembly modules and components as entries beside Lua, called by id."""


for command in (run, call, lint, engines):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process."""
    sys.exit(run_main(sys.argv[1:] if arguments is None else arguments))


def run_main(arguments: Sequence[str]) -> int:
    """Run the command line and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    settings = Settings()
    return exit_code(
        lambda: cli.main(list(arguments), prog_name="wippywasm", standalone_mode=False, obj=settings), settings
    )
