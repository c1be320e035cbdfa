"""The descriptors that hosts hand to guests: what `wasi:filesystem` and preview 1 are made of.

In: paths as guests give them, relative to a directory's descriptor. Out: plain values of `facts`.

- Everything raises `FilesystemError`; its `code` is a case of `error-code` (`no-entry`, `read-only`, …).
- All rules are kept here already: no path leaves the directory it starts at, nothing is changed in a read-only mount,
  only regular files and directories are opened, handles are counted.
- Calls block as the disk does, and move at most `facts.MAX_IO_BYTES`; `waiting.in_turn` takes the large ones off the
  loop.
- A descriptor has no position and no append mode: whoever needs them (preview 1) keeps them beside it. `append` writes
  at the end, wherever that is then.
- `path` is a `str`; preview 1 decodes its bytes as UTF-8 and answers `illegal-byte-sequence` itself.

Spec: `wasi:filesystem/types`; preview 1, `fd_*` and `path_*`.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from wippywasm.wasi.filesystem.facts import DirectoryEntry, Kind, NewTime, Opening, Stat


class BaseDescriptor(Protocol):
    """An open file or directory. `flags` are names of `descriptor-flags`."""

    @property
    def kind(self) -> Kind:
        """`regular-file` or `directory`."""

    @property
    def flags(self) -> frozenset[str]:
        """What it was opened for. A directory without `mutate-directory` can be changed too, if its mount can."""

    @property
    def read_only(self) -> bool:
        """Whether nothing in its mount may be changed."""

    @property
    def on_disk(self) -> bool:
        """Whether operations on it may take time."""

    def stat(self) -> Stat:
        """What is known of it."""

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        """Set its times, in nanoseconds since 1970."""

    def sync(self, *, data_only: bool) -> None:
        """Wait until it is on the disk. In a read-only mount there is nothing to wait for."""

    def close(self) -> None:
        """Give it up; the second time nothing happens. What runs in other threads ends first."""


class FileDescriptor(BaseDescriptor, Protocol):
    """An open regular file; `bad-descriptor` for what it was not opened to do."""

    def read(self, length: int, offset: int) -> bytes:
        """At most `length` bytes from `offset`; none at the end."""

    def write(self, data: bytes, offset: int) -> int:
        """Write at `offset`; how many bytes were written."""

    def append(self, data: bytes) -> int:
        """Write at the end; how many bytes were written."""

    def reopen(self) -> FileDescriptor:
        """This open file once more, as a handle of its own: for what outlives the descriptor, such as a stream."""

    def set_size(self, size: int) -> None:
        """Cut it, or fill it up with zeroes."""

    def advise(self, offset: int, length: int, advice: str) -> None:
        """Say how it will be used, in a word of the WIT enum `advice`."""


class DirectoryReader(Protocol):
    """The entries of a directory, without `.` and `..`. It counts as a handle."""

    def next(self) -> DirectoryEntry | None:
        """The next entry; None at the end. `illegal-byte-sequence` for a name that is not UTF-8; one may go on then."""

    def close(self) -> None:
        """Stop."""


class DirectoryDescriptor(BaseDescriptor, Protocol):
    """An open directory. `follow`: what becomes of a symbolic link at the end of the path."""

    def open_at(self, path: str, how: Opening, *, follow: bool) -> AnyDescriptor:
        """Open what is there, or a new file."""

    def entries(self) -> DirectoryReader:
        """Begin to list it."""

    def stat_at(self, path: str, *, follow: bool) -> Stat:
        """What is known of a path."""

    def set_times_at(self, path: str, accessed: NewTime, modified: NewTime, *, follow: bool) -> None:
        """Set the times of a path."""

    def create_directory_at(self, path: str) -> None:
        """A new directory."""

    def readlink_at(self, path: str) -> str:
        """The target of a link; `not-permitted` if it is absolute."""

    def symlink_at(self, target: str, path: str) -> None:
        """A new link; `not-permitted` if the target is absolute."""

    def link_at(self, path: str, to: DirectoryDescriptor, new_path: str) -> None:
        """A second name, of a link for the link itself; `cross-device` if `to` is of another mount."""

    def rename_at(self, path: str, to: DirectoryDescriptor, new_path: str) -> None:
        """Another name; `cross-device` if `to` is of another mount."""

    def unlink_file_at(self, path: str) -> None:
        """Remove the name of a file or link."""

    def remove_directory_at(self, path: str) -> None:
        """Remove an empty directory."""


AnyDescriptor: TypeAlias = FileDescriptor | DirectoryDescriptor
