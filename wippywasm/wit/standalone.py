"""One world as a document of its own, with nothing but what its types need.

In: a world. Out: WIT text that parses to the same world, as far as types and names go: without documentation and gates,
with includes expanded.
Spec: `WIT.md`, "WIT Worlds".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

from wippywasm.errors import TooLongError, WitDiagnosticsError
from wippywasm.unfolded import PARSED_ROOM
from wippywasm.wit.load import parse_text
from wippywasm.wit.print_types import TypeTexts
from wippywasm.wit.printer import Printer, unsayable
from wippywasm.wit.resolved import (
    Function,
    Interface,
    InterfaceItem,
    Package,
    Stability,
    TypeDef,
    World,
    used_interface,
)
from wippywasm.wit.skeleton import Kinds, check_names

MOST = 1_500_000
"""The characters of a document."""
PARSED, OF_FILE = 30_000, 2
"""The characters that are parsed of any component's world, and the bytes of it that allow one more: each takes a
microsecond, and up to seventy bytes. Those of tools need a fifth for each byte."""


def world_document(world: World) -> str:
    """The world, the interfaces that it names, and those whose types they use.

    Raises InvalidError for what WIT has no words for, which only components have: such as a resource that is
    exported without an interface; and TooLongError as `print_resolution`, or where it has over `MOST` characters, or
    far more types and interfaces than its component has bytes for.
    """
    needed: dict[Interface, None] = {}
    for item in (*world.imports.values(), *world.exports.values()):
        if isinstance(item, InterfaceItem):
            _need(item.interface, needed)
    main = world.package
    assert main is not None
    named = [i for i in needed if i.name is not None and i.package is not None]
    _check_uses(world, named)
    packages = dict.fromkeys([main, *(i.package for i in named if i.package is not None)])
    check_names(world, needed)
    document, types, kinds = _Document(world, needed), TypeTexts(PARSED_ROOM), Kinds()
    most = MOST if world.file_size is None else PARSED + world.file_size // OF_FILE
    message = "the world has too many types and interfaces for a component of its size"
    skeleton = _bounded((_Skeleton.print(p, document, kinds) for p in packages), most, message, "split the component")
    message = f"the world has more than {MOST:,} characters without its documentation"
    hint = "take smaller worlds that it could include"
    text = _bounded((_Plain.print(p, document, types) for p in packages), MOST, message, hint)
    _check(skeleton)
    return text


def _check(skeleton: str) -> None:
    try:
        parse_text(skeleton)
    except WitDiagnosticsError as error:
        raise unsayable(error.diagnostics[0].message) from None


def _bounded(texts: Iterable[str], most: int, message: str, hint: str) -> str:
    """All texts as one. Raises TooLongError where they have more characters, before the others are made."""
    kept = []
    for text in texts:
        most -= len(text)
        if most < 0:
            raise TooLongError(message, hint=hint)
        kept.append(text)
    return "\n".join(kept)


def _check_uses(world: World, named: list[Interface]) -> None:
    """Refuse types that are used from where nothing can be used from."""
    own = [t for t in world.imports.values() if isinstance(t, TypeDef)]
    for t in chain(own, *(i.types.values() for i in named)):
        source = used_interface(t)
        if source is not None and source.name is None:
            raise unsayable(f"the type `{t.name}` comes from an interface without a name")


def _need(interface: Interface, needed: dict[Interface, None]) -> None:
    """Add an interface behind those whose types it uses. Refuses what only components have: a circle of them."""
    todo, waiting = [interface], set[Interface]()
    while todo:
        here = todo[-1]
        missing = [u for u in map(used_interface, here.types.values()) if u is not None and u not in needed]
        if missing and here in waiting:
            raise unsayable(f"the interface `{here.id}` uses types of one that uses its types")
        if missing:
            waiting.add(here)
            todo += dict.fromkeys(missing)
        else:
            needed.setdefault(todo.pop())


class _Document:
    """A world, the interfaces that it needs, and those of them whose inside matters to others."""

    def __init__(self, world: World, needed: dict[Interface, None]) -> None:
        self.world = world
        self.needed = needed
        used: list[tuple[Interface | None, Interface | None]]
        used = [(i, used_interface(t)) for i in needed for t in i.types.values()]
        used += [(None, used_interface(t)) for t in world.imports.values() if isinstance(t, TypeDef)]
        self.tied = {i for pair in used if pair[1] is not None for i in pair}
        """The interfaces that use types of others, or whose types are used."""


class _Plain(Printer):
    def __init__(self, package: Package, document: _Document, types: TypeTexts) -> None:
        super().__init__(package, types)
        self.document = document

    @classmethod
    def print(cls, package: Package, document: _Document, types: TypeTexts) -> str:
        """The package's part of the document."""
        printer = cls(package, document, types)
        printer.package_items(package is not document.world.package)
        return printer.text()

    def interfaces(self) -> Iterator[Interface]:
        return (i for i in super().interfaces() if i in self.document.needed)

    def worlds(self) -> Iterator[World]:
        return (w for w in [self.document.world] if w.package is self.package)

    def as_written(self, world: World) -> World:
        return world

    def docs(self, docs: str | None) -> None:
        """Nothing: `generate` has it from the world itself."""

    def gate(self, gate: Stability) -> None:
        """Nothing: what is not there has gone before."""


class _Skeleton(_Plain):
    """What has to be parsed to know that the whole document can be, once its names were checked.

    A world may have as many functions as its file has bytes for, and each takes fifty times these to be parsed. So
    those are left out of an interface or world whose types others there have as well, and all that is in an interface
    like another one.
    """

    def __init__(self, package: Package, document: _Document, types: TypeTexts) -> None:
        super().__init__(package, document, types)
        self._printed: set[object] = set()
        self._bodies: set[str] = set()

    def interface(self, interface: Interface) -> None:
        start = len(self._lines)
        with self._scope():
            super().interface(interface)
        body = "\n".join(self._lines[start:])
        if body in self._bodies and interface not in self.document.tied:
            del self._lines[start:]
        self._bodies.add(body)

    def world(self, world: World) -> None:
        with self._scope():
            super().world(world)

    @contextmanager
    def _scope(self) -> Iterator[None]:
        outer, self._printed = self._printed, set()
        yield
        self._printed = outer

    def _function(self, function: Function, head: str) -> None:
        constructed = function.resource if function.kind == "constructor" else None
        parts: set[object] = {
            ("form", function.resource, function.kind, function.is_async, function.external_id),
            ("result", function.result, constructed),
            *(("parameter", p.type) for p in function.params),
        }
        if not parts <= self._printed:
            self._printed |= parts
            super()._function(function, head)
