"""`wippywasm compile FILE…`: compile ahead, so that the first call need not wait.

In: modules and components. Out: machine code in the cache, a line for each file. Spec: SPEC sections 3 and 13.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from wippywasm import engine as engines
from wippywasm.cli.failures import blaming_the_user, naming
from wippywasm.cli.output import print_json, print_line, tame
from wippywasm.cli.settings import common_options, settings_of
from wippywasm.engine.cache import default_directory
from wippywasm.engine.port import Engine
from wippywasm.errors import counted
from wippywasm.instance.load import load


@click.command(name="compile")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@common_options
@click.pass_context
def compile_command(context: click.Context, files: tuple[str, ...]) -> None:
    """Compile modules and components into the cache of this user, for one engine."""
    settings = settings_of(context)
    with blaming_the_user():
        engine = engines.get(settings.engine)
        rows = [_compile(engine, file) for file in files]
    directory = default_directory()
    if settings.is_json:
        print_json({"engine": engine.name, "cache": None if directory is None else str(directory), "files": rows})
        return
    for row in rows:
        modules = counted(row["modules"], "core module")
        print_line(tame(f"{row['path']}: {modules} in {row['milliseconds']} ms for {engine.name}"))
    if directory is None:
        print_line("the cache is turned off (WIPPYWASM_CACHE=0): nothing was kept")


def _compile(engine: Engine, file: str) -> dict[str, Any]:
    start = time.monotonic()
    with naming(file):
        component = load(Path(file), engine=engine)
        component.compile()
    milliseconds = round((time.monotonic() - start) * 1000)
    return {"path": file, "kind": component.kind, "modules": len(component.plan.modules), "milliseconds": milliseconds}
