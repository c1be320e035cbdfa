"""Custom sections that tools leave: a module's name, and producers.

In: the custom sections of a module or component. Out: plain mappings. These sections never
make a binary invalid, so whatever is broken in them is left out, and what is beyond a bound is not read.

Spec: WebAssembly core, `appendix/custom`; tool-conventions, `ProducersSection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from wippywasm.binary.component import CustomSection
from wippywasm.binary.reader import Reader
from wippywasm.errors import MalformedError

MODULE_SUBSECTION = 0

Producers = Mapping[str, tuple[tuple[str, str], ...]]
MOST_PRODUCERS = 1_000
"""The fields and tools read of all producers sections of a file; each takes up to fifty times its bytes."""


def read_module_name(customs: Iterable[CustomSection]) -> str | None:
    """The module's name: subsections come in the order of their numbers, of which its is the least."""
    for custom in customs:
        if custom.name == "name":
            reader = Reader(custom.data)
            with suppress(MalformedError):
                if reader.left and reader.byte() == MODULE_SUBSECTION:
                    return reader.sub(reader.u32()).name()
    return None


class ProducersReader:
    """Reads the producers sections of the parts of a file, up to `MOST_PRODUCERS` fields and tools of all of them."""

    def __init__(self) -> None:
        self.left = MOST_PRODUCERS

    def read(self, customs: Iterable[CustomSection]) -> Producers:
        """Field → (name, version) pairs."""
        fields: dict[str, tuple[tuple[str, str], ...]] = {}
        for custom in customs:
            if custom.name == "producers":
                with suppress(MalformedError):
                    fields.update(self._fields(Reader(custom.data)))
        return fields

    def _fields(self, reader: Reader) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        for _ in range(reader.count()):
            if not self._take(1):
                return
            field = reader.name()
            yield field, tuple([(reader.name(), reader.name()) for _ in range(self._take(reader.count()))])

    def _take(self, count: int) -> int:
        """How many of so many are read."""
        taken = min(count, self.left)
        self.left -= taken
        return taken
