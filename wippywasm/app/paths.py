"""Files of an app, read safely.

In: paths written in definition files. Out: bytes, or a `PathError` that says what is wrong in the writer's words.

A path leads where its links lead: it is resolved first and must then lie inside its base. Only regular files are read
(a pipe would hang), and no more than a limit.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from wippywasm.app.suggest import did_you_mean

MAX_SOURCE_BYTES = 16 << 20
MAX_BINARY_BYTES = 1 << 30


class PathError(Exception):
    """A file that can't be had; `hint` says what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def inside(base: Path, path: str, root: Path, root_name: str) -> Path:
    """`path` relative to `base`, resolved; raises `PathError` where that is outside `root`."""
    if "\0" in path:
        raise PathError("a path can't have a NUL character")
    try:
        resolved = (base / path).resolve()
        outside = not resolved.is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:
        raise PathError(f"'{path}' leads nowhere: {_reason(error)}") from None
    if outside:
        raise PathError(f"'{path}' leads outside {root_name}", f"move the file into {root_name}")
    return resolved


def read_file(path: Path, shown: str, limit: int) -> bytes:
    """The bytes of a regular file; `shown` is how messages call it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        hint = did_you_mean(path.name, _siblings(path)) if isinstance(error, FileNotFoundError) else None
        raise PathError(f"can't read '{shown}': {_reason(error)}", hint) from None
    try:
        return _read_open(descriptor, shown, limit)
    finally:
        os.close(descriptor)


def read_text(path: Path, shown: str, limit: int = MAX_SOURCE_BYTES) -> str:
    """The UTF-8 text of a regular file."""
    return decode(read_file(path, shown, limit), shown)


def decode(data: bytes, shown: str) -> str:
    """UTF-8 bytes as text, without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PathError(f"'{shown}' is not UTF-8: byte {data[error.start]:#04x} on line {line}") from None


def _read_open(descriptor: int, shown: str, limit: int) -> bytes:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise PathError(f"'{shown}' is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise PathError(f"'{shown}' is not a regular file")
    if status.st_size > limit:
        raise PathError(f"'{shown}' has {status.st_size:,} bytes; the limit is {limit:,}")
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(limit)


def _siblings(path: Path) -> list[str]:
    try:
        return [name for name, _ in zip(os.listdir(path.parent), range(2000), strict=False)]
    except OSError:
        return []


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
