"""What descriptors of one mount share: where it is, whether it may be written, how many handles are left.

In: a folder and rules. Out: the answers that every descriptor asks for.
"""

from __future__ import annotations

from typing import Any, Literal

from wippywasm.dataclass import dataclass
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.quota import Handles


@dataclass(frozen=True, eq=False)
class Mount:
    """`guest` is the absolute path that the guest knows it by; `root` is a `backend.Folder`."""

    guest: str
    root: Any
    access: Literal["read", "write"]
    handles: Handles

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed."""
        return self.access == "read"

    def require_writable(self) -> None:
        """Raise `read-only` where nothing may be changed. Every way of changing something comes through here."""
        if self.read_only:
            raise FilesystemError("read-only")

    def close(self) -> None:
        """Let go of the folder; descriptors that were opened in it stay usable."""
        self.root.close()
