"""Where worlds come from: WIT files and folders, WIT packages in binary form, components, and core modules with WIT.

In: a path. Out: a resolved world, or what a diff compares. Nothing is compiled.

Spec: `WIT.md`, "Package Format"; `Binary.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from wippywasm import engine, wit
from wippywasm.binary import decode, sniff
from wippywasm.binary.component import Component, ComponentType
from wippywasm.errors import InvalidError, NotFoundError
from wippywasm.instance.load import MAGIC, read_source
from wippywasm.wit import Package, Resolution, World
from wippywasm.wit.files import add_binary
from wippywasm.wit.files import read_source as read_source_text


def read_world(
    path: Path, name: str | None = None, signatures: Path | None = None, features: Collection[str] = ()
) -> World:
    """The world in a file or folder; `signatures` is a WIT file for a binary.

    Raises NotFoundError for a file or world that is not there, InvalidError for one that can't be read and for a core
    module without signatures, and what decoding and parsing raise.
    """
    if signatures is not None:
        with _readable():
            _check_binary(path)
            text = read_source_text(signatures).text
        return wit.parse_world(text, signatures.name, world=name, features=features)
    found = _read(path, features)
    return found if isinstance(found, World) else found.world(name)


def read_package(path: Path) -> Package | World:
    """The package of WIT in a file or folder, or the world of a component."""
    found = _read(path, ())
    if isinstance(found, World):
        return found
    assert found.main is not None
    return found.main


def _read(path: Path, features: Collection[str]) -> Resolution | World:
    if not path.exists():
        raise NotFoundError(f"there is no {str(path)!r}", hint=f"looked in {Path.cwd()}")
    with _readable():
        data = b"" if path.is_dir() else read_source(path)
        if bytes(data[:4]) != MAGIC:
            return wit.parse(path, features=features, assemble=engine.wat2wasm)
    if sniff(data) == "module":
        raise InvalidError(f"{path} is a core module, which has no types", hint="give its signatures with --wit FILE")
    return _of_component(data, path, features)


@contextmanager
def _readable() -> Iterator[None]:
    """What the system says of a file is an error of whoever named it."""
    try:
        yield
    except OSError as error:
        raise InvalidError(f"can't read {str(error.filename)!r}: {error.strerror}") from error


def _of_component(data: bytes | memoryview, path: Path, features: Collection[str]) -> Resolution | World:
    """The package that a component is the binary form of, or else its world."""
    component = decode(data)
    if not _is_package(component):
        return wit.world_of_component(component).world()
    del component  # what is made of a package takes as much again
    resolution = Resolution(features)
    add_binary(resolution, str(path), bytes(data))
    return resolution


def _is_package(component: Component) -> bool:
    types = [getattr(extern, "type", None) for extern in component.type.exports.values()]
    return bool(types) and all(isinstance(t, ComponentType) for t in types)


def _check_binary(path: Path) -> None:
    if path.is_dir() or bytes(read_source(path)[:4]) != MAGIC:
        raise InvalidError(f"{path} is not a binary", hint="--wit is for those; give a WIT file alone")
