"""Custom sections that tools leave: names and producers.

In: the custom sections of a module or component. Out: plain mappings. These sections never
make a binary invalid, so whatever is broken in them is left out.

Spec: WebAssembly core, `appendix/custom`; tool-conventions, `ProducersSection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wippywasm.binary.component import CustomSection
from wippywasm.binary.reader import Reader
from wippywasm.errors import MalformedError

MODULE_SUBSECTION = 0
FUNCTION_SUBSECTION = 1

Producers = Mapping[str, tuple[tuple[str, str], ...]]


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
        try:
            while reader.left:
                kind = reader.byte()
                body = reader.sub(reader.u32())
                if kind == wanted:
                    yield body
        except MalformedError:
            continue


def read_producers(customs: Iterable[CustomSection]) -> Producers:
    """Field → (name, version) pairs."""
    fields: dict[str, tuple[tuple[str, str], ...]] = {}
    for custom in customs:
        if custom.name != "producers":
            continue
        reader = Reader(custom.data)
        try:
            for _ in range(reader.count()):
                name = reader.name()
                fields[name] = tuple([(reader.name(), reader.name()) for _ in range(reader.count())])
        except MalformedError:
            continue
    return fields
