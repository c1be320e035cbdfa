"""Where in the original module the code of a rewritten one comes from.

In: the pieces of code that were kept, as the rewriter puts them into place. Out: an offset in the rewritten binary as
one in the original, so that traps tell of the file that people have.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence


class Offsets:
    """Pieces of code by where they start, there and here."""

    __slots__ = ("_end", "_new", "_old", "_shift_new", "_shift_old")

    def __init__(self) -> None:
        self._new = array("Q", [0])
        self._old = array("Q", [0])
        self._end = self._shift_new = self._shift_old = 0

    def add_body(self, new_end: int, old_start: int, size: int, cuts: Sequence[tuple[int, int]]) -> None:
        """A body that ends at `new_end` in the rewritten section, and started at `old_start` in the original one.

        It is the original body of that size, with so many bytes put in before each of the `cuts`.
        """
        self._end = new_end
        new = new_end - size - sum(gap for _, gap in cuts)
        for start, gap in cuts:
            new += gap
            self._new.append(new + start)
            self._old.append(old_start + start)

    def place(self, new: int, old: int) -> None:
        """Say where the sections start in their files."""
        self._shift_new, self._shift_old = new, old

    def original(self, offset: int) -> int:
        """The offset in the original file; for what the rewriter put there, that of what comes next.

        0 for what is beyond the code, which an engine says now and then of code of its own.
        """
        at = offset - self._shift_new
        if at > self._end:
            return 0
        index = bisect_right(self._new, at) - 1
        if index < 0:
            return offset
        found = self._old[index] + at - self._new[index]
        if index + 1 < len(self._old):
            found = min(found, self._old[index + 1])
        return self._shift_old + found
