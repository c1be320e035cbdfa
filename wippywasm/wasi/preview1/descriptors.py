"""What a guest's descriptor numbers stand for.

In: standard streams, files, directories. Out: a table with the lowest free number first.

Spec: WASI preview 1, `fd`; `fdstat`.
"""

from __future__ import annotations

import heapq
from dataclasses import field
from typing import Any

from wippywasm.dataclass import dataclass
from wippywasm.wasi.filesystem.facts import Kind
from wippywasm.wasi.filesystem.protocol import DirectoryDescriptor, FileDescriptor
from wippywasm.wasi.preview1.codes import ErrnoError
from wippywasm.wasi.preview1.listing import Listing
from wippywasm.wasi.stdio import Stdin, Stdout
from wippywasm.wasi.streams import InputStream, OutputStream

MAX_DESCRIPTORS = 4096
"""A guest may have so many at once."""


class Input:
    """Standard input."""

    def __init__(self, stdin: Stdin) -> None:
        self.stream = InputStream(stdin.source, keep=True)
        self.kind: Kind = "character-device" if stdin.is_terminal else "unknown"

    def close(self) -> None:
        self.stream.close()


class Output:
    """Standard output, or standard error."""

    def __init__(self, stdout: Stdout) -> None:
        self.stream = OutputStream(stdout.sink, keep=True)
        self.kind: Kind = "character-device" if stdout.is_terminal else "unknown"

    def close(self) -> None:
        self.stream.close()


@dataclass(eq=False)
class File:
    """An open file, with what preview 1 keeps beside a descriptor. `fdflags` are names."""

    descriptor: FileDescriptor
    fdflags: frozenset[str] = frozenset()
    position: int = 0

    @property
    def appends(self) -> bool:
        """Whether all writes go to the end."""
        return "append" in self.fdflags

    def close(self) -> None:
        self.descriptor.close()


@dataclass(eq=False)
class Directory:
    """An open directory; `preopen` is the path under which the guest knows it from the start."""

    descriptor: DirectoryDescriptor
    preopen: str | None = None
    fdflags: frozenset[str] = frozenset()
    listing: Listing = field(init=False)

    def __post_init__(self) -> None:
        self.listing = Listing(self.descriptor)

    def close(self) -> None:
        self.listing.close()
        self.descriptor.close()


class Descriptors:
    """The descriptors of one guest."""

    def __init__(self) -> None:
        self._open: dict[int, Any] = {}
        self._free: list[int] = []
        self._next = 0

    def add(self, descriptor: Any) -> int:
        """Its number; raises `nfile` where there are too many, and closes it then."""
        if len(self._open) >= MAX_DESCRIPTORS:
            descriptor.close()
            raise ErrnoError("nfile")
        number = self._number()
        self._open[number] = descriptor
        return number

    def _number(self) -> int:
        while self._free:
            number = heapq.heappop(self._free)
            if number not in self._open:
                return number
        while self._next in self._open:
            self._next += 1
        self._next += 1
        return self._next - 1

    def get(self, number: int) -> Any:
        """The descriptor; raises `badf`."""
        found = self._open.get(number)
        if found is None:
            raise ErrnoError("badf")
        return found

    def file(self, number: int) -> File:
        """One that has to be a file; raises `badf`."""
        found = self.get(number)
        if not isinstance(found, File):
            raise ErrnoError("badf")
        return found

    def directory(self, number: int) -> Directory:
        """One that has to be a directory; raises `badf`, or `notdir` for a file."""
        found = self.on_disk(number)
        if not isinstance(found, Directory):
            raise ErrnoError("notdir")
        return found

    def on_disk(self, number: int) -> File | Directory:
        """A file or directory; raises `badf`."""
        found = self.get(number)
        if not isinstance(found, File | Directory):
            raise ErrnoError("badf")
        return found

    def close(self, number: int) -> None:
        """Close it; raises `badf`."""
        self.get(number).close()
        self._remove(number)

    def renumber(self, number: int, to: int) -> None:
        """Give it another number, that of an open one, which is closed; raises `badf`."""
        moved, replaced = self.get(number), self.get(to)
        if number == to:
            return
        self._remove(number)
        self._open[to] = moved
        replaced.close()

    def close_all(self) -> None:
        """At the guest's end."""
        left, self._open = self._open, {}
        for descriptor in left.values():
            descriptor.close()

    def _remove(self, number: int) -> None:
        del self._open[number]
        heapq.heappush(self._free, number)
