"""`wasi:filesystem`: the interfaces that a guest imports.

In: mounts. Out: `types` and `preopens`.

Spec: `wasi:filesystem/types`, `wasi:filesystem/preopens`.
"""

from __future__ import annotations

from wippywasm.errors import Trap
from wippywasm.instance.offered import HostInterface
from wippywasm.wasi.filesystem.codes import ERROR_CODES, FilesystemError
from wippywasm.wasi.filesystem.descriptor import Descriptor, DirectoryEntryStream
from wippywasm.wasi.filesystem.mounts import Mounts
from wippywasm.wasi.stream_errors import IoError


class FilesystemTypes(HostInterface):
    """`wasi:filesystem/types`."""

    wit = "wasi:filesystem/types"

    Descriptor = Descriptor
    DirectoryEntryStream = DirectoryEntryStream

    def filesystem_error_code(self, err: IoError) -> str | None:
        cause = err.cause
        return cause if isinstance(cause, str) and cause in ERROR_CODES else None


class Preopens(HostInterface):
    """`wasi:filesystem/preopens`."""

    wit = "wasi:filesystem/preopens"

    def __init__(self, mounts: Mounts) -> None:
        self._mounts = mounts

    def get_directories(self) -> list[tuple[Descriptor, str]]:
        """New descriptors at each call; traps where the guest has too many open already."""
        try:
            return [(Descriptor(directory), guest) for directory, guest in self._mounts.preopens()]
        except FilesystemError as error:
            raise Trap(f"the mounts can't be opened: {error.code}", code="too many handles") from error
