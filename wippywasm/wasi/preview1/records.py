"""Structures and flags of preview 1, as they lie in memory.

In: values. Out: bytes, and back.

Spec: WASI preview 1, types.
"""

from __future__ import annotations

import struct

from wippywasm.dataclass import dataclass
from wippywasm.wasi.filesystem.facts import Kind, Stat
from wippywasm.wasi.preview1.codes import ErrnoError

_M64 = (1 << 64) - 1

FILETYPE: dict[Kind, int] = {
    "unknown": 0,
    "block-device": 1,
    "character-device": 2,
    "directory": 3,
    "regular-file": 4,
    "socket": 6,
    "symbolic-link": 7,
    "fifo": 0,
}

FDFLAGS = {"append": 1, "data-integrity-sync": 2, "nonblock": 4, "requested-write-sync": 8, "file-integrity-sync": 16}
OFLAGS = {"create": 1, "directory": 2, "exclusive": 4, "truncate": 8}
LOOKUP = {"symlink-follow": 1}
FSTFLAGS = {"accessed": 1, "accessed-now": 2, "modified": 4, "modified-now": 8}
ADVICE = ("normal", "sequential", "random", "will-need", "dont-need", "no-reuse")

FD_READ = 1 << 1
FD_WRITE = 1 << 6
FD_READDIR = 1 << 14
ALL_RIGHTS = (1 << 30) - 1
"""Rights tell guests what they may try; what is refused is refused by mounts and descriptors, not by them."""
PREOPEN_RIGHTS = 0x07B7_FE00
"""`path-*` except those on sizes, `fd-readdir`, and stat and times of descriptors."""
INHERITED_RIGHTS = 0x0FF7_FFFF
_SIZES = 1 << 2 | 1 << 19 | 1 << 22
"""`fd-seek` and what sets sizes: nothing for a directory."""


def rights_of(kind: Kind, opened_for: frozenset[str]) -> int:
    """The rights of what was opened for those `descriptor-flags`."""
    found = ALL_RIGHTS & ~_SIZES if kind == "directory" else ALL_RIGHTS
    if "read" not in opened_for:
        found &= ~(FD_READ | FD_READDIR)
    return found if "write" in opened_for else found & ~FD_WRITE


def flags(bits: int, known: dict[str, int]) -> frozenset[str]:
    """The names of set bits; `inval` where one has none."""
    if bits & ~sum(known.values()):
        raise ErrnoError("inval")
    return frozenset(name for name, bit in known.items() if bits & bit)


def bits_of(names: frozenset[str], known: dict[str, int]) -> int:
    """The other way round."""
    return sum(bit for name, bit in known.items() if name in names)


def fdstat(kind: Kind, fdflags: int, base: int, inheriting: int) -> bytes:
    """`fdstat`, 24 bytes."""
    return struct.pack("<BxHxxxxQQ", FILETYPE[kind], fdflags, base, inheriting)


def filestat(stat: Stat) -> bytes:
    """`filestat`, 64 bytes."""
    times = (stat.accessed, stat.modified, stat.changed)
    device, inode = stat.device & _M64, stat.inode & _M64
    return struct.pack("<QQB7xQQQQQ", device, inode, FILETYPE[stat.kind], stat.links, stat.size, *_clamped(times))


def _clamped(times: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(min(max(t, 0), _M64) for t in times)


def dirent(next_cookie: int, inode: int, kind: Kind, name: bytes) -> bytes:
    """`dirent`, 24 bytes, and the name behind it."""
    return struct.pack("<QQIB3x", next_cookie, inode & _M64, len(name), FILETYPE[kind]) + name


@dataclass(frozen=True)
class Subscription:
    """One thing to wait for: `tag` 0 is a clock (`clock`, `timeout` in nanoseconds, `absolute`), 1 reading from `fd`,
    2 writing to it."""

    userdata: int
    tag: int
    fd: int
    timeout: int
    flags: int

    @property
    def clock(self) -> int:
        return self.fd

    @property
    def absolute(self) -> bool:
        return bool(self.flags & 1)


SUBSCRIPTION_SIZE = 48
EVENT_SIZE = 32


def subscription(data: bytes) -> Subscription:
    """`subscription`, 48 bytes; `inval` where its tag or a flag is not known."""
    userdata, tag, fd, timeout, bits = struct.unpack("<QB7xI4xQ8xH6x", data)
    if tag > 2 or (tag == 0 and bits & ~1):
        raise ErrnoError("inval")
    return Subscription(userdata, tag, fd, timeout, bits)


def event(userdata: int, error: int, tag: int, size: int = 0, hangup: int = 0) -> bytes:
    """`event`, 32 bytes."""
    return struct.pack("<QHBxxxxxQHxxxxxx", userdata, error, tag, size, hangup)
