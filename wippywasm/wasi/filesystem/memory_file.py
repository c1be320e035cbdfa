"""A file of a tree in memory, open.

In: its node. Out: a `backend.File`.
"""

from __future__ import annotations

from wippywasm.wasi.filesystem.facts import NewTime, Stat, check_offset
from wippywasm.wasi.filesystem.memory_nodes import FileNode


class MemoryFile:
    """Implements `backend.File`."""

    on_disk = False

    def __init__(self, node: FileNode) -> None:
        self._node = node
        self._lock = node.tree.lock
        self._open = True
        node.opens += 1

    def close(self) -> None:
        with self._lock:
            if self._open:
                self._open = False
                self._node.release(opens=1)

    def reopen(self) -> MemoryFile:
        with self._lock:
            return MemoryFile(self._node)

    def stat(self) -> Stat:
        with self._lock:
            return self._node.stat()

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        with self._lock:
            self._node.set_times(accessed, modified)

    def sync(self, *, data_only: bool) -> None:
        """Nothing is further away than memory."""

    def read(self, length: int, offset: int) -> bytes:
        check_offset(offset, "invalid")
        with self._lock:
            return bytes(self._node.data[offset : offset + length])

    def write(self, data: bytes, offset: int) -> int:
        with self._lock:
            return self._node.write(data, offset)

    def append(self, data: bytes) -> int:
        with self._lock:
            return self._node.write(data, self._node.size)

    def set_size(self, size: int) -> None:
        with self._lock:
            self._node.resize(size)

    def advise(self, offset: int, length: int, advice: str) -> None:
        """Memory needs none, but it is checked as any file's."""
        check_offset(offset, "invalid")
        check_offset(length, "invalid")
