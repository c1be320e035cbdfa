"""A file descriptor of the operating system that is not closed under whoever uses it.

In: a number. Out: that number, inside of `with`. A file may be written in another thread while its guest drops it; were
the number closed then, it might already name someone else's file when the write comes.
"""

from __future__ import annotations

import os
from threading import Lock
from types import TracebackType

from wippywasm.wasi.filesystem.codes import FilesystemError


class _Number:
    """Closed with the last who holds it: owners, and those who use it just now."""

    __slots__ = ("holders", "lock", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.holders = 0
        self.lock = Lock()

    def let_go(self) -> None:
        with self.lock:
            self.holders -= 1
            last = not self.holders
        if last:
            os.close(self.number)


class Fd:
    """An owned descriptor. `with fd as number:` keeps it open; after `close` that raises `bad-descriptor`."""

    __slots__ = ("_closed", "_of")

    def __init__(self, number: int | _Number) -> None:
        self._of = number if isinstance(number, _Number) else _Number(number)
        self._closed = False
        with self._of.lock:
            self._of.holders += 1

    def __enter__(self) -> int:
        with self._of.lock:
            if self._closed:
                raise FilesystemError("bad-descriptor")
            self._of.holders += 1
        return self._of.number

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._of.let_go()

    def share(self) -> Fd:
        """Another owner of the same number."""
        with self:
            return Fd(self._of)

    def close(self) -> None:
        """Close it as soon as nobody else has or uses it."""
        with self._of.lock:
            was_closed, self._closed = self._closed, True
        if not was_closed:
            self._of.let_go()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.close()
