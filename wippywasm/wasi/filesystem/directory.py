"""A guest's descriptor of a directory: paths, the rules of its mount, and what each operation makes of `.`, `..` and a
trailing slash.

In: a `backend.Folder` and paths. Out: a `protocol.DirectoryDescriptor`. Every path goes through `resolve.Walk`, and
every change through `Mount.require_writable`.
"""

from __future__ import annotations

from typing import Any

from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.facts import DirectoryEntry, Kind, NewTime, Opening, Stat
from wippywasm.wasi.filesystem.file import OpenFile
from wippywasm.wasi.filesystem.mount import Mount
from wippywasm.wasi.filesystem.paths import parse_path
from wippywasm.wasi.filesystem.quota import Handle
from wippywasm.wasi.filesystem.resolve import Place, Walk


class OpenDirectory:
    """Implements `protocol.DirectoryDescriptor`; owns the folder and the handle."""

    kind: Kind = "directory"

    def __init__(self, mount: Mount, folder: Any, flags: frozenset[str], handle: Handle) -> None:
        self._mount = mount
        self._folder = folder
        self._handle = handle
        self.flags = flags
        self.on_disk: bool = folder.on_disk
        self.read_only = mount.read_only

    def close(self) -> None:
        self._folder.close()
        self._handle.close()

    # ---- itself

    def stat(self) -> Stat:
        found: Stat = self._folder.stat()
        return found

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        self._mount.require_writable()
        self._folder.set_times(accessed, modified)

    def sync(self, *, data_only: bool) -> None:
        if not self.read_only:
            self._folder.sync(data_only=data_only)

    def entries(self) -> OpenListing:
        handle = self._mount.handles.take()
        try:
            return OpenListing(self._folder.list(), handle)
        except BaseException:
            handle.close()
            raise

    # ---- looking

    def open_at(self, path: str, how: Opening, *, follow: bool) -> OpenFile | OpenDirectory:
        if how.writes:
            self._mount.require_writable()
        if "directory" in how.open_flags and how.open_flags & {"create", "exclusive", "truncate"}:
            raise FilesystemError("invalid")
        exclusive = how.open_flags >= {"create", "exclusive"}
        handle = self._mount.handles.take()
        try:
            with Walk(self._folder) as walk:
                place = walk.to(path, "never" if exclusive else "always" if follow else "slash")
                return self._descriptor(open_place(place, how.of_file()), how, handle)
        except BaseException:
            handle.close()
            raise

    def _descriptor(self, node: Any, how: Opening, handle: Handle) -> OpenFile | OpenDirectory:
        if hasattr(node, "enter"):
            return OpenDirectory(self._mount, node, how.of_directory().flags, handle)
        return OpenFile(self._mount, node, how.of_file().flags, handle)

    def stat_at(self, path: str, *, follow: bool) -> Stat:
        with Walk(self._folder) as walk:
            place = walk.to(path, "always" if follow else "slash")
            found: Stat = place.folder.stat() if place.is_folder else place.folder.stat_at(place.name)
        return _directory_if(place.slash, found)

    def readlink_at(self, path: str) -> str:
        with Walk(self._folder) as walk:
            place = walk.to(path, "slash")
            if place.is_folder:
                raise FilesystemError("invalid")
            if place.slash:
                _directory_if(True, place.folder.stat_at(place.name))
            target = place.folder.read_link(place.name)
        if target.startswith(b"/"):
            raise FilesystemError("not-permitted")
        try:
            return target.decode()
        except UnicodeDecodeError as error:
            raise FilesystemError("illegal-byte-sequence") from error

    # ---- changing

    def set_times_at(self, path: str, accessed: NewTime, modified: NewTime, *, follow: bool) -> None:
        self._mount.require_writable()
        with Walk(self._folder) as walk:
            place = walk.to(path, "always" if follow else "slash")
            if place.is_folder:
                place.folder.set_times(accessed, modified)
                return
            if place.slash:
                _directory_if(True, place.folder.stat_at(place.name))
            place.folder.set_times_at(place.name, accessed, modified)

    def create_directory_at(self, path: str) -> None:
        self._mount.require_writable()
        with Walk(self._folder) as walk:
            place = _named(walk.to(path, "never"), "exist")
            place.folder.make_folder(place.name)

    def symlink_at(self, target: str, path: str) -> None:
        self._mount.require_writable()
        parse_path(target)
        with Walk(self._folder) as walk:
            place = _new_file(walk.to(path, "never"))
            place.folder.make_symlink(place.name, target.encode())

    def link_at(self, path: str, to: Any, new_path: str) -> None:
        self._require_same_mount(to)
        with Walk(self._folder) as walk, Walk(to._folder) as other:
            old = _named(walk.to(path, "slash"), "not-permitted")
            if old.slash:
                _directory_if(True, old.folder.stat_at(old.name))
            new = _new_file(other.to(new_path, "never"))
            old.folder.make_link(old.name, new.folder, new.name)

    def rename_at(self, path: str, to: Any, new_path: str) -> None:
        self._require_same_mount(to)
        with Walk(self._folder) as walk, Walk(to._folder) as other:
            old = _named(walk.to(path, "never"), "busy")
            new = _named(other.to(new_path, "never"), "busy")
            if old.slash or new.slash:
                _directory_if(True, old.folder.stat_at(old.name))
            old.folder.rename(old.name, new.folder, new.name)

    def unlink_file_at(self, path: str) -> None:
        self._mount.require_writable()
        with Walk(self._folder) as walk:
            place = _named(walk.to(path, "never"), "is-directory")
            if place.slash:
                _directory_if(True, place.folder.stat_at(place.name))
                raise FilesystemError("is-directory")
            place.folder.remove_file(place.name)

    def remove_directory_at(self, path: str) -> None:
        self._mount.require_writable()
        with Walk(self._folder) as walk:
            place = walk.to(path, "never")
            _named(place, "invalid" if place.name == b"." else "not-empty")
            place.folder.remove_folder(place.name)

    def _require_same_mount(self, other: Any) -> None:
        """Two names of one file are in one mount, for reading and writing alike."""
        if not isinstance(other, OpenDirectory):
            raise FilesystemError("not-directory")
        if other._mount is not self._mount:
            raise FilesystemError("cross-device")
        self._mount.require_writable()


class OpenListing:
    """Implements `protocol.DirectoryReader`."""

    def __init__(self, listing: Any, handle: Handle) -> None:
        self._listing = listing
        self._handle = handle

    def next(self) -> DirectoryEntry | None:
        found: DirectoryEntry | None = self._listing.next()
        return found

    def close(self) -> None:
        self._listing.close()
        self._handle.close()


def open_place(place: Place, how: Opening) -> Any:
    """Open what is at a place; a directory to read, whatever was asked, but never to write like a file."""
    if place.is_folder:
        if how.open_flags >= {"create", "exclusive"}:
            raise FilesystemError("exist")
        node: Any = place.folder.reopen()
    else:
        node = _open_name(place, how)
    is_folder = hasattr(node, "enter")
    wrong = _misuse(how, is_folder)
    if wrong is not None:
        node.close()
        raise FilesystemError(wrong)
    return node


def _open_name(place: Place, how: Opening) -> Any:
    """Open a name; where only a directory will do, nothing is made or cut. A link here is one not to be followed."""
    if not place.slash and "directory" not in how.open_flags:
        return place.folder.open(place.name, how)
    if "create" in how.open_flags:
        raise FilesystemError("is-directory")
    found = place.folder.stat_at(place.name)
    if found.kind == "symbolic-link":
        raise FilesystemError("loop")
    _directory_if(True, found)
    return place.folder.open(place.name, Opening())


def _misuse(how: Opening, is_folder: bool) -> str | None:
    if is_folder:
        return "is-directory" if "write" in how.flags or how.open_flags & {"create", "truncate"} else None
    return "not-directory" if "directory" in how.open_flags else None


def _directory_if(wanted: bool, found: Stat) -> Stat:
    if wanted and found.kind != "directory":
        raise FilesystemError("not-directory")
    return found


def _named(place: Place, code: str) -> Place:
    """A place with a name that can be made or removed; `code` for a folder that is only pointed at."""
    if place.is_folder:
        raise FilesystemError(code)
    return place


def _new_file(place: Place) -> Place:
    """A place for a new name that is no directory's: a trailing slash can't be."""
    _named(place, "exist")
    if place.slash:
        place.folder.stat_at(place.name)
        raise FilesystemError("exist")
    return place
