"""Files and folders to the texts of packages.

In: the path of a WIT file, of a folder with `deps/`, or of a WIT package in binary form. Out: the texts, by the package
that they make; what is in binary form goes into a resolution at once.
Spec: `WIT.md`, "Filesystem structure".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.errors import BinaryError, Diagnostic, InvalidError, NotFoundError, WitDiagnosticsError
from wippywasm.wit.decode import decode
from wippywasm.wit.resolved import Resolution
from wippywasm.wit.source import Source
from wippywasm.wit.stability import is_enabled

Assemble: TypeAlias = Callable[[str, str], bytes]
"""WebAssembly text to bytes; this layer has no engine of its own."""

WASM_MAGIC = b"\0asm"


@dataclass
class Group:
    """The files of one package, and the packages that are nested in them."""

    name: str
    sources: list[Source] = field(default_factory=list)


class Files:
    """What is read for one resolution."""

    def __init__(self, resolution: Resolution, assemble: Assemble | None = None) -> None:
        self._resolution = resolution
        self._assemble = assemble
        self.unread: list[tuple[Path, InvalidError]] = []
        """The dependencies that could not be read, and why."""

    def groups(self, path: Path) -> list[Group]:
        """The packages at `path`, the main one first; none for one in binary form, which the resolution has then.

        Raises NotFoundError for what is not there or has no WIT in it, WitDiagnosticsError for a main file that is not
        UTF-8, and BinaryError or InvalidError for one in binary form that is no WIT package.
        """
        if not path.exists():
            raise NotFoundError(f"there is no {path}")
        if not path.is_dir():
            group = self._file(path, is_main=True)
            return [] if group is None else [group]
        main = self._folder(path)
        if not main.sources:
            raise NotFoundError(f"there is no WIT in the folder {str(path)!r}", hint="its files have to end in .wit")
        deps = path / "deps"
        entries = sorted(deps.iterdir(), key=lambda p: p.name) if deps.is_dir() else ()
        return [main, *(group for e in entries if (group := self._dependency(e)) is not None)]

    def _dependency(self, path: Path) -> Group | None:
        """The package of a file or folder in `deps/`. One that can't be read is told with what is wrong elsewhere."""
        try:
            return self._folder(path) if path.is_dir() else self._file(path, is_main=False)
        except InvalidError as error:
            self.unread.append((path, error))
            return None

    def _folder(self, path: Path) -> Group:
        files = [p for p in path.iterdir() if p.name.endswith(".wit") and not p.is_dir()]
        return Group(str(path), [read_source(p) for p in sorted(files, key=str)])

    def _file(self, path: Path, *, is_main: bool) -> Group | None:
        """The package of a file; None if it is binary, and then it is in the resolution already."""
        if not is_main and path.suffix not in (".wit", ".wat", ".wasm"):
            return None
        data = path.read_bytes()
        if path.suffix == ".wat":
            data = self._assembled(path, source_of(str(path), data).text)
        if data.startswith(WASM_MAGIC):
            self._binary(path, data, is_main=is_main)
            return None
        return Group(str(path), [source_of(str(path), data)])

    def _binary(self, path: Path, data: bytes, *, is_main: bool) -> None:
        main = self._resolution.main
        add_binary(self._resolution, str(path), data)
        self._resolution.main = self._resolution.main if is_main else main

    def _assembled(self, path: Path, text: str) -> bytes:
        if self._assemble is None:
            raise InvalidError(f"{path} is WebAssembly text, and there is nothing here to assemble it with")
        return self._assemble(text, str(path))


def add_binary(resolution: Resolution, path: str, data: bytes) -> None:
    """Adds a package in binary form, as `main`, without the functions of features that are not enabled.

    Raises BinaryError with the path.
    """
    known = len(resolution.interfaces)
    try:
        decode(data, resolution)
    except BinaryError as error:
        raise error.of_file(path) from None
    for interface in resolution.interfaces[known:]:
        kept = {n: f for n, f in interface.functions.items() if is_enabled(f.stability, resolution)}
        interface.functions = kept


def read_source(path: Path) -> Source:
    return source_of(str(path), path.read_bytes())


def source_of(path: str, data: bytes) -> Source:
    """A text out of bytes. Raises WitDiagnosticsError where they are not UTF-8."""
    try:
        return Source(path, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"byte {data[error.start]:#04x} at offset {error.start} is not UTF-8"
        raise WitDiagnosticsError([Diagnostic(message, path, line, column, hint="save the file as UTF-8")]) from None
