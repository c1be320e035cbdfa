"""`wippywasm wit diff OLD NEW`: what changed between two versions of a world or package, and whom it breaks.

In: two WIT files, folders, WIT packages in binary form, or components. Out: a line for each change, or JSON; exit code
1 where the change breaks somebody, 2 for what can't be read or compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from wippywasm import wit
from wippywasm.bindgen.sources import read_package, read_world
from wippywasm.cli.failures import FAILED, Finished, blaming_the_user, naming
from wippywasm.cli.output import print_json, print_line, tame
from wippywasm.cli.settings import settings_of
from wippywasm.wit import Change, Package, World
from wippywasm.wit.diff import BOTH, Side

_MEANING: dict[Side, str] = {"callers": "those who run components of it", "implementers": "components made for it"}


@click.command(name="wit diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("-w", "--world", metavar="NAME", help="Compare this world only.")
@click.option("--for", "sides", type=click.Choice(BOTH), multiple=True, help="Whom the exit code is about; else both.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def wit_diff(
    context: click.Context, old: Path, new: Path, world: str | None, sides: tuple[Side, ...], as_json: bool
) -> None:
    """Say what changed from OLD to NEW, and for whom that is compatible.

    Each is a WIT file, a folder, a WIT package in binary form, or a component. The exit code is 1 where the change
    breaks callers (those who run components of the world) or implementers (components made for it).
    """
    with blaming_the_user():
        changes = _changes(old, new, world)
    broken = {side: any(side in change.breaks for change in changes) for side in BOTH}
    if as_json or settings_of(context).is_json:
        compatible = {side: not is_broken for side, is_broken in broken.items()}
        print_json({"compatible": compatible, "changes": [_json(c) for c in changes]})
    else:
        _print(changes, broken)
    if any(broken[side] for side in sides or BOTH):
        raise Finished(FAILED)


def _changes(old: Path, new: Path, world: str | None) -> list[Change]:
    if world is not None:
        return wit.diff_worlds(_world(old, world), _world(new, world))
    before, after = _package(old), _package(new)
    if isinstance(before, World) or isinstance(after, World):
        first = before if isinstance(before, World) else _world(old)
        second = after if isinstance(after, World) else _world(new)
        return wit.diff_worlds(first, second)
    return wit.diff_packages(before, after)


def _world(path: Path, name: str | None = None) -> World:
    with naming(path):
        return read_world(path, name)


def _package(path: Path) -> Package | World:
    with naming(path):
        return read_package(path)


def _print(changes: Sequence[Change], broken: dict[Side, bool]) -> None:
    for change in changes:
        whom = f" (breaks {' and '.join(change.breaks)})" if change.breaks else ""
        print_line(tame(f"{change.kind:8} {change.path}: {change.message}{whom}"))
    for side, is_broken in broken.items():
        print_line(f"{'incompatible' if is_broken else 'compatible'} for {side}, {_MEANING[side]}")


def _json(change: Change) -> dict[str, object]:
    return {"path": change.path, "change": change.kind, "message": change.message, "breaks": list(change.breaks)}
