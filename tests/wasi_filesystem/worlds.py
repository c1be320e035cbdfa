"""A mount with traps in it, and something outside that must stay as it is.

outside/secret.txt, outside/dir/inner.txt, outside/marker
inside/                     the mount
    file.txt, dir/nested/deep.txt, dir/sub/, marker
    within -> dir/nested    to_file -> file.txt      dir/back -> ../file.txt
    up -> ../outside        up_file -> ../outside/secret.txt
    absolute -> /…/outside  absolute_file -> /…/secret.txt
    chain_0 -> chain_1 -> … -> chain_4 -> up         loop -> loop
    dangling -> nothing     dir/nested/over -> ../../../outside
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wippywasm.errors import WitError
from wippywasm.wasi.filesystem import FilesystemError, HostDirectory, MemoryDirectory, MemoryLink, Mounts
from wippywasm.wasi.filesystem.descriptor import Descriptor
from wippywasm.wasi.filesystem.directory import OpenDirectory
from wippywasm.wasi.filesystem.facts import Opening
from wippywasm.wasi.filesystem.file import OpenFile

SECRET = b"SECRET"
INSIDE = b"inside"

READ = Opening()
WRITE = Opening(frozenset({"write"}))
BOTH = Opening(frozenset({"read", "write"}))
CREATE = Opening(frozenset({"read", "write"}), frozenset({"create"}))
NEW = Opening(frozenset({"read", "write"}), frozenset({"create", "exclusive"}))
TRUNCATE = Opening(frozenset({"write"}), frozenset({"truncate"}))
DIRECTORY = Opening(frozenset({"read"}), frozenset({"directory"}))

LINKS = {
    "within": "dir/nested",
    "to_file": "file.txt",
    "dir/back": "../file.txt",
    "up": "../outside",
    "up_file": "../outside/secret.txt",
    **{f"chain_{i}": f"chain_{i + 1}" for i in range(4)},
    "chain_4": "up",
    "loop": "loop",
    "dangling": "nothing",
    "dir/nested/over": "../../../outside",
}


@dataclass
class World:
    """`root` is a descriptor of the mount; `folder` the mount's, or None for one in memory."""

    root: OpenDirectory
    mounts: Mounts
    folder: Path | None
    outside: Path


def plant(folder: Path, outside: Path) -> None:
    """Make the tree above."""
    (outside / "dir").mkdir(parents=True)
    (outside / "secret.txt").write_bytes(SECRET)
    (outside / "dir" / "inner.txt").write_bytes(SECRET)
    (outside / "marker").write_bytes(SECRET)
    (folder / "dir" / "nested").mkdir(parents=True)
    (folder / "dir" / "sub").mkdir()
    for name in ("file.txt", "dir/nested/deep.txt", "marker"):
        (folder / name).write_bytes(INSIDE)
    for name, target in links(outside).items():
        (folder / name).symlink_to(target)


def links(outside: Path) -> dict[str, str]:
    return {**LINKS, "absolute": str(outside), "absolute_file": str(outside / "secret.txt")}


def in_memory(outside: Path, *, read_only: bool = False) -> MemoryDirectory:
    """The same tree, of plain mappings."""
    tree: dict[str, Any] = {
        "file.txt": INSIDE,
        "marker": INSIDE,
        "dir": {"nested": {"deep.txt": INSIDE}, "sub": {}},
    }
    for name, target in links(outside).items():
        *folders, last = name.split("/")
        into = tree
        for folder in folders:
            into = into[folder]
        into[last] = MemoryLink(target)
    return MemoryDirectory(tree, read_only=read_only)


def make_world(tmp: Path, kind: str, *, read_only: bool = False) -> World:
    """A world whose mount is a `folder` or in `memory`."""
    folder, outside = tmp / "inside", tmp / "outside"
    plant(folder, outside)
    if kind == "memory":
        return memory_world(outside, read_only=read_only)
    mounts = Mounts({"/": HostDirectory(folder, read_only)})
    return World(mounts.preopens()[0][0], mounts, folder, outside)


def memory_world(outside: Path, *, read_only: bool = False) -> World:
    """A world in memory, whose absolute links name a folder that is there."""
    mounts = Mounts({"/": in_memory(outside, read_only=read_only)})
    return World(mounts.preopens()[0][0], mounts, None, outside)


def snapshot(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Everything there: kinds, contents, times, links; what an operation on it would change."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted([folder, *folder.rglob("*")]):
        stat = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (stat.st_mode, stat.st_nlink, stat.st_mtime_ns, stat.st_ino, content)
    return found


def refusal(function: Callable[..., Any], *args: Any, **keywords: Any) -> str:
    """The code that a call is refused with; that it is not refused is a failure."""
    try:
        value = function(*args, **keywords)
    except FilesystemError as error:
        return error.code
    raise AssertionError(f"not refused: {value!r}")


def read_all(root: OpenDirectory, path: str, *, follow: bool = True) -> bytes:
    """A file's contents, by way of a descriptor."""
    file = root.open_at(path, READ, follow=follow)
    assert isinstance(file, OpenFile)
    try:
        return file.read(1 << 16, 0)
    finally:
        file.close()


def names(root: OpenDirectory) -> list[str]:
    """What a listing gives, sorted."""
    reader = root.entries()
    found = []
    while (entry := reader.next()) is not None:
        found.append(entry.name)
    reader.close()
    return sorted(found)


def new(root: Descriptor, name: str = "new") -> Descriptor:
    """A new file to read and write."""
    return root.open_at(set(), name, {"create", "exclusive"}, {"read", "write"})


def code(function: Callable[..., Any], *args: Any) -> object:
    """What a guest gets as the error of a call; that there is none is a failure."""
    try:
        value = function(*args)
    except WitError as error:
        return error.payload
    raise AssertionError(f"not refused: {value!r}")


async def settled(value: Any) -> Any:
    """The value, waited for where it has to be."""
    return await value if hasattr(value, "__await__") else value
