"""How much more than its file a plan may hold, so that a small file can't ask for an endless plan.

In: the components of a plan, and what the walk over them finds. Out: nothing, or `ValidationError` at the definition
that goes too far.

What is written in a file is free, however much it is. A component of a few hundred bytes can name 2^30 instances by
instantiating in pairs, level upon level; so what is walked again, and what the host's instances and types come to,
counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from wippywasm.binary import component as c
from wippywasm.errors import ValidationError
from wippywasm.plan.items import Item, ModuleRef, PlanInstance

BEYOND = 8_000
"""Parts that a file of any size may unfold to, each a few microseconds and about two hundred bytes of CPython's.

They are the items of the instances that the host supplies, and all that is there more than once: a thousand in a
component of CPython.
"""

BYTES_OF_PART = 8
"""A file may unfold to one part more for so many of its bytes."""

MOST_PARTS = 120_000
"""What no file may unfold to."""

MAX_INSTANTIATION_DEPTH = 100
"""Component instances that instantiate one another, from the outermost inwards."""

HOST_ITEM = 2
"""The parts that an item takes which the host supplies: it has a path of its own."""

HOST_INSTANCE = 3
"""What an instance adds to it that exports anything: where thousands share a type, these are what memory is full of."""

HOST_RESOURCE = 4
"""What a resource of an instance adds to it: the type that the decoder made for it, and the plan's own."""

STEPS_AT_ONCE = 16
"""The names in a path that count for a part."""

WALK = 6
"""The parts that a component takes which is walked again: its scope, and its instance at run time."""

WALKED_AT_ONCE = 4
"""The definitions that count for a part where they are walked again."""

PARTS_OF_TYPE = 4
"""The parts of a type with resources that are exchanged for one part of a plan."""

EXPORTS_AT_ONCE = 8
"""The exports of an instance that are compared with its type for one part."""

RESOURCES_AT_ONCE = 4
"""The resources of an instance that are found for one part."""

CHARACTERS = 256
"""The characters of the names of exports that count for a part: each is made of the names of all it is within."""


class Growth:
    """Counts the parts of one plan."""

    def __init__(self, components: Iterable[c.Component]) -> None:
        size = sum([len(component.wasm) for component in components])
        self.most = min(BEYOND + size // BYTES_OF_PART, MOST_PARTS)
        self.left = self.most
        self.offset = 0
        self._weights: dict[int, int | None] = {}
        self._instantiated: set[ModuleRef] = set()

    def take(self, parts: int) -> None:
        """Account for more parts; raises ValidationError at the definition that goes too far."""
        self.left -= parts
        if self.left < 0:
            raise ValidationError(
                f"the component unfolds to more than {self.most} parts beyond what is written in it", self.offset
            )

    def host_item(self, path: tuple[str, ...]) -> None:
        """Account for an item that the host supplies; an import by itself is written in the file."""
        if len(path) > 1:
            self.take(HOST_ITEM + len(path) // STEPS_AT_ONCE)

    def host_instance(self, exports: int) -> None:
        """Account for an instance with so many exports that the host supplies."""
        if exports:
            self.take(HOST_INSTANCE)

    def host_resource(self, path: tuple[str, ...]) -> None:
        """Account for a resource that the host supplies."""
        if len(path) > 1:
            self.take(HOST_RESOURCE)

    def type(self, parts: int) -> None:
        """Account for a type with so many parts, whose resources are exchanged."""
        self.take(1 + parts // PARTS_OF_TYPE)

    def walk(self, component: c.Component) -> None:
        """Account for the definitions of a component, where they have been walked before."""
        key = id(component)
        if key not in self._weights:
            self._weights[key] = None
            return
        weight = self._weights[key]
        if weight is None:
            weight = self._weights[key] = WALK + sum(map(_weight, component.definitions)) // WALKED_AT_ONCE
        self.take(weight)

    def instantiate(self, module: ModuleRef, imports: int) -> None:
        """Account for the imports of a module that has been instantiated before."""
        if module in self._instantiated:
            self.take(imports)
        self._instantiated.add(module)

    def narrow(self, exports: int) -> None:
        """Account for an instance with so many exports that is compared with a type of fewer."""
        self.take(1 + exports // EXPORTS_AT_ONCE)

    def export(self, exports: Mapping[str, Item]) -> None:
        """Account for what the instances among the exports come to where they hold one another, and for its names."""
        known: dict[int, _Held] = {}
        held = _held(exports, known)
        written = len(exports) + sum(part.written for part in known.values())
        self.take(held.items - written + held.characters // CHARACTERS)


_LISTS: Mapping[type[c.Definition], Callable[[Any], int]] = {
    c.InstantiateModule: lambda d: len(d.args),
    c.InstantiateComponent: lambda d: len(d.args) + len(d.type.introduced) // RESOURCES_AT_ONCE,
    c.CoreInlineExports: lambda d: len(d.exports),
    c.InlineExports: lambda d: len(d.exports),
}


def _weight(d: c.Definition) -> int:
    count = _LISTS.get(type(d))
    return 1 if count is None else 1 + count(d)


class _Held(NamedTuple):
    """What an instance holds: the items written in it, those wherever they occur, and the characters of their names."""

    written: int
    items: int
    characters: int


def _held(exports: Mapping[str, Item], known: dict[int, _Held]) -> _Held:
    """What there is in an instance. Instances share their parts: each is looked at once, and is then `known`."""
    items, characters = len(exports), sum(map(len, exports))
    for name, item in exports.items():
        if isinstance(item, PlanInstance):
            found = known.get(id(item))
            if found is None:
                found = known[id(item)] = _held(item.exports, known)
            items += found.items
            characters += found.characters + found.items * (len(name) + 1)
    return _Held(len(exports), items, characters)
