"""What an inspection finds, as plain immutable data.

In: facts. Out: dataclasses that `report`, `json_form` and `page` read; nothing here knows bytes or an engine.

Spec: SPEC section 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from itertools import chain

from wippywasm.core import CoreMemoryType, CoreTableType
from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType

Producers = Mapping[str, tuple[tuple[str, str], ...]]
"""`language`, `processed-by`, `sdk` → (name, version) pairs."""


@dataclass(frozen=True, slots=True)
class ExportedFunction:
    """A function by its key. `by_id` says why it can't be called by an entry's id, and is None where it can."""

    key: str
    type: FuncType
    shell: str | None
    """The arguments of `wippywasm call` after the id, with values of the right types."""
    write: Callable[[str], str] = field(repr=False)
    """What calls a function of this type in Python, by its key."""
    by_id: str | None = None

    @property
    def python(self) -> str:
        return self.write(self.key)


@dataclass(frozen=True, slots=True)
class OtherExport:
    """What is exported and is no function to call: memories, types, helpers of the canonical ABI."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Import:
    """One import: an interface, or a module of core imports, with the signatures of its functions by name.

    `fault` says what about it can't be served here, though its package is. One not `is_linkable` keeps the whole
    from being instantiated by an entry.
    """

    name: str
    functions: tuple[tuple[str, str], ...]
    fault: str | None = None
    is_linkable: bool = True


@dataclass(frozen=True)
class ImportGroup:
    """Imports that one entry of `imports:` grants; None where nothing here serves them."""

    grant: str | None
    imports: tuple[Import, ...]


@dataclass(frozen=True)
class CustomSection:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """A core module. `where` leads to it through nested components: `0` or `1/0`; sizes are bytes."""

    where: str
    name: str | None
    size: int
    imports: int
    exports: int
    functions: int
    has_start: bool
    memories: tuple[CoreMemoryType, ...]
    tables: tuple[CoreTableType, ...]
    customs: tuple[CustomSection, ...]
    producers: Producers = field(default_factory=dict)
    features: tuple[str, ...] = ()
    """Proposals since WebAssembly 2.0 that it needs, by their names in `engine.features`."""


@dataclass(frozen=True)
class EngineFit:
    """Whether an engine can run the binary; `lacks` has the proposals that it needs and the engine has not."""

    engine: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the binary in the tree of its nesting, with what is inside of it."""

    kind: str
    label: str
    size: int | None = None
    detail: str = ""
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """What flows from one box of the drawing to another: the names of the items."""

    source: str
    target: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the drawing: an import, a core instance inside a component instance, or an export."""

    id: str
    kind: str
    label: str
    size: int | None = None
    owner: int = 0


@dataclass(frozen=True)
class Graph:
    """Instances and what flows between them, nested components unfolded."""

    boxes: tuple[Box, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class DefinedEntry:
    """The entry of one exported function.

    `command` is the name that `wippywasm run` knows it by, if it is one; `address` where it answers requests once
    `wippywasm run` has started the app, if it serves HTTP: `text` then has the service and endpoints, too.
    `write` makes its text, in pieces of which those that it shares with others are the same.
    """

    key: str
    id: str
    write: Callable[[DefinedEntry], Sequence[str]] = field(repr=False)
    command: str | None = None
    address: str | None = None

    @property
    def pieces(self) -> Sequence[str]:
        return self.write(self)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True)
class Definition:
    """The definition file to paste, as YAML: `head` with the filesystem entry, then an entry for each function.

    `shared` are fields of several lines that entries have in common, such as the text of a module.
    """

    head: str
    entries: tuple[DefinedEntry, ...]
    notes: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.first(len(self.entries))

    def first(self, count: int) -> str:
        """The file with that many entries. What they share stands in one of them, and the others refer to it."""
        chosen = self.entries[:count]
        if len(chosen) < 2:
            return self.head + "".join([entry.text for entry in chosen])
        names = {shared: shared.partition(":")[0].strip() for shared in self.shared}
        forms = {shared: shared.replace(": ", f": &{name} ", 1) for shared, name in names.items()}
        parts = [self.head]
        for piece in chain.from_iterable([entry.pieces for entry in chosen]):
            parts.append(forms.get(piece, piece))
            if piece in names:
                forms[piece] = f"    {names[piece]}: *{names[piece]}\n"
        return "".join(parts)

    def entry(self, key: str) -> DefinedEntry | None:
        """The entry of an exported function."""
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> Mapping[str, DefinedEntry]:
        return {entry.key: entry for entry in self.entries}


@dataclass(frozen=True)
class WorldTexts:
    """The packages of a world as WIT, with whether they are shown: those of this runtime everyone has.

    `hidden` are the characters before what is shown of the first: a component's package is only a name. `fault` says
    why WIT has no words for the world.
    """

    packages: tuple[tuple[str, bool], ...] = ()
    hidden: int = 0
    fault: str | None = None

    @property
    def whole(self) -> str:
        return "\n".join([text for text, _ in self.packages])

    def lines(self) -> Iterator[str]:
        """What is shown, an empty line between packages; for a world without words, why there is none."""
        if self.fault is not None:
            yield f"// {self.fault}"
        for number, (text, _) in enumerate(p for p in self.packages if p[1]):
            if number:
                yield ""
            yield from _lines(text, 0 if number else self.hidden)


def _lines(text: str, start: int) -> Iterator[str]:
    """The lines, none kept: a text may have more of them than its file has bytes."""
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1


@dataclass(frozen=True)
class Inspection:
    """All that is known of one file. `kind` is `component`, `module` or `wit package`; `is_text` tells a `.wat`."""

    path: str
    kind: str
    is_text: bool
    size: int
    digest: str
    texts: WorldTexts = field(default_factory=WorldTexts)
    exports: tuple[ExportedFunction, ...] = ()
    other_exports: tuple[OtherExport, ...] = ()
    groups: tuple[ImportGroup, ...] = ()
    declare: tuple[str, ...] = ()
    """The `imports:` list that grants all of them."""
    modules: tuple[ModuleFacts, ...] = ()
    customs: tuple[CustomSection, ...] = ()
    producers: Producers = field(default_factory=dict)
    engines: tuple[EngineFit, ...] = ()
    tree: Node | None = None
    draw: Callable[[], Graph] = field(default=Graph, repr=False)
    definition: Definition | None = None
    problems: tuple[str, ...] = ()
    """Why it can't run here, or not all of it."""

    @property
    def wit(self) -> str:
        """All packages of its world."""
        return self.texts.whole

    @property
    def world(self) -> str:
        """Its world, as it is shown; a comment where it has no words."""
        end = "\n" * (self.texts.fault is None)
        return "".join([line + end for line in self.texts.lines()])

    @cached_property
    def graph(self) -> Graph:
        """What is linked to what."""
        return self.draw()
