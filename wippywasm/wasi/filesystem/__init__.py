"""Files of guests: mounts that can't be left, of folders and in memory.

In: folders of the host and trees in memory, and where the guest finds them. Out: descriptors (`protocol`), and
`wasi:filesystem` over them.

From below: `host_*` and `memory_*` know single names in one folder (`backend`); `resolve` makes paths of them, and is
why no path leaves a mount; `directory` and `file` add the rules of a mount; `interfaces` is what guests import.

Spec: SPEC section 7.
"""

from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.memory import MemoryDirectory, MemoryLink
from wippywasm.wasi.filesystem.mounts import HostDirectory, Mounts, MountSource, mounts_from

__all__ = [
    "FilesystemError",
    "HostDirectory",
    "MemoryDirectory",
    "MemoryLink",
    "MountSource",
    "Mounts",
    "mounts_from",
]
