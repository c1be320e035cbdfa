"""A file descriptor of the operating system that is not closed under whoever uses it.

In: a number. Out: that number, inside of `with`. A file may be written in another thread while its guest drops it; were
the number closed then, it might already name someone else's file when the write comes.
"""

from __future__ import annotations

import os
from threading import Lock
from types import TracebackType

from wippywasm.wasi.filesystem.codes import FilesystemError


class Fd:
    """An owned descriptor. `with fd as number:` keeps it open; after `close` that raises `bad-descriptor`."""

    __slots__ = ("_closed", "_lock", "_number", "_users")

    def __init__(self, number: int) -> None:
        self._number = number
        self._users = 0
        self._closed = False
        self._lock = Lock()

    def __enter__(self) -> int:
        with self._lock:
            if self._closed:
                raise FilesystemError("bad-descriptor")
            self._users += 1
            return self._number

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with self._lock:
            self._users -= 1
            last = self._closed and not self._users
        if last:
            os.close(self._number)

    def close(self) -> None:
        """Close it as soon as nobody uses it."""
        with self._lock:
            last = not self._closed and not self._users
            self._closed = True
        if last:
            os.close(self._number)

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.close()
