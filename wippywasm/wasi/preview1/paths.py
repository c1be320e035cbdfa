"""Preview 1: `path_*`.

In: core values, signed as they come; paths relative to a directory's descriptor. Out: error numbers; results in the
guest's memory. That no path leaves a mount is the filesystem's work.

Spec: WASI preview 1.
"""

from __future__ import annotations

from wippywasm.wasi.filesystem.facts import Opening
from wippywasm.wasi.filesystem.protocol import DirectoryDescriptor
from wippywasm.wasi.preview1 import records
from wippywasm.wasi.preview1.codes import ErrnoError
from wippywasm.wasi.preview1.descriptors import Descriptors, Directory, File
from wippywasm.wasi.preview1.files import new_times
from wippywasm.wasi.preview1.memory import GuestMemory

_M32 = 0xFFFF_FFFF


def _follows(bits: int) -> bool:
    return "symlink-follow" in records.flags(bits & _M32, records.LOOKUP)


class Paths:
    """The functions on paths."""

    def __init__(self, memory: GuestMemory, descriptors: Descriptors) -> None:
        self._memory = memory
        self._descriptors = descriptors

    def path_open(
        self,
        fd: int,
        dirflags: int,
        path: int,
        length: int,
        oflags: int,
        rights: int,
        inheriting: int,
        fdflags: int,
        result: int,
    ) -> None:
        result = self._memory.check(result, 4, 4)
        follow, text = _follows(dirflags), self._memory.text(path, length)
        wanted = records.flags(fdflags & 0xFFFF, records.FDFLAGS)
        how = Opening(_opened_for(rights, wanted), records.flags(oflags & 0xFFFF, records.OFLAGS))
        opened = self._descriptors.directory(fd).descriptor.open_at(text, how, follow=follow)
        kept = wanted & {"append", "nonblock"}
        entry = Directory(opened) if opened.kind == "directory" else File(opened, kept)  # type: ignore[arg-type]
        self._memory.write_u32(result, self._descriptors.add(entry))

    def path_create_directory(self, fd: int, path: int, length: int) -> None:
        self._at(fd).create_directory_at(self._memory.text(path, length))

    def path_remove_directory(self, fd: int, path: int, length: int) -> None:
        self._at(fd).remove_directory_at(self._memory.text(path, length))

    def path_unlink_file(self, fd: int, path: int, length: int) -> None:
        self._at(fd).unlink_file_at(self._memory.text(path, length))

    def path_filestat_get(self, fd: int, lookup: int, path: int, length: int, result: int) -> None:
        result = self._memory.check(result, 64, 8)
        stat = self._at(fd).stat_at(self._memory.text(path, length), follow=_follows(lookup))
        self._memory.write(result, records.filestat(stat))

    def path_filestat_set_times(
        self, fd: int, lookup: int, path: int, length: int, accessed: int, modified: int, bits: int
    ) -> None:
        times = new_times(accessed, modified, bits)
        self._at(fd).set_times_at(self._memory.text(path, length), *times, follow=_follows(lookup))

    def path_link(
        self, fd: int, lookup: int, path: int, length: int, new_fd: int, new_path: int, new_length: int
    ) -> None:
        text = self._memory.text(path, length)
        if _follows(lookup):
            raise ErrnoError("inval")
        self._at(fd).link_at(text, self._at(new_fd), self._memory.text(new_path, new_length))

    def path_rename(self, fd: int, path: int, length: int, new_fd: int, new_path: int, new_length: int) -> None:
        text = self._memory.text(path, length)
        self._at(fd).rename_at(text, self._at(new_fd), self._memory.text(new_path, new_length))

    def path_symlink(self, target: int, target_length: int, fd: int, path: int, length: int) -> None:
        text = self._memory.text(target, target_length)
        self._at(fd).symlink_at(text, self._memory.text(path, length))

    def path_readlink(self, fd: int, path: int, length: int, buffer: int, size: int, result: int) -> None:
        size &= _M32
        buffer, result = self._memory.check(buffer, size), self._memory.check(result, 4, 4)
        target = self._at(fd).readlink_at(self._memory.text(path, length)).encode()[:size]
        self._memory.write(buffer, target)
        self._memory.write_u32(result, len(target))

    def _at(self, fd: int) -> DirectoryDescriptor:
        return self._descriptors.directory(fd).descriptor


def _opened_for(rights: int, wanted: frozenset[str]) -> frozenset[str]:
    """`descriptor-flags` from rights and `fdflags`."""
    found = set(wanted - {"append", "nonblock"})
    if rights & records.FD_READ:
        found.add("read")
    if rights & records.FD_WRITE:
        found.add("write")
    return frozenset(found)
