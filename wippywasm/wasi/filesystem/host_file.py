"""A regular file of the operating system, open.

In: a descriptor that was checked to be a regular file's. Out: a `backend.File` over it. Calls block as disks do.
"""

from __future__ import annotations

import os
import stat
import time
from typing import Any

from wippywasm.wasi.filesystem.codes import OS_ERRORS
from wippywasm.wasi.filesystem.facts import NewTime, Stat, check_offset, kind_of
from wippywasm.wasi.filesystem.fd import Fd

_ADVICE = {
    "normal": "POSIX_FADV_NORMAL",
    "sequential": "POSIX_FADV_SEQUENTIAL",
    "random": "POSIX_FADV_RANDOM",
    "will-need": "POSIX_FADV_WILLNEED",
    "dont-need": "POSIX_FADV_DONTNEED",
    "no-reuse": "POSIX_FADV_NOREUSE",
}
_APPEND = getattr(os, "RWF_APPEND", 0)


class HostFile:
    """Implements `backend.File`."""

    on_disk = True

    def __init__(self, fd: Fd) -> None:
        self._fd = fd

    def close(self) -> None:
        self._fd.close()

    def reopen(self) -> HostFile:
        with OS_ERRORS, self._fd as fd:
            return HostFile(Fd(os.dup(fd)))

    def stat(self) -> Stat:
        return fd_stat(self._fd)

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        with OS_ERRORS, self._fd as fd:
            os.utime(fd, ns=new_times(accessed, modified, os.fstat(fd)))

    def sync(self, *, data_only: bool) -> None:
        fd_sync(self._fd, data_only=data_only)

    def read(self, length: int, offset: int) -> bytes:
        check_offset(offset, "invalid")
        with OS_ERRORS, self._fd as fd:
            return os.pread(fd, length, offset)

    def write(self, data: bytes, offset: int) -> int:
        check_offset(offset + len(data), "file-too-large")
        with OS_ERRORS, self._fd as fd:
            return os.pwrite(fd, data, offset)

    def append(self, data: bytes) -> int:
        with OS_ERRORS, self._fd as fd:
            if _APPEND:
                return os.pwritev(fd, [data], 0, _APPEND)
            return os.pwrite(fd, data, os.fstat(fd).st_size)

    def set_size(self, size: int) -> None:
        check_offset(size, "file-too-large")
        with OS_ERRORS, self._fd as fd:
            os.ftruncate(fd, size)

    def advise(self, offset: int, length: int, advice: str) -> None:
        check_offset(offset, "invalid")
        check_offset(length, "invalid")
        number = getattr(os, _ADVICE[advice], None)
        if number is not None:
            with OS_ERRORS, self._fd as fd:
                os.posix_fadvise(fd, offset, length, number)


def fd_stat(fd: Fd) -> Stat:
    """What is known of an open file or folder."""
    with OS_ERRORS, fd as number:
        return stat_of(os.fstat(number))


def stat_of(found: os.stat_result) -> Stat:
    """An operating system's stat as ours."""
    return Stat(
        kind_of(found.st_mode),
        found.st_nlink,
        found.st_size,
        found.st_atime_ns,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_dev,
        found.st_ino,
        stat.S_IMODE(found.st_mode),
    )


def fd_sync(fd: Fd, *, data_only: bool) -> None:
    """Wait until an open file or folder is on the disk."""
    sync: Any = getattr(os, "fdatasync", os.fsync) if data_only else os.fsync
    with OS_ERRORS, fd as number:
        sync(number)


def new_times(accessed: NewTime, modified: NewTime, old: os.stat_result) -> tuple[int, int]:
    """Both times as numbers; `os.utime` knows neither "now" nor "as it is" for one of them."""
    now = time.time_ns()
    return _time(accessed, old.st_atime_ns, now), _time(modified, old.st_mtime_ns, now)


def _time(wanted: NewTime, old: int, now: int) -> int:
    return old if wanted is None else now if wanted == "now" else wanted
