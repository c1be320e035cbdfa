"""A folder of a tree in memory, open.

In: its node. Out: a `backend.Folder` with the rules of an operating system's: what replaces what, what is not empty,
what can't be moved into itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.facts import DirectoryEntry, NewTime, Opening, Stat
from wippywasm.wasi.filesystem.memory_file import MemoryFile
from wippywasm.wasi.filesystem.memory_nodes import AnyNode, FileNode, FolderNode, LinkNode


class MemoryFolder:
    """Implements `backend.Folder`."""

    on_disk = False

    def __init__(self, node: FolderNode) -> None:
        self._node = node
        self._lock = node.tree.lock
        self._open = True
        node.opens += 1

    def close(self) -> None:
        with self._lock:
            if self._open:
                self._open = False
                self._node.release(opens=1)

    # ---- itself

    def stat(self) -> Stat:
        with self._lock:
            return self._node.stat()

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        with self._lock:
            self._node.set_times(accessed, modified)

    def sync(self, *, data_only: bool) -> None:
        """Nothing is further away than memory."""

    def reopen(self) -> MemoryFolder:
        with self._lock:
            return MemoryFolder(self._node)

    def share(self) -> MemoryFolder:
        return self.reopen()

    def list(self) -> MemoryListing:
        with self._lock:
            return MemoryListing(self._node)

    # ---- opening

    def enter(self, name: bytes) -> MemoryFolder:
        with self._lock:
            node = self._find(name)
            if not isinstance(node, FolderNode):
                raise FilesystemError("not-directory")
            return MemoryFolder(node)

    def open(self, name: bytes, how: Opening) -> MemoryFile | MemoryFolder:
        with self._lock:
            node = self._node.children.get(name)
            if how.open_flags >= {"create", "exclusive"} and node is not None:
                raise FilesystemError("exist")
            if isinstance(node, LinkNode):
                raise FilesystemError("loop")
            if isinstance(node, FolderNode):
                return MemoryFolder(node)
            return self._file(name, node, how)

    def _file(self, name: bytes, node: FileNode | None, how: Opening) -> MemoryFile:
        if node is None:
            if "create" not in how.open_flags:
                raise FilesystemError("no-entry")
            node = FileNode(self._node.tree)
            self._add(name, node)
        if "truncate" in how.open_flags:
            node.resize(0)
        return MemoryFile(node)

    # ---- names

    def read_link(self, name: bytes) -> bytes:
        with self._lock:
            node = self._find(name)
            if not isinstance(node, LinkNode):
                raise FilesystemError("invalid")
            return node.target

    def stat_at(self, name: bytes) -> Stat:
        with self._lock:
            return self._find(name).stat()

    def set_times_at(self, name: bytes, accessed: NewTime, modified: NewTime) -> None:
        with self._lock:
            self._find(name).set_times(accessed, modified)

    def make_folder(self, name: bytes) -> None:
        with self._lock:
            self._refuse_existing(name)
            self._add(name, FolderNode(self._node.tree, self._node))

    def make_symlink(self, name: bytes, target: bytes) -> None:
        with self._lock:
            self._refuse_existing(name)
            self._add(name, LinkNode(self._node.tree, target))

    def make_link(self, name: bytes, to: MemoryFolder, new_name: bytes) -> None:
        with self._lock:
            node = self._find(name)
            if isinstance(node, FolderNode):
                raise FilesystemError("not-permitted")
            to._refuse_existing(new_name)
            to._node.require_linked()
            node.tree.take_name()
            to._node.put(new_name, node)
            node.links += 1

    def rename(self, name: bytes, to: MemoryFolder, new_name: bytes) -> None:
        with self._lock:
            node = self._find(name)
            old = to._node.children.get(new_name)
            if old is node:
                return
            if isinstance(node, FolderNode) and to._node.is_within(node):
                raise FilesystemError("invalid")
            if isinstance(old, FolderNode) and self._node.is_within(old):
                raise FilesystemError("not-empty")
            to._node.require_linked()
            if old is not None:
                to._replace(new_name, old, node)
            to._node.put(new_name, self._node.take(name))

    def remove_file(self, name: bytes) -> None:
        with self._lock:
            if isinstance(self._find(name), FolderNode):
                raise FilesystemError("is-directory")
            self._node.take(name).release(links=1)

    def remove_folder(self, name: bytes) -> None:
        with self._lock:
            node = self._find(name)
            if not isinstance(node, FolderNode):
                raise FilesystemError("not-directory")
            self._remove_folder(name, node)

    # ---- parts

    def _find(self, name: bytes) -> AnyNode:
        node = self._node.children.get(name)
        if node is None:
            raise FilesystemError("no-entry")
        return node

    def _refuse_existing(self, name: bytes) -> None:
        if name in self._node.children:
            raise FilesystemError("exist")

    def _add(self, name: bytes, node: AnyNode) -> None:
        try:
            self._node.put(name, node)
        except FilesystemError:
            node.release(links=1)
            raise

    def _replace(self, name: bytes, old: AnyNode, new: AnyNode) -> None:
        """Make room for another."""
        if isinstance(old, FolderNode):
            if not isinstance(new, FolderNode):
                raise FilesystemError("is-directory")
            self._remove_folder(name, old)
            return
        if isinstance(new, FolderNode):
            raise FilesystemError("not-directory")
        self._node.take(name).release(links=1)

    def _remove_folder(self, name: bytes, node: FolderNode) -> None:
        if node.children:
            raise FilesystemError("not-empty")
        self._node.take(name).release(links=1)


class MemoryListing:
    """Implements `backend.Listing`: the names there were when it began, those of them that are there still."""

    def __init__(self, node: FolderNode) -> None:
        self._node = node
        self._names: Iterator[bytes] = iter(tuple(node.children))

    def next(self) -> DirectoryEntry | None:
        with self._node.tree.lock:
            for name in self._names:
                child = self._node.children.get(name)
                if child is not None:
                    return DirectoryEntry(child.kind, name.decode(), child.inode)
        return None

    def close(self) -> None:
        self._names = iter(())
