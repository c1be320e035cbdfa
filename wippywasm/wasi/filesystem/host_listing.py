"""The entries of a folder of the operating system, a few at a time.

In: a descriptor of its own. Out: a `backend.Listing`. A name that is not UTF-8 is an error in its place; the walk goes
on behind it.
"""

from __future__ import annotations

import os

from wippywasm.wasi.filesystem.codes import OS_ERRORS, FilesystemError
from wippywasm.wasi.filesystem.facts import DirectoryEntry, Kind
from wippywasm.wasi.filesystem.fd import Fd
from wippywasm.wasi.filesystem.host_file import stat_of


class HostListing:
    """Implements `backend.Listing`."""

    def __init__(self, fd: Fd) -> None:
        self._fd = fd
        with OS_ERRORS, fd as number:
            self._entries = os.scandir(number)

    def next(self) -> DirectoryEntry | None:
        with OS_ERRORS, self._fd as fd:
            entry = next(self._entries, None)
            return None if entry is None else _describe(entry, fd)

    def close(self) -> None:
        self._entries.close()
        self._fd.close()

    def __del__(self) -> None:
        if hasattr(self, "_entries"):
            self._entries.close()


def _describe(entry: os.DirEntry[str], fd: int) -> DirectoryEntry:
    try:
        name = os.fsencode(entry.name).decode()
    except UnicodeDecodeError as error:
        raise FilesystemError("illegal-byte-sequence") from error
    return DirectoryEntry(_kind(entry, fd), name, entry.inode())


def _kind(entry: os.DirEntry[str], fd: int) -> Kind:
    if entry.is_symlink():
        return "symbolic-link"
    if entry.is_dir(follow_symlinks=False):
        return "directory"
    if entry.is_file(follow_symlinks=False):
        return "regular-file"
    try:
        return stat_of(os.stat(entry.name, dir_fd=fd, follow_symlinks=False)).kind
    except FileNotFoundError:
        return "unknown"
