"""A guest's descriptor of a regular file: the rules of its mount and of how it was opened.

In: a `backend.File`. Out: a `protocol.FileDescriptor`.
"""

from __future__ import annotations

from wippywasm.wasi.filesystem.backend import File
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.facts import MAX_IO_BYTES, Kind, NewTime, Stat
from wippywasm.wasi.filesystem.mount import Mount
from wippywasm.wasi.filesystem.quota import Handle


class OpenFile:
    """Implements `protocol.FileDescriptor`; owns the file and the handle."""

    kind: Kind = "regular-file"

    def __init__(self, mount: Mount, file: File, flags: frozenset[str], handle: Handle) -> None:
        self._mount = mount
        self._file = file
        self._handle = handle
        self.flags = flags
        self.on_disk = file.on_disk
        self.read_only = mount.read_only

    def reopen(self) -> OpenFile:
        handle = self._mount.handles.take()
        try:
            return OpenFile(self._mount, self._file.reopen(), self.flags, handle)
        except BaseException:
            handle.close()
            raise

    def close(self) -> None:
        self._file.close()
        self._handle.close()

    def stat(self) -> Stat:
        return self._file.stat()

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        self._mount.require_writable()
        self._file.set_times(accessed, modified)

    def sync(self, *, data_only: bool) -> None:
        if not self.read_only:
            self._file.sync(data_only=data_only)

    def read(self, length: int, offset: int) -> bytes:
        self.require("read")
        return self._file.read(min(length, MAX_IO_BYTES), offset)

    def write(self, data: bytes, offset: int) -> int:
        self.require("write")
        return self._file.write(data[:MAX_IO_BYTES], offset)

    def append(self, data: bytes) -> int:
        self.require("write")
        return self._file.append(data[:MAX_IO_BYTES])

    def set_size(self, size: int) -> None:
        self._mount.require_writable()
        if "write" not in self.flags:
            raise FilesystemError("invalid")  # as Linux has it, unlike for writes
        self._file.set_size(size)

    def advise(self, offset: int, length: int, advice: str) -> None:
        self._file.advise(offset, length, advice)

    def require(self, flag: str) -> None:
        """Raise `bad-descriptor` unless it was opened to do that; `read-only` where the mount forbids it."""
        if flag == "write":
            self._mount.require_writable()
        if flag not in self.flags:
            raise FilesystemError("bad-descriptor")
