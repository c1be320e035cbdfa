"""Paths to places, one name at a time, in such a way that no path leaves the folder it starts at.

In: a folder and a path. Out: the folder that has the last name, held open, and that name.

Why it can't be left: a name is only ever looked up in a folder that is held open, and never through a link; links are
read and taken apart here, so what is absolute is refused; `..` goes back to the folder we came from, which is held open
as well, and there is none before the first. Whatever others rename or replace meanwhile, the folders held are still
those that were walked through.

Spec: SPEC section 7 (`wasi:filesystem`).
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final, Literal, TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.wasi.filesystem.backend import Folder
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.paths import RelativePath, parse_bytes, parse_path

MAX_LINKS: Final = 40
"""Links that one path may lead through, as on Linux."""
MAX_NAMES: Final = 4096
"""Names that one path may have, with those of the links that it leads through: each is looked up."""
MAX_DEPTH: Final = 200
"""Folders that one path may lead down into; each is held open meanwhile."""

Follow: TypeAlias = Literal["always", "slash", "never"]
"""What becomes of a link at the end: it is followed, only before a trailing slash, or never (names made or removed)."""


@dataclass(frozen=True)
class Place:
    """`name` in `folder`; or, where it is `.` or `..`, the folder itself. `slash`: only a directory will do."""

    folder: Folder
    name: bytes
    slash: bool

    @property
    def is_folder(self) -> bool:
        """Whether it is the folder itself."""
        return self.name in (b".", b"..")


class Walk:
    """A way through folders; `with` lets go of all but the first."""

    def __init__(self, start: Folder) -> None:
        self._trail = [start]
        self._names: list[bytes] = []
        self._slash = False
        self._links = 0
        self._count = 0

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> Any:
        while len(self._trail) > 1:
            self._trail.pop().close()

    def to(self, path: str, follow: Follow) -> Place:
        """The place of a path; its name may well not exist, the folder does."""
        self._go(parse_path(path))
        while True:
            name = self._names.pop()
            if not self._names:
                place = self._last(name, follow)
                if place is not None:
                    return place
            elif name == b"..":
                self._up()
            else:
                self._down(name)

    def _go(self, path: RelativePath) -> None:
        """Put the names of a path before those that are still to come."""
        self._count += len(path.names)
        if self._count > MAX_NAMES:
            raise FilesystemError("loop")
        if not self._names:
            self._slash |= path.slash
        elif path.names[-1] == b".":
            path = RelativePath(path.names[:-1], path.slash)
        self._names += reversed(path.names)

    def _last(self, name: bytes, follow: Follow) -> Place | None:
        """The place of the last name; None where that is a link to follow."""
        if name == b"..":
            self._up()
        folder = self._trail[-1]
        place = Place(folder, name, self._slash)
        if place.is_folder or follow == "never" or (follow == "slash" and not self._slash):
            return place
        target = read_link(folder, name)
        if target is None:
            return place
        self._follow(target)
        return None

    def _up(self) -> None:
        if len(self._trail) == 1:
            raise FilesystemError("not-permitted")
        self._trail.pop().close()

    def _down(self, name: bytes) -> None:
        folder = self._trail[-1]
        try:
            inner = folder.enter(name)
        except FilesystemError as error:
            target = read_link(folder, name) if error.code in ("not-directory", "loop") else None
            if target is None:
                raise
            self._follow(target)
            return
        self._trail.append(inner)
        if len(self._trail) > MAX_DEPTH:
            raise FilesystemError("name-too-long")

    def _follow(self, target: bytes) -> None:
        self._links += 1
        if self._links > MAX_LINKS:
            raise FilesystemError("loop")
        self._go(parse_bytes(target))


def read_link(folder: Folder, name: bytes) -> bytes | None:
    """The target of a link; None for what is none, or not there."""
    try:
        return folder.read_link(name)
    except FilesystemError as error:
        if error.code in ("invalid", "no-entry"):
            return None
        raise
