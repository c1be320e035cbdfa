"""Preview 1: `fd_*`.

In: core values, signed as they come. Out: error numbers; results in the guest's memory. What waits is `Waiting`.

Spec: WASI preview 1.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from wippywasm.errors import WitError
from wippywasm.instance.waiting import Waiting, waits
from wippywasm.wasi.filesystem.facts import Kind, NewTime, Stat
from wippywasm.wasi.filesystem.waiting import SLOW, in_turn, write_size
from wippywasm.wasi.preview1 import records
from wippywasm.wasi.preview1.codes import ErrnoError, end_of_stream
from wippywasm.wasi.preview1.descriptors import Descriptors, Directory, File, Input, Output
from wippywasm.wasi.preview1.memory import GuestMemory, total

_M32 = 0xFFFF_FFFF
_M64 = 0xFFFF_FFFF_FFFF_FFFF


def later(outcome: Any, finish: Callable[[Any], None]) -> Waiting | None:
    """`finish(outcome)`, when there is one."""
    if waits(outcome):
        return Waiting(outcome, finish)
    finish(outcome)
    return None


def new_times(accessed: int, modified: int, bits: int) -> tuple[NewTime, NewTime]:
    """Times as a guest sets them (`fstflags`); `inval` where one is set to two things."""
    chosen = records.flags(bits & 0xFFFF, records.FSTFLAGS)
    return _time("accessed", accessed, chosen), _time("modified", modified, chosen)


def _time(name: str, value: int, chosen: frozenset[str]) -> NewTime:
    if {name, f"{name}-now"} <= chosen:
        raise ErrnoError("inval")
    if f"{name}-now" in chosen:
        return "now"
    return value & _M64 if name in chosen else None


class Files:
    """The functions on descriptors of any kind."""

    def __init__(self, memory: GuestMemory, descriptors: Descriptors) -> None:
        self._memory = memory
        self._descriptors = descriptors

    def fd_close(self, fd: int) -> None:
        self._descriptors.close(fd)

    def fd_renumber(self, fd: int, to: int) -> None:
        self._descriptors.renumber(fd, to)

    # ---- what is known of it

    def fd_fdstat_get(self, fd: int, result: int) -> None:
        self._memory.write(self._memory.check(result, 24, 8), _fdstat(self._descriptors.get(fd)))

    def fd_fdstat_set_flags(self, fd: int, bits: int) -> None:
        wanted = records.flags(bits & 0xFFFF, records.FDFLAGS)
        file = self._descriptors.file(fd)
        if wanted - {"append", "nonblock"}:
            raise ErrnoError("inval")
        file.fdflags = wanted

    def fd_fdstat_set_rights(self, fd: int, base: int, inheriting: int) -> None:
        self._descriptors.on_disk(fd)
        raise ErrnoError("notsup")

    def fd_filestat_get(self, fd: int, result: int) -> None:
        result = self._memory.check(result, 64, 8)
        found = self._descriptors.get(fd)
        stat = found.descriptor.stat() if isinstance(found, File | Directory) else _stdio_stat(found.kind)
        self._memory.write(result, records.filestat(stat))

    def fd_filestat_set_size(self, fd: int, size: int) -> None:
        self._descriptors.file(fd).descriptor.set_size(size & _M64)

    def fd_filestat_set_times(self, fd: int, accessed: int, modified: int, bits: int) -> None:
        self._descriptors.on_disk(fd).descriptor.set_times(*new_times(accessed, modified, bits))

    def fd_prestat_get(self, fd: int, result: int) -> None:
        self._memory.write(self._memory.check(result, 8, 4), struct.pack("<II", 0, len(self._preopen(fd))))

    def fd_prestat_dir_name(self, fd: int, buffer: int, size: int) -> None:
        name = self._preopen(fd)
        if len(name) > size & _M32:
            raise ErrnoError("nametoolong")
        self._memory.write(buffer, name)

    def _preopen(self, fd: int) -> bytes:
        found = self._descriptors.get(fd)
        if not isinstance(found, Directory) or found.preopen is None:
            raise ErrnoError("badf")
        return found.preopen.encode()

    # ---- reading and writing

    def fd_read(self, fd: int, iovs: int, count: int, result: int) -> Waiting | None:
        found, buffers = self._descriptors.get(fd), self._memory.buffers(iovs, count)
        result = self._memory.check(result, 4, 4)

        def finish(data: bytes) -> None:
            self._memory.scatter(buffers, data)
            self._memory.write_u32(result, len(data))

        if isinstance(found, Input):
            return later(_read_stream(found, total(buffers)), finish)
        if not isinstance(found, File):
            raise ErrnoError("badf")
        size, at = total(buffers), found.position

        def advance(data: bytes) -> None:
            found.position = at + len(data)
            finish(data)

        return later(in_turn(found.descriptor, size, lambda: found.descriptor.read(size, at)), advance)

    def fd_pread(self, fd: int, iovs: int, count: int, offset: int, result: int) -> Waiting | None:
        file, buffers = self._seekable(fd, Input), self._memory.buffers(iovs, count)
        result = self._memory.check(result, 4, 4)

        def finish(data: bytes) -> None:
            self._memory.scatter(buffers, data)
            self._memory.write_u32(result, len(data))

        size = total(buffers)
        return later(in_turn(file.descriptor, size, lambda: file.descriptor.read(size, offset & _M64)), finish)

    def fd_write(self, fd: int, iovs: int, count: int, result: int) -> Waiting | None:
        found, buffers = self._descriptors.get(fd), self._memory.buffers(iovs, count)
        result = self._memory.check(result, 4, 4)
        data = self._memory.gather(buffers)
        if isinstance(found, Output):
            written = found.stream.write_out(data)
            return later(written, lambda _: self._memory.write_u32(result, len(data)))
        if not isinstance(found, File):
            raise ErrnoError("badf")
        return self._write_file(found, data, result)

    def _write_file(self, file: File, data: bytes, result: int) -> Waiting | None:
        at = file.position

        def finish(written: int) -> None:
            file.position = file.descriptor.stat().size if file.appends else at + written
            self._memory.write_u32(result, written)

        return later(_writing(file, data, at), finish)

    def fd_pwrite(self, fd: int, iovs: int, count: int, offset: int, result: int) -> Waiting | None:
        file, data = self._seekable(fd, Output), self._memory.gather(self._memory.buffers(iovs, count))
        result = self._memory.check(result, 4, 4)
        written = _writing(file, data, offset & _M64)
        return later(written, lambda size: self._memory.write_u32(result, size))

    def _seekable(self, fd: int, stream: type[Input] | type[Output]) -> File:
        """A file; `spipe` for the stream that could be read or written, but not at an offset."""
        if isinstance(self._descriptors.get(fd), stream):
            raise ErrnoError("spipe")
        return self._descriptors.file(fd)

    # ---- position

    def fd_seek(self, fd: int, offset: int, whence: int, result: int) -> None:
        result = self._memory.check(result, 8, 8)
        if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
            raise ErrnoError("inval")
        file = self._positioned(fd)
        start = (0, file.position)[whence] if whence != os.SEEK_END else file.descriptor.stat().size
        if not 0 <= start + offset < 1 << 63:
            raise ErrnoError("inval")
        file.position = start + offset
        self._memory.write_u64(result, file.position)

    def fd_tell(self, fd: int, result: int) -> None:
        self._memory.write_u64(result, self._positioned(fd).position)

    def _positioned(self, fd: int) -> File:
        if isinstance(self._descriptors.get(fd), Input | Output):
            raise ErrnoError("spipe")
        return self._descriptors.file(fd)

    # ---- hints and durability

    def fd_advise(self, fd: int, offset: int, length: int, advice: int) -> None:
        if not 0 <= advice < len(records.ADVICE):
            raise ErrnoError("inval")
        self._descriptors.file(fd).descriptor.advise(offset & _M64, length & _M64, records.ADVICE[advice])

    def fd_allocate(self, fd: int, offset: int, length: int) -> None:
        self._descriptors.file(fd)
        raise ErrnoError("notsup")

    def fd_datasync(self, fd: int) -> Waiting | None:
        return self._sync(fd, data_only=True)

    def fd_sync(self, fd: int) -> Waiting | None:
        return self._sync(fd, data_only=False)

    def _sync(self, fd: int, *, data_only: bool) -> Waiting | None:
        descriptor = self._descriptors.file(fd).descriptor
        return later(in_turn(descriptor, SLOW, lambda: descriptor.sync(data_only=data_only)), lambda _: None)

    # ---- directories

    def fd_readdir(self, fd: int, buffer: int, size: int, cookie: int, result: int) -> Waiting | None:
        size &= _M32
        buffer, result = self._memory.check(buffer, size), self._memory.check(result, 4, 4)
        found = self._descriptors.get(fd)
        if not isinstance(found, Directory):
            raise ErrnoError("badf")
        listing, at = found.listing, cookie & _M64

        def finish(data: bytes) -> None:
            self._memory.write(buffer, data)
            self._memory.write_u32(result, len(data))

        return later(in_turn(found.descriptor, listing.bytes_to_read(at, size), lambda: listing.read(at, size)), finish)


def _read_stream(found: Input, size: int) -> bytes | Awaitable[bytes]:
    """Bytes from a stream, none at its end."""
    if not size:
        return b""
    try:
        data = found.stream.blocking_read(size)
    except WitError as error:
        return _at_end(error)
    return data if isinstance(data, bytes) else _read_later(data)


async def _read_later(data: Awaitable[bytes]) -> bytes:
    try:
        return await data
    except WitError as error:
        return _at_end(error)


def _at_end(error: WitError) -> bytes:
    if end_of_stream(error):
        return b""
    raise error


def _writing(file: File, data: bytes, offset: int) -> int | Awaitable[int]:
    """Write at `offset`; at the end of a file that was opened to append, as on Linux also where an offset is given."""
    descriptor, appends = file.descriptor, file.appends

    def write() -> int:
        return descriptor.append(data) if appends else descriptor.write(data, offset)

    return in_turn(descriptor, write_size(descriptor, len(data)), write)


def _fdstat(found: Any) -> bytes:
    if isinstance(found, Directory) and found.preopen is not None:
        return records.fdstat("directory", 0, records.PREOPEN_RIGHTS, records.INHERITED_RIGHTS)
    if isinstance(found, Input | Output):
        allowed = records.FD_READ if isinstance(found, Input) else records.FD_WRITE
        return records.fdstat(found.kind, 0, allowed, allowed)
    flags, kind = found.descriptor.flags, found.descriptor.kind
    allowed = records.rights_of(kind, flags)
    return records.fdstat(kind, records.bits_of(found.fdflags | flags, records.FDFLAGS), allowed, allowed)


def _stdio_stat(kind: Kind) -> Stat:
    return Stat(kind, 0, 0, 0, 0, 0, 0, 0)
