"""Custom sections that tools leave: names and producers.

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
FUNCTION_SUBSECTION = 1

Producers = Mapping[str, tuple[tuple[str, str], ...]]
MOST_PRODUCERS = 1_000
"""The fields and tools read of all producers sections of a file; each takes up to fifty times its bytes."""


def read_function_names(customs: Iterable[CustomSection]) -> dict[int, str]:
    """Function index → name."""
    names: dict[int, str] = {}
    for body in _name_subsections(customs, FUNCTION_SUBSECTION):
        try:
            for _ in range(body.count()):
                index = body.u32()
                names[index] = body.name()
        except MalformedError:
            break
    return names


def read_module_name(customs: Iterable[CustomSection]) -> str | None:
    """The module's name."""
    for body in _name_subsections(customs, MODULE_SUBSECTION):
        try:
            return body.name()
        except MalformedError:
            return None
    return None


def _name_subsections(customs: Iterable[CustomSection], wanted: int) -> Iterator[Reader]:
    for custom in customs:
        if custom.name != "name":
            continue
        reader = Reader(custom.data)
        kind = -1
        try:
            while reader.left and kind < reader.peek() <= wanted:  # each comes once, in the order of their numbers
                kind = reader.byte()
                body = reader.sub(reader.u32())
                if kind == wanted:
                    yield body
        except MalformedError:
            continue


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
