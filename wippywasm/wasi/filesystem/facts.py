"""What is said about files: kinds, stats, entries, how to open, times.

In: nothing. Out: small immutable values that every kind of mount shares. Times are nanoseconds since 1970.

Spec: `wasi:filesystem/types`.
"""

from __future__ import annotations

import stat as modes
from typing import Final, Literal, TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.wasi.filesystem.codes import FilesystemError

Kind: TypeAlias = Literal[
    "unknown",
    "block-device",
    "character-device",
    "directory",
    "fifo",
    "symbolic-link",
    "regular-file",
    "socket",
]
"""The WIT enum `descriptor-type`."""

_KINDS: Final[dict[int, Kind]] = {
    modes.S_IFBLK: "block-device",
    modes.S_IFCHR: "character-device",
    modes.S_IFDIR: "directory",
    modes.S_IFIFO: "fifo",
    modes.S_IFLNK: "symbolic-link",
    modes.S_IFREG: "regular-file",
    modes.S_IFSOCK: "socket",
}

NewTime: TypeAlias = int | Literal["now"] | None
"""What a time is set to: nanoseconds, the present, or (None) what it is already."""

MAX_OFFSET: Final = 2**63 - 1
"""The greatest place in a file that operating systems know."""
MAX_IO_BYTES: Final = 1 << 20
"""The most that one read gives or one write takes; more is a short read or write."""


def check_offset(offset: int, code: str) -> None:
    """Raise `code` for a place that no file has."""
    if offset > MAX_OFFSET:
        raise FilesystemError(code)


@dataclass(frozen=True)
class Stat:
    """What is known of a file; `device` and `inode` together name it among all.

    `permissions` are the bits of a file of the operating system, which no guest is told of.
    """

    kind: Kind
    links: int
    size: int
    accessed: int
    modified: int
    changed: int
    device: int
    inode: int
    permissions: int = 0


@dataclass(frozen=True)
class DirectoryEntry:
    """One name in a directory."""

    kind: Kind
    name: str
    inode: int


@dataclass(frozen=True)
class Opening:
    """How a file is opened: names of the WIT flags `descriptor-flags` and `open-flags`."""

    flags: frozenset[str] = frozenset({"read"})
    open_flags: frozenset[str] = frozenset()

    @property
    def writes(self) -> bool:
        """Whether it needs a mount that may be written."""
        return bool(self.flags & {"write", "mutate-directory"} or self.open_flags & {"create", "truncate"})

    def of_file(self) -> Opening:
        """The same for a file: one that is opened neither to read nor to write can be read."""
        flags = self.flags - {"mutate-directory"}
        return Opening(flags if flags & {"read", "write"} else flags | {"read"}, self.open_flags)

    def of_directory(self) -> Opening:
        """The same for a directory: it can always be read, and says whether it was opened to be changed."""
        return Opening(self.flags & {"mutate-directory"} | {"read"}, self.open_flags)


def kind_of(mode: int) -> Kind:
    """The kind in a mode of `os.stat`."""
    return _KINDS.get(modes.S_IFMT(mode), "unknown")
