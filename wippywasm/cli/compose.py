"""`wippywasm compose SOCKET PLUG… -o OUT`: plug components into another one.

In: files. Out: a component's binary. Spec: SPEC section 13.
"""

from __future__ import annotations

from pathlib import Path

import click

from wippywasm.cli.failures import blaming_the_user, naming
from wippywasm.cli.output import print_json, write_output
from wippywasm.cli.settings import file_options, settings_of
from wippywasm.composition.library import composed, read_part
from wippywasm.composition.wiring import Part


@click.command(name="compose")
@click.argument("socket", type=click.Path(path_type=Path))
@click.argument("plugs", metavar="PLUG...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, metavar="OUT", help="The file to write; '-' for standard output.")
@file_options
@click.pass_context
def compose_command(context: click.Context, socket: Path, plugs: tuple[Path, ...], output: str) -> None:
    """Plug the exports of each PLUG into the imports of SOCKET, and write one component.

    It exports what SOCKET does and imports what no PLUG supplies. A PLUG supplies those before it, too.
    """
    with blaming_the_user():
        wasm = composed([_part(file, place) for place, file in enumerate((socket, *plugs))])
        write_output(output, wasm)
    if settings_of(context).is_json and output != "-":
        print_json({"path": output, "size": len(wasm)})


def _part(file: Path, place: int) -> Part:
    with naming(file):
        return read_part(file, place)
