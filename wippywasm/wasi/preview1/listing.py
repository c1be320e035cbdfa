"""Listing a directory by cookies.

In: an open directory. Out: the bytes of `dirent`s from a cookie on, as many as fit.

A cookie is the number of the next entry. Guests come back with one from their last buffer, so the entries of that are
kept; any other cookie starts the directory anew.

Spec: WASI preview 1, `fd_readdir`.
"""

from __future__ import annotations

from wippywasm.errors import WitError
from wippywasm.wasi.filesystem.protocol import DirectoryDescriptor, DirectoryReader
from wippywasm.wasi.preview1.records import dirent

_BYTES_PER_ENTRY = 32


class Listing:
    """How far a directory has been read. `_kept` are the last entries, up to but without number `_next`."""

    def __init__(self, directory: DirectoryDescriptor) -> None:
        self._directory = directory
        self._reader: DirectoryReader | None = None
        self._kept: list[bytes] = []
        self._next = 0

    def bytes_to_read(self, cookie: int, size: int) -> int:
        """About how much of the directory has to be read for that."""
        return size + _BYTES_PER_ENTRY * max(0, cookie - self._next)

    def read(self, cookie: int, size: int) -> bytes:
        """At most `size` bytes; less means that the directory ends there. The last entry may be cut off."""
        self._seek(cookie)
        found, length, index = bytearray(), size, 0
        while len(found) < length:
            if index == len(self._kept) and not self._fetch():
                break
            found += self._kept[index]
            index += 1
        return bytes(found[:length])

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _seek(self, cookie: int) -> None:
        start = self._next - len(self._kept)
        if cookie < start or cookie == 0:
            self.close()
            self._kept, self._next, start = [], 0, 0
        while cookie > self._next and self._fetch():
            self._kept.clear()
        start = self._next - len(self._kept)
        del self._kept[: cookie - start]

    def _fetch(self) -> bool:
        """Read one more entry; False at the end."""
        entry = self._entry()
        if entry is not None:
            self._kept.append(entry)
            self._next += 1
        return entry is not None

    def _entry(self) -> bytes | None:
        following = self._next + 1
        if following <= 2:
            inode = self._directory.stat().inode
            return dirent(following, inode, "directory", b"." * following)
        if self._reader is None:
            self._reader = self._directory.entries()
        while True:
            try:
                entry = self._reader.next()
            except WitError as error:
                if error.payload == "illegal-byte-sequence":
                    continue  # a name that no guest could use
                raise
            return None if entry is None else dirent(following, entry.inode, entry.kind, entry.name.encode())
