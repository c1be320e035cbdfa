"""`wippywasm engines`: which engines there are, and which one runs.

In: nothing. Out: a row for each engine, then what each can run. Spec: SPEC section 13.
"""

from __future__ import annotations

from typing import Any

import click

from wippywasm.cli.output import print_columns, print_json, print_line
from wippywasm.cli.settings import common_options, settings_of
from wippywasm.engine import EngineInfo, available


@click.command()
@common_options
@click.pass_context
def engines(context: click.Context) -> None:
    """List the engines, their versions and features, and why each is used or not."""
    found = available()
    if settings_of(context).is_json:
        print_json([_as_json(info) for info in found])
        return
    print_columns([_row(info) for info in found], ("ENGINE", "VERSION", "RUNS", "WHY"))
    for info in found:
        if info.usable:
            print_line(f"{info.name} has {', '.join(sorted(info.features))}")


def _row(info: EngineInfo) -> tuple[str, str, str, str]:
    runs = "default" if info.default else "yes" if info.usable else "no"
    return info.name, info.version or "-", runs, info.why


def _as_json(info: EngineInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "version": info.version or None,
        "usable": info.usable,
        "default": info.default,
        "why": info.why,
        "features": sorted(info.features),
    }
