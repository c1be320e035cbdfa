"""Mounts: which folders a guest has, and where it finds them.

In: `mounts` of `Wasi`, or of an entry. Out: open mounts, and the descriptors that a guest starts with.

Spec: SPEC sections 3 (`wasi.mounts`) and 7; `wasi:filesystem/preopens`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, Union

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.directory import OpenDirectory
from wippywasm.wasi.filesystem.host_folder import open_host_folder
from wippywasm.wasi.filesystem.memory import MemoryDirectory
from wippywasm.wasi.filesystem.mount import Mount
from wippywasm.wasi.filesystem.quota import DEFAULT_MAX_HANDLES, Handle, Handles
from wippywasm.wasi.given import BOOL, TEXT, check, instance

_WHY = {
    "no-entry": "there is no such folder",
    "not-directory": "it is not a folder",
    "access": "this process may not read it",
    "not-permitted": "it belongs to the kernel (/proc, /sys, …), which no guest may enter",
}


@dataclass(frozen=True)
class HostDirectory:
    """A folder of the host. A guest may change what is in it, unless it is `read_only`. Raises InvalidError for what is
    no path."""

    path: str | os.PathLike[str]
    read_only: bool = False

    def __post_init__(self) -> None:
        check({"path": instance("a path", str, os.PathLike), "read_only": BOOL}, vars(self))


MountSource: TypeAlias = Union[str, "os.PathLike[str]", HostDirectory, MemoryDirectory]
"""What can be mounted; a plain path is a `HostDirectory` that may be written."""


class Mounts:
    """The open mounts of a guest, or of several that share them; raises InvalidError for what can't be mounted.

    `mounts` has absolute guest paths as keys. All files, directories and listings that guests have open at a time are
    `max_handles` at most; the mounts themselves are not counted. Closing it leaves open descriptors usable.
    """

    def __init__(self, mounts: Mapping[str, MountSource], *, max_handles: int = DEFAULT_MAX_HANDLES) -> None:
        self._handles = Handles(max_handles)
        self._mounts: list[Mount] = []
        try:
            for guest, source in _unique(mounts).items():
                self._mounts.append(_open(guest, source, self._handles))
        except InvalidError:
            self.close()
            raise

    def preopens(self) -> list[tuple[OpenDirectory, str]]:
        """New descriptors of all mounts, in their order, each with its guest path. However many guests have some, all
        are of one descriptor of the operating system."""
        return [(_root(mount), mount.guest) for mount in self._mounts]

    def close(self) -> None:
        """Let go of the folders."""
        while self._mounts:
            self._mounts.pop().close()


def mounts_from(
    entries: Iterable[Mapping[str, Any]], folder_of: Callable[[str], str | os.PathLike[str]]
) -> dict[str, HostDirectory]:
    """Mounts from an entry's `wasi.mounts`, `{fs, guest, read_only}`; `folder_of` knows the folder of an `fs`.

    Raises InvalidError for guest paths that are not absolute or are given twice.
    """
    found: dict[str, HostDirectory] = {}
    for entry in entries:
        guest = guest_path(entry["guest"])
        if guest in found:
            raise InvalidError(f"two mounts have the guest path {guest!r}")
        found[guest] = HostDirectory(folder_of(entry["fs"]), bool(entry.get("read_only")))
    return found


def guest_path(text: str) -> str:
    """A guest path without repeated or trailing slashes; raises InvalidError where it is not absolute and plain."""
    TEXT.require("a mount's guest path", text)
    names = [name for name in text.split("/") if name]
    if not text.startswith("/") or "." in names or ".." in names:
        raise InvalidError(f"a mount's guest path is absolute and has no '.' or '..', unlike {text!r}")
    return "/" + "/".join(names)


def _root(mount: Mount) -> OpenDirectory:
    flags = {"read"} if mount.read_only else {"read", "mutate-directory"}
    return OpenDirectory(mount, mount.root.share(), frozenset(flags), Handle(None))


def _unique(mounts: Mapping[str, MountSource]) -> dict[str, MountSource]:
    found: dict[str, MountSource] = {}
    for text, source in mounts.items():
        guest = guest_path(text)
        if guest in found:
            raise InvalidError(f"two mounts have the guest path {guest!r}")
        found[guest] = source
    return found


def _open(guest: str, source: MountSource, handles: Handles) -> Mount:
    if isinstance(source, str | os.PathLike):
        source = HostDirectory(source)
    if isinstance(source, MemoryDirectory):
        root: Any = source.open()
    elif isinstance(source, HostDirectory):
        root = _open_folder(guest, source)
    else:
        raise InvalidError(
            f"mount {guest!r} must be a path, a HostDirectory or a MemoryDirectory, not {type(source).__name__}"
        )
    return Mount(guest, root, "read" if source.read_only else "write", handles)


def _open_folder(guest: str, source: HostDirectory) -> Any:
    try:
        return open_host_folder(source.path)
    except FilesystemError as error:
        why = _WHY.get(error.code, error.code)
        raise InvalidError(f"folder {os.fspath(source.path)!r} can't be mounted at {guest!r}: {why}") from error
    except ValueError as error:
        raise InvalidError(f"folder {source.path!r} can't be mounted at {guest!r}: {error}") from error
