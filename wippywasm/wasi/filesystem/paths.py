"""A guest's path taken apart.

In: the text that a guest gave, or the target of a link. Out: names that are safe to hand to the operating system one
by one. Nothing is looked up here, and nothing is decided by comparing beginnings of paths.

Spec: `wasi:filesystem/types` (paths are relative to a descriptor).
"""

from __future__ import annotations

from typing import Final

from wippywasm.dataclass import dataclass
from wippywasm.wasi.filesystem.codes import FilesystemError

MAX_PATH_BYTES: Final = 4096
MAX_NAME_BYTES: Final = 255


@dataclass(frozen=True)
class RelativePath:
    """`names` are not empty and have neither slash nor NUL; `.` is only ever the last. `slash` asks for a directory."""

    names: tuple[bytes, ...]
    slash: bool


def parse_path(text: str) -> RelativePath:
    """A path as a guest gives it; raises FilesystemError for one that could name nothing inside."""
    try:
        return parse_bytes(text.encode())
    except UnicodeEncodeError as error:
        raise FilesystemError("illegal-byte-sequence") from error


def parse_bytes(path: bytes) -> RelativePath:
    """The same, of the bytes of a link's target."""
    if not path:
        raise FilesystemError("no-entry")
    if b"\0" in path:
        raise FilesystemError("invalid")
    if path.startswith(b"/"):
        raise FilesystemError("not-permitted")
    if len(path) > MAX_PATH_BYTES:
        raise FilesystemError("name-too-long")
    *middle, last = path.rstrip(b"/").split(b"/")
    names = (*(name for name in middle if name not in (b"", b".")), last)
    if any(len(name) > MAX_NAME_BYTES for name in names):
        raise FilesystemError("name-too-long")
    return RelativePath(names, path.endswith(b"/"))
