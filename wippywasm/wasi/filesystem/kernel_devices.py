"""File systems that are doors into the kernel: no guest gets in, even where a mount has them inside.

In: the device number of a folder. Out: whether it belongs to `/proc`, `/sys` or the like, whose regular files are the
memory of processes, the kernel's settings and links to other people's open files.

Only asked where a path crosses from one file system to another, so the answer is always read anew.
"""

from __future__ import annotations

import os
from typing import Final

from wippywasm.wasi.filesystem.codes import FilesystemError

_MOUNTS = "/proc/self/mountinfo"
_TYPES: Final = frozenset(
    {
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "efivarfs",
        "fusectl",
        "hugetlbfs",
        "mqueue",
        "nfsd",
        "nsfs",
        "pipefs",
        "proc",
        "pstore",
        "resctrl",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "smackfs",
        "sockfs",
        "sysfs",
        "tracefs",
    }
)


def refuse_kernel_device(device: int) -> None:
    """Raise `not-permitted` for a device number of such a file system."""
    if device in kernel_devices():
        raise FilesystemError("not-permitted")


def kernel_devices() -> frozenset[int]:
    """The device numbers of those that are mounted; none where there is no `/proc`."""
    try:
        with open(_MOUNTS, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return frozenset()
    return frozenset(number for line in lines if (number := _kernel_device(line)) is not None)


def _kernel_device(line: bytes) -> int | None:
    before, _, after = line.partition(b" - ")
    if after.split(b" ", 1)[0].decode("ascii", "replace") not in _TYPES:
        return None
    major, _, minor = before.split(b" ")[2].partition(b":")
    return os.makedev(int(major), int(minor))
