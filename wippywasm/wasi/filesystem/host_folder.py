"""A folder of the operating system, held by a descriptor.

In: single names. Out: what has that name in this very folder, never what a link leads to: each call of the operating
system here is given the folder's descriptor, and is one that does not follow links (`O_NOFOLLOW`, `lstat`, …).

Only regular files and folders are opened; opening never blocks and has no side effects on devices: what a name is, is
looked at before (`O_NONBLOCK` and a second look after deal with those who swap it meanwhile).
"""

from __future__ import annotations

import os
import stat as modes
from typing import Any

from wippywasm.errors import UnsupportedFeatureError
from wippywasm.wasi.filesystem.codes import OS_ERRORS, FilesystemError
from wippywasm.wasi.filesystem.facts import Kind, NewTime, Opening, Stat
from wippywasm.wasi.filesystem.fd import Fd
from wippywasm.wasi.filesystem.host_file import HostFile, fd_stat, fd_sync, new_times, stat_of
from wippywasm.wasi.filesystem.host_listing import HostListing
from wippywasm.wasi.filesystem.kernel_devices import refuse_kernel_device


def _flags(*names: str) -> int:
    """Flags of `os.open`, those that this system has."""
    return sum(getattr(os, name, 0) for name in names)


_FILE = _flags("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC")
_FOLDER = _flags("O_RDONLY", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")
_SEARCH = _flags("O_PATH", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC")
_CREATED_FILE = 0o666
_CREATED_FOLDER = 0o777


def is_supported() -> bool:
    """Whether this system can look names up in an open folder without following links."""
    return os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_DIRECTORY")


def open_host_folder(path: str | os.PathLike[str]) -> HostFolder:
    """The folder at a path of ours, which may be a link; raises FilesystemError, UnsupportedFeatureError."""
    if not is_supported():
        raise UnsupportedFeatureError(
            "looking files up in an open folder",
            "this operating system",
            hint="folders can be mounted on Linux and macOS; mount a MemoryDirectory instead",
        )
    with OS_ERRORS:
        fd = Fd(os.open(os.fspath(path), _FOLDER & ~os.O_NOFOLLOW))
    device = fd_stat(fd).device
    try:
        refuse_kernel_device(device)
    except FilesystemError:
        fd.close()
        raise
    return HostFolder(fd, device)


class HostFolder:
    """Implements `backend.Folder`."""

    on_disk = True

    def __init__(self, fd: Fd, device: int) -> None:
        self._fd = fd
        self._device = device

    def close(self) -> None:
        self._fd.close()

    # ---- itself

    def stat(self) -> Stat:
        return fd_stat(self._fd)

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        self.set_times_at(b".", accessed, modified)

    def sync(self, *, data_only: bool) -> None:
        fd_sync(self._fd, data_only=data_only)

    def reopen(self) -> HostFolder:
        return self._folder(b".", _FOLDER)

    def share(self) -> HostFolder:
        return HostFolder(self._fd.share(), self._device)

    def list(self) -> HostListing:
        return HostListing(self.reopen()._fd)

    # ---- opening

    def enter(self, name: bytes) -> HostFolder:
        return self._folder(name, _SEARCH)

    def _folder(self, name: bytes, flags: int) -> HostFolder:
        fd = self._open(name, flags)
        return HostFolder(fd, self._checked(fd, "directory").device)

    def open(self, name: bytes, how: Opening) -> HostFile | HostFolder:
        kind = self._kind(name)
        if how.open_flags >= {"create", "exclusive"} and kind is not None:
            raise FilesystemError("exist")
        if kind == "directory":
            return self._folder(name, _FOLDER)
        if kind is None and "create" not in how.open_flags:
            raise FilesystemError("no-entry")
        if kind not in (None, "regular-file"):
            raise FilesystemError("loop" if kind == "symbolic-link" else "not-permitted")
        return self._file(name, how)

    def _file(self, name: bytes, how: Opening) -> HostFile:
        fd = self._open(name, _FILE | open_mode(how))
        self._checked(fd, "regular-file")
        file = HostFile(fd)
        if "truncate" in how.open_flags:
            file.set_size(0)
        return file

    def _open(self, name: bytes, flags: int) -> Fd:
        with OS_ERRORS, self._fd as fd:
            return Fd(os.open(name, flags, _CREATED_FILE, dir_fd=fd))

    def _checked(self, fd: Fd, kind: Kind) -> Stat:
        """What is known of what was opened; closes it unless it is of that kind and no part of the kernel."""
        try:
            found = fd_stat(fd)
            if found.kind != kind:
                raise FilesystemError("not-permitted")
            if found.device != self._device:
                refuse_kernel_device(found.device)
        except BaseException:
            fd.close()
            raise
        return found

    def _kind(self, name: bytes) -> str | None:
        try:
            return self.stat_at(name).kind
        except FilesystemError as error:
            if error.code == "no-entry":
                return None
            raise

    # ---- names

    def read_link(self, name: bytes) -> bytes:
        with OS_ERRORS, self._fd as fd:
            return os.readlink(name, dir_fd=fd)

    def stat_at(self, name: bytes) -> Stat:
        with OS_ERRORS, self._fd as fd:
            return stat_of(_lstat(name, fd))

    def set_times_at(self, name: bytes, accessed: NewTime, modified: NewTime) -> None:
        with OS_ERRORS, self._fd as fd:
            times = new_times(accessed, modified, _lstat(name, fd))
            os.utime(name, ns=times, dir_fd=fd, follow_symlinks=False)

    def make_folder(self, name: bytes) -> None:
        with OS_ERRORS, self._fd as fd:
            os.mkdir(name, _CREATED_FOLDER, dir_fd=fd)

    def make_symlink(self, name: bytes, target: bytes) -> None:
        with OS_ERRORS, self._fd as fd:
            os.symlink(target, name, dir_fd=fd)

    def make_link(self, name: bytes, to: HostFolder, new_name: bytes) -> None:
        with OS_ERRORS, self._fd as fd, to._fd as other:
            _refuse_folder(name, fd)
            os.link(name, new_name, src_dir_fd=fd, dst_dir_fd=other, follow_symlinks=False)

    def rename(self, name: bytes, to: HostFolder, new_name: bytes) -> None:
        with OS_ERRORS, self._fd as fd, to._fd as other:
            os.rename(name, new_name, src_dir_fd=fd, dst_dir_fd=other)

    def remove_file(self, name: bytes) -> None:
        with OS_ERRORS, self._fd as fd:
            if modes.S_ISDIR(_lstat(name, fd).st_mode):
                raise FilesystemError("is-directory")
            os.unlink(name, dir_fd=fd)

    def remove_folder(self, name: bytes) -> None:
        with OS_ERRORS, self._fd as fd:
            os.rmdir(name, dir_fd=fd)


def open_mode(how: Opening) -> int:
    """The flags of `os.open` for a file; cutting it comes after it was checked."""
    reads = "read" in how.flags
    writes = "write" in how.flags or "truncate" in how.open_flags
    mode = os.O_RDWR if reads and writes else os.O_WRONLY if writes else os.O_RDONLY
    if "create" in how.open_flags:
        mode |= os.O_CREAT
        if "exclusive" in how.open_flags:
            mode |= os.O_EXCL
    return mode | _sync_mode(how.flags)


def _sync_mode(flags: frozenset[str]) -> int:
    mode = _flags("O_DSYNC") if "data-integrity-sync" in flags else 0
    mode |= _flags("O_SYNC") if "file-integrity-sync" in flags else 0
    return mode | (_flags("O_RSYNC") if "requested-write-sync" in flags else 0)


def _lstat(name: bytes, fd: int) -> Any:
    return os.stat(name, dir_fd=fd, follow_symlinks=False)


def _refuse_folder(name: bytes, fd: int) -> None:
    if modes.S_ISDIR(_lstat(name, fd).st_mode):
        raise FilesystemError("not-permitted")
