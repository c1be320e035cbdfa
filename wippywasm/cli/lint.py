"""`wippywasm lint [DIR]`: check an app, start nothing.

In: an app folder. Out: every problem and warning; exit code 2 where there is a problem. Spec: SPEC section 13.
"""

from __future__ import annotations

import click

from wippywasm.cli.apps import read_app
from wippywasm.cli.failures import MISUSED, Finished, UsageFailure
from wippywasm.cli.output import print_json, print_line, problem_json, say_problems
from wippywasm.cli.settings import Settings, common_options, settings_of
from wippywasm.errors import DefinitionError


@click.command()
@click.argument("directory", metavar="[DIR]", required=False)
@common_options
@click.pass_context
def lint(context: click.Context, directory: str | None) -> None:
    """Check every entry of the app in DIR; nothing is started."""
    settings = settings_of(context)
    folder = directory or settings.directory
    if settings.is_json:
        _lint_json(settings, folder)
        return
    app = read_app(settings, folder)
    say_problems(app.warnings, "warning")
    count = len(app.entries)
    print_line(f"{count} entr{'y' if count == 1 else 'ies'} in {folder}: no problems")


def _lint_json(settings: Settings, folder: str) -> None:
    try:
        app = read_app(settings, folder)
    except UsageFailure as failure:
        if not isinstance(failure.error, DefinitionError):
            raise
        error = failure.error
        print_json({"entries": None, "problems": [problem_json(p) for p in error.problems], "warnings": []})
        raise Finished(MISUSED) from None
    warnings = [problem_json(p) for p in app.warnings]
    print_json({"entries": len(app.entries), "problems": [], "warnings": warnings})
