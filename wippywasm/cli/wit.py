"""`wippywasm wit PATH`: parse and resolve WIT, then print it.

In: a WIT file, a folder with `deps/`, or a WIT package in binary form. Out: the packages as text or JSON, or nothing
with `--check`; complaints go to standard error, with exit code 2.
"""

from __future__ import annotations

import sys

import click

from wippywasm import wit
from wippywasm.cli.failures import MISUSED, Finished, UsageFailure, blaming_the_user
from wippywasm.cli.features import Features, features_option
from wippywasm.cli.output import say, tame
from wippywasm.cli.settings import settings_of
from wippywasm.errors import InvalidError, WippyError, WitDiagnosticsError
from wippywasm.wit import Resolution


@click.command(name="wit")
@click.argument("path", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print the resolution as JSON, as other WIT tools number it.")
@click.option("--check", is_flag=True, help="Print nothing; the exit code says whether the WIT is good.")
@features_option
@click.option("--all-features", is_flag=True, help="Count all `@unstable` items.")
@click.pass_context
def wit_command(
    context: click.Context, path: str, as_json: bool, check: bool, features: tuple[str, ...], all_features: bool
) -> None:
    """Parse and resolve WIT: PATH is a file or a folder with `deps/`."""
    settings = settings_of(context)
    settings.is_json = settings.is_json or as_json
    wanted = Features(features)
    resolution = _parse(path, wanted, all_features, is_json=settings.is_json)
    wanted.say_unused()
    if check:
        return
    if settings.is_json:
        for piece in wit.json_pieces(resolution):
            sys.stdout.write(piece)
        sys.stdout.write("\n")
        return
    with blaming_the_user():
        text = wit.print_resolution(resolution)
    click.echo(text, nl=False)


def _parse(path: str, features: Features, all_features: bool, *, is_json: bool) -> Resolution:
    try:
        return wit.parse(path, features=features, all_features=all_features, assemble=_assemble)
    except OSError as error:
        raise UsageFailure(InvalidError(f"can't read {path!r}: {error.strerror}")) from error
    except WippyError as error:
        if is_json or not isinstance(error, WitDiagnosticsError):
            raise UsageFailure(error) from error
        say("\n".join(map(tame, error.message.split("\n"))))  # each complaint has its place already
        raise Finished(MISUSED) from error


def _assemble(text: str, path: str) -> bytes:
    """WebAssembly text to bytes; loads an engine, which WIT does not need otherwise."""
    from wippywasm import engine

    return engine.wat2wasm(text, path)
