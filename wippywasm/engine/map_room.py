"""Guests that are refused before the process is out of memory maps. Where none is left wasmer panics or hangs, and a
new thread ends the process.

In: how many guests there are. Out: `UnavailableError` where there are hardly any maps left for one more. The kernel
does not tell how many are left, so as many as are wanted are made and given back, which takes 2 to 4 ms. That is done
again when there are so many more guests that they could have used them up; where one was refused, when there are fewer;
and now and then, since others have maps too.

Reference: Linux, `vm.max_map_count`; elsewhere there is no such bound.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import sys
import time
from ctypes import c_int, c_long, c_size_t, c_void_p
from functools import lru_cache

from wippywasm.engine.exhausted import exhausted

MARGIN = 1_000
"""Maps that are left to everything else."""
OF_A_GUEST = 32
"""One with a thread takes 18 to 30; a few that take more have the margin."""
AHEAD = 32
"""For how many more guests there is to be room, so that not each of them has to look."""
_AGAIN = 0.2
"""After how many seconds it is looked again."""
_PROT_NONE = 0
_FAILED = c_void_p(-1).value


class MapRoom:
    """Whether there is room for one more guest of some kind."""

    def __init__(self) -> None:
        self._enough_for = 0
        self._refused_with = math.inf
        self._until = 0.0

    def check(self, guests: int) -> None:
        """Raise `UnavailableError` where there is none for a guest beside so many."""
        if self._enough_for <= guests < self._refused_with or time.monotonic() >= self._until:
            self._look(guests)
        if guests >= self._enough_for:
            raise exhausted("another guest")

    def _look(self, guests: int) -> None:
        more = (maps_left(MARGIN + AHEAD * OF_A_GUEST) - MARGIN) // OF_A_GUEST
        self._enough_for, self._refused_with = (guests + more, math.inf) if more > 0 else (0, guests)
        self._until = time.monotonic() + _AGAIN


def maps_left(most: int) -> int:
    """How many more memory maps this process may have, up to about `most`."""
    if sys.platform != "linux":
        return most
    libc, page, size = _libc(), mmap.PAGESIZE, (most | 1) * mmap.PAGESIZE
    start: int = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if start == _FAILED:
        return 0
    made = 1
    for at in range(start + page, start + size - page, 2 * page):  # each is a map, and so is what comes after it
        if libc.mprotect(at, page, _PROT_NONE):
            break
        made += 2
    libc.munmap(start, size)
    return made


@lru_cache(maxsize=1)
def _libc() -> ctypes.PyDLL:
    """The C library, as calls that keep the interpreter: other threads would have it after each of a thousand."""
    libc = ctypes.PyDLL(None)
    libc.mmap.restype = c_void_p
    libc.mmap.argtypes = (c_void_p, c_size_t, c_int, c_int, c_int, c_long)
    libc.mprotect.argtypes = (c_void_p, c_size_t, c_int)
    libc.munmap.argtypes = (c_void_p, c_size_t)
    return libc
