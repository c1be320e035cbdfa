"""Directories in memory, for library use: `Wasi(mounts={"/data": MemoryDirectory({"in.csv": "a,b"})})`.

In: contents as plain mappings. Out: something to mount, and its contents after a guest has worked on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias, Union

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.facts import Opening
from wippywasm.wasi.filesystem.memory_folder import MemoryFolder
from wippywasm.wasi.filesystem.memory_nodes import (
    DEFAULT_MAX_BYTES,
    DEFAULT_MAX_NODES,
    FileNode,
    FolderNode,
    LinkNode,
    Tree,
)
from wippywasm.wasi.filesystem.paths import parse_path
from wippywasm.wasi.given import BOOL, COUNT, MAPPING, TEXT, check, or_none

_KINDS: Final = {"contents": or_none(MAPPING), "read_only": BOOL, "max_bytes": COUNT, "max_nodes": COUNT}


@dataclass(frozen=True)
class MemoryLink:
    """A symbolic link among the contents; raises InvalidError for a target that is no path."""

    target: str

    def __post_init__(self) -> None:
        TEXT.require("target", self.target)
        if not self.target:
            raise InvalidError("target must not be empty", hint="a link leads to a path")


Contents: TypeAlias = Mapping[str, Union[bytes, str, MemoryLink, "Contents"]]
"""Names to bytes, text (as UTF-8), links, or further contents."""


class MemoryDirectory:
    """A directory in memory, with `contents` to start with.

    It holds at most `max_bytes` bytes in `max_nodes` files (each name of one counts), links and directories; a guest
    that writes more gets `insufficient-space`. It lasts as long as this object and may be mounted by several guests at
    once, also from several threads. Raises InvalidError for names that no file can have, contents that are
    none or do not fit, and arguments of another kind.
    """

    def __init__(
        self,
        contents: Contents | None = None,
        *,
        read_only: bool = False,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_nodes: int = DEFAULT_MAX_NODES,
    ) -> None:
        given = {"contents": contents, "read_only": read_only, "max_bytes": max_bytes, "max_nodes": max_nodes}
        check(_KINDS, given)
        self.read_only = read_only
        self._root = FolderNode(Tree(max_bytes, max_nodes), None)
        _fill(self.open(), contents or {})

    def open(self) -> MemoryFolder:
        """The folder, for a mount."""
        return MemoryFolder(self._root)

    def tree(self) -> dict[str, object]:
        """All contents now: bytes, `MemoryLink`s, and dicts for directories."""
        with self._root.tree.lock:
            return _contents(self._root)

    def read(self, path: str) -> bytes:
        """A file's bytes; links are not followed. Raises FilesystemError."""
        node: object = self._root
        for name in parse_path(path).names:
            node = node.children.get(name) if isinstance(node, FolderNode) else None
        if not isinstance(node, FileNode):
            raise FilesystemError("no-entry" if node is None else "is-directory")
        return bytes(node.data)


def _fill(root: MemoryFolder, contents: Contents) -> None:
    todo: list[tuple[MemoryFolder, str, Contents]] = [(root, "", contents)]
    while todo:
        folder, where, items = todo.pop()
        for name, item in items.items():
            try:
                inner = _put(folder, where, name, item)
            except FilesystemError as error:
                raise InvalidError(f"contents of {where}{name!r} do not fit: {error.code}") from error
            if isinstance(item, Mapping):
                todo.append((inner, f"{where}{name}/", item))
        folder.close()


def _put(folder: MemoryFolder, where: str, text: str, item: object) -> MemoryFolder:
    name = _name(where, text)
    if isinstance(item, Mapping):
        folder.make_folder(name)
        return folder.enter(name)
    if isinstance(item, MemoryLink):
        folder.make_symlink(name, item.target.encode())
    elif isinstance(item, str | bytes | bytearray | memoryview):
        _write(folder, name, _bytes(where, text, item))
    else:
        raise InvalidError(f"contents of {where}{text!r}: expected bytes, text or a mapping, got {type(item).__name__}")
    return folder


def _bytes(where: str, text: str, item: str | bytes | bytearray | memoryview) -> bytes:
    try:
        return item.encode() if isinstance(item, str) else bytes(item)
    except UnicodeEncodeError as error:
        raise InvalidError(f"contents of {where}{text!r} have a lone surrogate, which is no UTF-8") from error


def _name(where: str, text: str) -> bytes:
    if not isinstance(text, str):
        raise InvalidError(f"contents{f' of {where}' if where else ''} must have texts as names, not {text!r}")
    try:
        path = parse_path(text)
    except FilesystemError as error:
        raise InvalidError(f"no file can be called {where}{text!r}: {error.code}") from error
    if len(path.names) != 1 or path.slash or path.names[0] in (b".", b".."):
        raise InvalidError(f"no file can be called {where}{text!r}", hint="nest mappings for directories")
    return path.names[0]


def _write(folder: MemoryFolder, name: bytes, data: bytes) -> None:
    file = folder.open(name, Opening(frozenset({"write"}), frozenset({"create"})))
    assert not isinstance(file, MemoryFolder)
    file.write(data, 0)
    file.close()


def _contents(node: FolderNode) -> dict[str, object]:
    found: dict[str, object] = {}
    todo = [(node, found)]
    while todo:
        folder, into = todo.pop()
        for name, child in folder.children.items():
            if isinstance(child, FolderNode):
                inner: dict[str, object] = {}
                into[name.decode()] = inner
                todo.append((child, inner))
            else:
                into[name.decode()] = (
                    MemoryLink(child.target.decode()) if isinstance(child, LinkNode) else bytes(child.data)
                )
    return found
