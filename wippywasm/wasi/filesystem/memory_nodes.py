"""What a tree in memory is made of, and what it may hold.

In: bytes and names. Out: nodes that know their links, times and size, and a budget that is shared by a whole tree, so
that a guest can't fill the host's memory: what is removed is given back once nobody has it open.
"""

from __future__ import annotations

import itertools
import time
from threading import RLock
from typing import Final, TypeAlias

from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.facts import Kind, NewTime, Stat

DEFAULT_MAX_BYTES: Final = 64 << 20
DEFAULT_MAX_NODES: Final = 10_000
_DEVICES = itertools.count(1)
_MEMORY_DEVICE: Final = 1 << 63
"""Device numbers from here on are of trees in memory."""


class Tree:
    """One tree: its lock, its device number, and what may still be put in it."""

    def __init__(self, max_bytes: int, max_nodes: int) -> None:
        self.lock = RLock()
        self.device = _MEMORY_DEVICE + next(_DEVICES)
        self._bytes = max_bytes
        self._nodes = max_nodes
        self._inodes = itertools.count(1)

    def new_inode(self, size: int) -> int:
        """Count a node of that size."""
        self._require_name()
        self.take(size)
        self._nodes -= 1
        return next(self._inodes)

    def take_name(self) -> None:
        """Count a further name of a node: it takes room as a node does."""
        self._require_name()
        self._nodes -= 1

    def give_names(self, count: int) -> None:
        """So many further names are gone."""
        self._nodes += count

    def _require_name(self) -> None:
        if not self._nodes:
            raise FilesystemError("insufficient-space")

    def take(self, count: int) -> None:
        """Count bytes; a negative count gives back."""
        if count > self._bytes:
            raise FilesystemError("insufficient-space")
        self._bytes -= count

    def free(self, count: int) -> None:
        """A node of that size is gone."""
        self._bytes += count
        self._nodes += 1


class _Node:
    kind: Kind = "unknown"

    def __init__(self, tree: Tree, size: int = 0) -> None:
        self.tree = tree
        self.inode = tree.new_inode(size)
        self.links = 1
        self.opens = 0
        self.accessed = self.modified = self.changed = time.time_ns()

    @property
    def size(self) -> int:
        return 0

    def stat(self) -> Stat:
        return Stat(
            self.kind,
            self.links,
            self.size,
            self.accessed,
            self.modified,
            self.changed,
            self.tree.device,
            self.inode,
        )

    def set_times(self, accessed: NewTime, modified: NewTime) -> None:
        now = time.time_ns()
        self.accessed = self.accessed if accessed is None else now if accessed == "now" else accessed
        self.modified = self.modified if modified is None else now if modified == "now" else modified
        self.changed = now

    def touch(self) -> None:
        """It was changed."""
        self.modified = self.changed = time.time_ns()

    def release(self, *, links: int = 0, opens: int = 0) -> None:
        """So many names or handles fewer; frees it after the last."""
        self.links -= links
        self.opens -= opens
        self.changed = time.time_ns()
        self.tree.give_names(links if self.links else 0)
        if not self.links and not self.opens:
            self.tree.free(self.size)


class FileNode(_Node):
    kind: Kind = "regular-file"

    def __init__(self, tree: Tree) -> None:
        super().__init__(tree)
        self.data = bytearray()

    @property
    def size(self) -> int:
        return len(self.data)

    def write(self, data: bytes, offset: int) -> int:
        """Write all of it; fills up with zeroes before."""
        self.grow(offset + len(data))
        self.data[offset : offset + len(data)] = data
        self.touch()
        return len(data)

    def grow(self, size: int) -> None:
        """Make it at least that long."""
        missing = size - len(self.data)
        if missing > 0:
            self.tree.take(missing)
            self.data += bytes(missing)

    def resize(self, size: int) -> None:
        """Make it just that long."""
        self.grow(size)
        self.tree.take(size - len(self.data))
        del self.data[size:]
        self.touch()


class LinkNode(_Node):
    kind: Kind = "symbolic-link"

    def __init__(self, tree: Tree, target: bytes) -> None:
        super().__init__(tree, len(target))
        self.target = target

    @property
    def size(self) -> int:
        return len(self.target)


class FolderNode(_Node):
    kind: Kind = "directory"

    def __init__(self, tree: Tree, parent: FolderNode | None) -> None:
        super().__init__(tree)
        self.parent = parent
        self.children: dict[bytes, AnyNode] = {}

    def put(self, name: bytes, node: AnyNode) -> None:
        """Give it a name here."""
        self.require_linked()
        self.children[name] = node
        if isinstance(node, FolderNode):
            node.parent = self
        self.touch()

    def require_linked(self) -> None:
        """Refuse new names in a folder that was removed itself."""
        if not self.links:
            raise FilesystemError("no-entry")

    def take(self, name: bytes) -> AnyNode:
        """Remove a name, not what it names."""
        self.touch()
        return self.children.pop(name)

    def is_within(self, other: FolderNode) -> bool:
        """Whether this is the other one, or somewhere below it."""
        folder: FolderNode | None = self
        while folder is not None and folder is not other:
            folder = folder.parent
        return folder is not None


AnyNode: TypeAlias = FileNode | FolderNode | LinkNode
