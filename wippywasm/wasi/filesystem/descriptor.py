"""The resource `descriptor` of `wasi:filesystem/types`.

In: what guests pass, as WIT values. Out: WIT values, and errors by their codes. The rules are in `directory` and
`file`.

Spec: `wasi:filesystem/types`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Set
from typing import Any

from wippywasm.values import Variant
from wippywasm.wasi.filesystem import wit_values as wit
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.directory import OpenDirectory, OpenListing
from wippywasm.wasi.filesystem.facts import MAX_IO_BYTES, Opening
from wippywasm.wasi.filesystem.file import OpenFile
from wippywasm.wasi.filesystem.file_streams import input_stream, output_stream
from wippywasm.wasi.filesystem.hashes import metadata_hash
from wippywasm.wasi.filesystem.waiting import in_turn, sync_size, write_size
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.streams import InputStream, OutputStream


class Descriptor(Handle):
    """An open file or directory, `opened`, which it owns."""

    def __init__(self, opened: OpenFile | OpenDirectory) -> None:
        super().__init__()
        self.opened = opened

    def release(self) -> None:
        self.opened.close()

    @property
    def file(self) -> OpenFile:
        if not isinstance(self.opened, OpenFile):
            raise FilesystemError("bad-descriptor")
        return self.opened

    @property
    def directory(self) -> OpenDirectory:
        if not isinstance(self.opened, OpenDirectory):
            raise FilesystemError("not-directory")
        return self.opened

    # ---- files

    def read_via_stream(self, offset: int) -> InputStream:
        self.file.require("read")
        return input_stream(self.file, offset)

    def write_via_stream(self, offset: int) -> OutputStream:
        self.file.require("write")
        return output_stream(self.file, offset)

    def append_via_stream(self) -> OutputStream:
        self.file.require("write")
        return output_stream(self.file, None)

    def advise(self, offset: int, length: int, advice: str) -> None:
        self.file.advise(offset, length, advice)

    def set_size(self, size: int) -> None:
        self.file.set_size(size)

    def read(self, length: int, offset: int) -> tuple[bytes, bool] | Awaitable[tuple[bytes, bool]]:
        file = self.file
        wanted = min(length, MAX_IO_BYTES)
        there = min(wanted, max(file.stat().size - offset, 0))

        def read() -> tuple[bytes, bool]:
            data = file.read(there, offset)
            return data, len(data) < wanted

        return in_turn(file, there, read)

    def write(self, buffer: bytes, offset: int) -> int | Awaitable[int]:
        file = self.file
        return in_turn(file, write_size(file, len(buffer)), lambda: file.write(buffer, offset))

    # ---- both

    def get_flags(self) -> Set[str]:
        return self.opened.flags

    def get_type(self) -> str:
        return self.opened.kind

    def stat(self) -> dict[str, Any]:
        return wit.descriptor_stat(self.opened.stat())

    def set_times(self, accessed: Variant, modified: Variant) -> None:
        self.opened.set_times(wit.new_time(accessed), wit.new_time(modified))

    def sync_data(self) -> Awaitable[None] | None:
        return in_turn(self.opened, sync_size(self.opened), lambda: self.opened.sync(data_only=True))

    def sync(self) -> Awaitable[None] | None:
        return in_turn(self.opened, sync_size(self.opened), lambda: self.opened.sync(data_only=False))

    def is_same_object(self, other: Descriptor) -> bool:
        mine, others = self.opened.stat(), other.opened.stat()
        return (mine.device, mine.inode) == (others.device, others.inode)

    def metadata_hash(self) -> dict[str, int]:
        return metadata_hash(self.opened.stat())

    # ---- directories

    def read_directory(self) -> DirectoryEntryStream:
        return DirectoryEntryStream(self.directory.entries())

    def create_directory_at(self, path: str) -> None:
        self.directory.create_directory_at(path)

    def stat_at(self, path_flags: Set[str], path: str) -> dict[str, Any]:
        return wit.descriptor_stat(self.directory.stat_at(path, follow=wit.follows(path_flags)))

    def set_times_at(self, path_flags: Set[str], path: str, accessed: Variant, modified: Variant) -> None:
        times = wit.new_time(accessed), wit.new_time(modified)
        self.directory.set_times_at(path, *times, follow=wit.follows(path_flags))

    def link_at(self, old_path_flags: Set[str], old_path: str, new_descriptor: Descriptor, new_path: str) -> None:
        if wit.follows(old_path_flags):
            raise FilesystemError("invalid")
        self.directory.link_at(old_path, new_descriptor.directory, new_path)

    def open_at(self, path_flags: Set[str], path: str, open_flags: Set[str], flags: Set[str]) -> Descriptor:
        how = Opening(frozenset(flags), frozenset(open_flags))
        return Descriptor(self.directory.open_at(path, how, follow=wit.follows(path_flags)))

    def readlink_at(self, path: str) -> str:
        return self.directory.readlink_at(path)

    def remove_directory_at(self, path: str) -> None:
        self.directory.remove_directory_at(path)

    def rename_at(self, old_path: str, new_descriptor: Descriptor, new_path: str) -> None:
        self.directory.rename_at(old_path, new_descriptor.directory, new_path)

    def symlink_at(self, old_path: str, new_path: str) -> None:
        self.directory.symlink_at(old_path, new_path)

    def unlink_file_at(self, path: str) -> None:
        self.directory.unlink_file_at(path)

    def metadata_hash_at(self, path_flags: Set[str], path: str) -> dict[str, int]:
        return metadata_hash(self.directory.stat_at(path, follow=wit.follows(path_flags)))


class DirectoryEntryStream(Handle):
    """The resource `directory-entry-stream`."""

    def __init__(self, listing: OpenListing) -> None:
        super().__init__()
        self._listing = listing

    def release(self) -> None:
        self._listing.close()

    def read_directory_entry(self) -> dict[str, str] | None:
        entry = self._listing.next()
        return None if entry is None else {"type": entry.kind, "name": entry.name}
