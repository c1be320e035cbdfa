"""How many files, directories and listings a guest may have open.

In: a limit. Out: a count that refuses the next one with `quota`.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

from wippywasm.wasi.filesystem.codes import FilesystemError

DEFAULT_MAX_HANDLES: Final = 512


class Handles:
    """The open handles of one guest, or of several, perhaps in several threads."""

    def __init__(self, limit: int = DEFAULT_MAX_HANDLES) -> None:
        self._left = limit
        self._lock = Lock()

    def take(self) -> Handle:
        """Count one more; raises `quota` after the last."""
        with self._lock:
            if self._left <= 0:
                raise FilesystemError("quota")
            self._left -= 1
        return Handle(self)

    def give_back(self) -> None:
        with self._lock:
            self._left += 1


class Handle:
    """One that is counted until it is closed; closing it twice is harmless. Of nothing, it is not counted."""

    __slots__ = ("_of",)

    def __init__(self, of: Handles | None) -> None:
        self._of = of

    def close(self) -> None:
        if self._of is not None:
            self._of.give_back()
            self._of = None
