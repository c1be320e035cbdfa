"""What a mount is made of: folders and files that know single names only.

In: names without slashes, which are never `.` or `..`. Out: what stands there, never what a link there leads to.
Paths, links and rules of mounts are all above this, once for every kind of mount (`resolve`, `directory`).

All raise FilesystemError. Every object is closed by its owner; a file or folder stays usable when its name goes.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from wippywasm.wasi.filesystem.facts import DirectoryEntry, NewTime, Opening, Stat


class Node(Protocol):
    """An open file or folder."""

    @property
    def on_disk(self) -> bool:
        """Whether operations on it may take time."""

    def stat(self) -> Stat:
        """What is known of it."""

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        """Set its times."""

    def sync(self, *, data_only: bool) -> None:
        """Wait until it is on the disk."""

    def close(self) -> None:
        """Let go of it; operations that run in other threads end first."""


class File(Node, Protocol):
    """An open regular file. Reads and writes may be short; offsets are from its beginning."""

    def reopen(self) -> File:
        """This open file once more, to keep."""

    def read(self, length: int, offset: int) -> bytes:
        """Bytes from there; none past the end."""

    def write(self, data: bytes, offset: int) -> int:
        """Write there; how many bytes were written."""

    def append(self, data: bytes) -> int:
        """Write at the end, wherever that is at that moment."""

    def set_size(self, size: int) -> None:
        """Cut it, or fill it up with zeroes."""

    def advise(self, offset: int, length: int, advice: str) -> None:
        """Say how it will be used."""


class Listing(Protocol):
    """A walk through the entries of a folder, without `.` and `..`."""

    def next(self) -> DirectoryEntry | None:
        """The next entry; None at the end."""

    def close(self) -> None:
        """Stop."""


FolderT = TypeVar("FolderT", bound="Folder")


class Folder(Node, Protocol):
    """An open folder."""

    def enter(self: FolderT, name: bytes) -> FolderT:
        """The folder of that name, to look things up in; `not-directory` or `loop` for anything else, links too."""

    def open(self: FolderT, name: bytes, how: Opening) -> File | FolderT:
        """The regular file or folder of that name; `loop` for a link, `not-permitted` for what is neither."""

    def reopen(self: FolderT) -> FolderT:
        """This folder once more, to keep."""

    def share(self: FolderT) -> FolderT:
        """The same for a folder that was opened to be listed; it takes nothing of the operating system."""

    def list(self) -> Listing:
        """Its entries."""

    def read_link(self, name: bytes) -> bytes:
        """The target of a link; `invalid` for what is none."""

    def stat_at(self, name: bytes) -> Stat:
        """What is known of a name."""

    def set_times_at(self, name: bytes, accessed: NewTime, modified: NewTime) -> None:
        """Set the times of a name."""

    def make_folder(self, name: bytes) -> None:
        """A new folder."""

    def make_symlink(self, name: bytes, target: bytes) -> None:
        """A new symbolic link."""

    def make_link(self: FolderT, name: bytes, to: FolderT, new_name: bytes) -> None:
        """A second name in `to` for what `name` is."""

    def rename(self: FolderT, name: bytes, to: FolderT, new_name: bytes) -> None:
        """Another name, in `to`, which takes the place of what had it."""

    def remove_file(self, name: bytes) -> None:
        """Remove the name of anything but a folder."""

    def remove_folder(self, name: bytes) -> None:
        """Remove an empty folder."""
