"""Folders and files as Lua has them: paths from a root, a position in each file.

In: a folder of the host. Out: an open folder that no path, link or `..` leaves, and open files in it. Failures are
errors with a kind, which name the path. Over the descriptors that guests have too. Spec: SPEC section 11.
"""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from wippywasm.errors import AlreadyExistsError, InvalidError, NotFoundError, PermissionDeniedError, UnavailableError
from wippywasm.wasi.filesystem import FilesystemError, HostDirectory, Mounts
from wippywasm.wasi.filesystem.facts import Opening, Stat
from wippywasm.wasi.filesystem.protocol import DirectoryDescriptor, FileDescriptor
from wippywasm.wasi.filesystem.waiting import SLOW, in_turn

MAX_WHOLE = 32 << 20
"""Bytes that are read or written in one piece; a file that is larger is opened and read in parts."""
MAX_LISTED = 100_000

T = TypeVar("T")
_MODES = {
    "r": Opening(frozenset({"read"})),
    "r+": Opening(frozenset({"read", "write"})),
    "w": Opening(frozenset({"write"}), frozenset({"create", "truncate"})),
    "w+": Opening(frozenset({"read", "write"}), frozenset({"create", "truncate"})),
    "wx": Opening(frozenset({"write"}), frozenset({"create", "exclusive"})),
    "a": Opening(frozenset({"write"}), frozenset({"create"})),
    "a+": Opening(frozenset({"read", "write"}), frozenset({"create"})),
}
_SAYS: Mapping[str, tuple[type[Exception], str]] = {
    "no-entry": (NotFoundError, "there is no such file"),
    "exist": (AlreadyExistsError, "it is there already"),
    "not-empty": (InvalidError, "the folder is not empty"),
    "is-directory": (InvalidError, "it is a folder"),
    "not-directory": (InvalidError, "it is not a folder"),
    "access": (PermissionDeniedError, "this process may not"),
    "not-permitted": (PermissionDeniedError, "that is outside of the folder, or not allowed there"),
    "read-only": (PermissionDeniedError, "it can only be read"),
    "bad-descriptor": (InvalidError, "the file was not opened for that"),
    "name-too-long": (InvalidError, "the name is too long"),
    "illegal-byte-sequence": (InvalidError, "the name is not UTF-8"),
    "invalid": (InvalidError, "that is not possible"),
}


@contextmanager
def _saying(path: str) -> Iterator[None]:
    """Failures of the descriptors as errors with a kind."""
    try:
        yield
    except FilesystemError as error:
        kind, said = _SAYS.get(error.code, (UnavailableError, error.code))
        raise kind(f"'{path[:200]}': {said}") from None


class Volume:
    """An open folder; relative paths start at `cwd`."""

    def __init__(self, id: str, folder: Path) -> None:
        self._mounts = Mounts({"/": HostDirectory(folder)})
        with _saying(id):
            self._root: DirectoryDescriptor = self._mounts.preopens()[0][0]
        self.cwd = "/"

    def close(self) -> None:
        self._root.close()
        self._mounts.close()

    def _inside(self, path: str) -> str:
        """A path from the root, without `.`; `..` is left to the resolver, which knows about links."""
        whole = path if path.startswith("/") else f"{self.cwd}/{path}"
        return "/".join(part for part in whole.split("/") if part not in ("", ".")) or "."

    def open(self, path: str, mode: Any) -> OpenFile:
        """Open a file; `mode` is r, r+, w, w+, wx, a or a+."""
        how = _MODES.get(mode if isinstance(mode, str) else "")
        if how is None:
            raise InvalidError(f"a file is opened with one of {', '.join(_MODES)}")
        with _saying(path):
            opened = self._root.open_at(self._inside(path), how, follow=True)
            if opened.kind == "directory":
                opened.close()
                raise FilesystemError("is-directory")
        return OpenFile(path, opened, is_append=mode.startswith("a"))  # type: ignore[arg-type]

    def read(self, path: str) -> bytes | Awaitable[bytes]:
        """All of a file."""
        file = self.open(path, "r")
        size = file.size()
        if size > MAX_WHOLE:
            file.close()
            raise InvalidError(f"'{path}' has {size} bytes, more than are read at once: open it and read parts")
        return file.finishing(size, file.whole)

    def write(self, path: str, data: bytes, mode: Any) -> bool | Awaitable[bool]:
        """Write a whole file; `mode` is w, a or wx."""
        if mode not in ("w", "a", "wx"):
            raise InvalidError("a file is written with one of w, a, wx")
        file = self.open(path, mode)
        return file.finishing(len(data), lambda: file.put(data))

    def exists(self, path: str) -> bool:
        try:
            self.stat(path)
        except NotFoundError:
            return False
        return True

    def stat(self, path: str) -> Mapping[str, Any]:
        with _saying(path):
            stat = self._root.stat_at(self._inside(path), follow=True)
        return facts(posixpath.basename(path.rstrip("/")) or "/", stat)

    def mkdir(self, path: str) -> bool:
        with _saying(path):
            self._root.create_directory_at(self._inside(path))
        return True

    def remove(self, path: str) -> bool:
        """Remove a file, a link, or an empty folder."""
        with _saying(path):
            inside = self._inside(path)
            is_folder = self._root.stat_at(inside, follow=False).kind == "directory"
            (self._root.remove_directory_at if is_folder else self._root.unlink_file_at)(inside)
        return True

    def list(self, path: str) -> list[Mapping[str, str]]:
        """Names and types in a folder, in order."""
        with _saying(path):
            opening = Opening(frozenset({"read"}), frozenset({"directory"}))
            folder: Any = self._root.open_at(self._inside(path), opening, follow=True)
            try:
                found = list(_entries(folder, path))
            finally:
                folder.close()
        return sorted(found, key=lambda entry: entry["name"])

    def chdir(self, path: str) -> bool:
        if not self.stat(path)["is_dir"]:
            raise InvalidError(f"'{path}': it is not a folder")
        self.cwd = posixpath.normpath(f"/{self._inside(path)}")
        return True


def _entries(folder: DirectoryDescriptor, path: str) -> Iterator[Mapping[str, str]]:
    reader = folder.entries()
    try:
        for _ in range(MAX_LISTED):
            entry = reader.next()
            if entry is None:
                return
            yield {"name": entry.name, "type": "directory" if entry.kind == "directory" else "file"}
        raise InvalidError(f"'{path}' has more than {MAX_LISTED} entries")
    finally:
        reader.close()


def facts(name: str, stat: Stat) -> Mapping[str, Any]:
    """What Lua is told of a file; `modified` is in seconds since 1970, `mode` is Go's, bit 31 for a folder."""
    is_dir = stat.kind == "directory"
    kind = "directory" if is_dir else "file"
    return {
        "name": name,
        "size": stat.size,
        "mode": stat.permissions & 0o777 | (is_dir << 31),
        "modified": stat.modified // 1_000_000_000,
        "is_dir": is_dir,
        "type": kind,
    }


class OpenFile:
    """An open file with a position."""

    def __init__(self, path: str, file: FileDescriptor, *, is_append: bool) -> None:
        self._path = path
        self._file = file
        self._is_append = is_append
        self._at = 0

    def close(self) -> None:
        self._file.close()

    def size(self) -> int:
        with _saying(self._path):
            return self._file.stat().size

    def stat(self) -> Mapping[str, Any]:
        with _saying(self._path):
            return facts(posixpath.basename(self._path), self._file.stat())

    def finishing(self, size: int, do: Callable[[], T]) -> T | Awaitable[T]:
        """Do something and close the file, in a thread where `size` bytes are many."""

        def work() -> T:
            try:
                with _saying(self._path):
                    return do()
            finally:
                self.close()

        return in_turn(self._file, size, work)

    def whole(self) -> bytes:
        """All of it from the start, as far as `MAX_WHOLE` bytes."""
        parts: list[bytes] = []
        at = 0
        while part := self._file.read(MAX_WHOLE - at, at):
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def read(self, size: int) -> bytes | Awaitable[bytes | None] | None:
        """At most so many bytes from the position; None at the end."""
        return in_turn(self._file, size, lambda: self._read(size))

    def _read(self, size: int) -> bytes | None:
        with _saying(self._path):
            data = self._file.read(size, self._at)
        self._at += len(data)
        return data or None

    def write(self, data: bytes) -> bool | Awaitable[bool]:
        """Write at the position, or at the end of a file opened to append."""
        return in_turn(self._file, len(data), lambda: self._write(data))

    def _write(self, data: bytes) -> bool:
        with _saying(self._path):
            return self.put(data)

    def put(self, data: bytes) -> bool:
        view = memoryview(data)
        while view:
            count = self._file.append(bytes(view)) if self._is_append else self._file.write(bytes(view), self._at)
            self._at += count
            view = view[count:]
        return True

    def seek(self, whence: Any, offset: int) -> int:
        """The new position."""
        bases = {"set": 0, "cur": self._at, "end": self.size()}
        if not isinstance(whence, str) or whence not in bases:
            raise InvalidError("whence is one of set, cur, end")
        position = bases[whence] + offset
        if not 0 <= position < 1 << 63:
            raise InvalidError(f"there is no position {position} in a file")
        self._at = position
        return position

    def sync(self) -> bool | Awaitable[bool]:
        """Wait until it is on the disk."""

        def work() -> bool:
            with _saying(self._path):
                self._file.sync(data_only=False)
            return True

        return in_turn(self._file, SLOW, work)
