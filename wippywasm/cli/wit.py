"""`wippywasm wit PATH`: parse and resolve WIT, then print it.

In: a WIT file, a folder with `deps/`, or a WIT package in binary form. Out: the packages as text or JSON, or nothing
with `--check`; complaints go to standard error, with exit code 1.
"""

from __future__ import annotations

import json
import sys

import click

from wippywasm import wit
from wippywasm.errors import WippyError


@click.command(name="wit")
@click.argument("path", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print the resolution as JSON, as other WIT tools number it.")
@click.option("--check", is_flag=True, help="Print nothing; the exit code says whether the WIT is good.")
@click.option("--features", multiple=True, metavar="NAME[,NAME…]", help="Count `@unstable` items of these features.")
@click.option("--all-features", is_flag=True, help="Count all `@unstable` items.")
def wit_command(path: str, as_json: bool, check: bool, features: tuple[str, ...], all_features: bool) -> None:
    """Parse and resolve WIT: PATH is a file or a folder with `deps/`."""
    names = [name for option in features for name in option.replace(",", " ").split()]
    try:
        resolution = wit.parse(path, features=names, all_features=all_features, assemble=_assemble)
    except (WippyError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(wit.to_json(resolution), indent=2))
    elif not check:
        click.echo(wit.print_resolution(resolution), nl=False)


def _assemble(text: str) -> bytes:
    """WebAssembly text to bytes; loads an engine, which WIT does not need otherwise."""
    from wippywasm import engine

    return engine.wat2wasm(text)
