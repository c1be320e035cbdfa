"""`wippywasm bindgen PATH -o PACKAGE`: a typed Python package for a world.

In: a component, a core module with `--wit`, a WIT file or folder, or a WIT package in binary form. Out: the files of a
package; what an earlier run wrote there and is not wanted any more goes, and nothing else is touched.
Exit code 2 for what can't be read, has no such world, or can't be written as Python or to that folder.
"""

from __future__ import annotations

import keyword
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path

import click

from wippywasm.bindgen import HEADER, generate
from wippywasm.bindgen.sources import read_world
from wippywasm.cli.failures import blaming_the_user
from wippywasm.cli.features import Features, features_option
from wippywasm.cli.output import say
from wippywasm.errors import ConflictError, InvalidError, counted


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-w", "--world", metavar="NAME", help="The world, where there are several.")
@click.option("--wit", "signatures", type=click.Path(path_type=Path), help="The WIT of a core module.")
@features_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="PACKAGE", help="The folder to write."
)
def bindgen(path: Path, world: str | None, signatures: Path | None, features: tuple[str, ...], output: Path) -> None:
    """Write a typed Python package for a world: classes for its types, methods for its exports.

    PATH is a component, a core module (with --wit), a WIT file, a folder of them, or a WIT package in binary form.
    """
    wanted = Features(features)
    with blaming_the_user():
        _check_package_name(output.name)
        files = generate(read_world(path, world, signatures, wanted), _command(path, world, signatures, wanted))
        write_package(output, files)
    wanted.say_unused()
    say(f"wrote {counted(len(files), 'file')} to {output}")


def _check_package_name(name: str) -> None:
    """Raises InvalidError for what no `import` statement can have."""
    if not name.isidentifier():
        raise InvalidError(f"{name!r} can't be the name of a package", hint="use letters, digits and underscores")
    if keyword.iskeyword(name):
        raise InvalidError(f"{name!r} can't be the name of a package: it is a keyword of Python", hint=f"use '{name}_'")


def _command(path: Path, world: str | None, signatures: Path | None, features: Collection[str]) -> str:
    """The command that does the same, for the header; without folders, so that it is the same everywhere."""
    words = ["wippywasm", "bindgen", path.resolve().name]
    words += ["--world", world] if world else []
    words += ["--wit", signatures.name] if signatures else []
    words += ["--features", ",".join(features)] if features else []
    return "".join(c if c.isprintable() else "?" for c in shlex.join(words))


def write_package(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files.

    Raises ConflictError, before it writes any, where one would replace what somebody else wrote, and InvalidError where
    the folder can't be written.
    """
    try:
        _write(folder, files)
    except OSError as error:
        raise InvalidError(f"can't write {str(error.filename or folder)!r}: {error.strerror}") from error


def _write(folder: Path, files: Mapping[str, str]) -> None:
    ours = {
        p.relative_to(folder).as_posix() for p in folder.rglob("*.py") if p.read_bytes().startswith(HEADER.encode())
    }
    for name in files:
        path = folder / name
        if name.endswith(".py") and path.exists() and name not in ours:
            hint = "choose another folder with -o, or move that file away"
            raise ConflictError(f"{path} was not written by bindgen, and would be replaced", hint=hint)
    for name in ours - files.keys():
        (folder / name).unlink()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
