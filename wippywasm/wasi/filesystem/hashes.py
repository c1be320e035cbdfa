"""A hash that names a file and changes with it.

In: what is known of a file. Out: 128 bits. The lower half depends on which file it is and on nothing else, because C
libraries make `st_ino` of it; the upper half changes with size and time of change too. A secret of this process keeps
device and inode numbers from being computed from it.

Spec: `wasi:filesystem/types`, `metadata-hash`.
"""

from __future__ import annotations

import struct
from functools import cache
from hashlib import blake2b
from secrets import token_bytes

from wippywasm.wasi.filesystem.facts import Stat


def metadata_hash(stat: Stat) -> dict[str, int]:
    """The record `metadata-hash-value`."""
    return {
        "lower": _hash(stat.device, stat.inode),
        "upper": _hash(stat.device, stat.inode, stat.size, stat.modified, stat.changed),
    }


def _hash(*numbers: int) -> int:
    data = b"".join((n % (1 << 64)).to_bytes(8, "little") for n in numbers)
    (value,) = struct.unpack("<Q", blake2b(data, digest_size=8, key=_secret()).digest())
    return int(value)


@cache
def _secret() -> bytes:
    return token_bytes(32)
