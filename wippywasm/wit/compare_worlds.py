"""Whether a component of one world can be used as one of another, and if not, where the worlds differ.

In: two worlds. Out: `path: expected this, got that`, as of `compare`. A component fits where less is exported and more
is imported; functions and named types have to be equal. What introduces a resource fits any that stands under the same
names: those that a component imports are what it is given, those that it exports are its own.
Spec: `Explainer.md`, "Type Checking"; `WIT.md`, "A Note on Subtyping".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wippywasm.model import FuncType, ResourceType, ValType
from wippywasm.wit.compare import Comparison, differs, other_resource
from wippywasm.wit.resolved import World
from wippywasm.wit.world_items import (
    Entity,
    Instance,
    TypeItem,
    item_at,
    item_mark,
    new_resources,
    used_imports,
    world_items,
)


def world_mismatches(got: World, want: World) -> list[str]:
    """Why a component of world `got` can't be used as one of world `want`; nothing if it can.

    It has to export what `want` exports, and may import only what `want` imports. Raises InvalidError where a world
    is too large.
    """
    got_imports, got_exports = world_items(got)
    offered, wanted = world_items(want)
    needed = used_imports(got, got_imports)
    comparison = ItemComparison()
    comparison.open(needed, offered)
    comparison.open(wanted, got_exports)
    return [*comparison.missing(offered, needed, "import "), *comparison.missing(got_exports, wanted, "export ")]


class ItemComparison(Comparison):
    """Comparisons in which some resources stand for others."""

    def __init__(self) -> None:
        super().__init__()
        self._stand_ins: dict[ResourceType, ResourceType] = {}

    def open(self, items: Mapping[str, Entity], others: Mapping[str, Entity]) -> None:
        """From now on each resource that `items` introduce is the one under the same names of `others`."""
        for resource, path in new_resources(items):
            found = item_at(others, path)
            if found is not None and isinstance(found.type, ResourceType):
                self.pair(resource, found.type)

    def pair(self, resource: ResourceType, other: ResourceType) -> None:
        """From now on `resource` is `other`."""
        self._stand_ins[resource] = self._stand_ins.get(other, other)

    def resources(self, got: ResourceType, want: ResourceType, path: str) -> str | None:
        if self._stand_ins.get(got, got) is self._stand_ins.get(want, want):
            return None
        return other_resource(got, want, path)

    def missing(self, got: Mapping[str, Entity], want: Mapping[str, Entity], prefix: str) -> Iterator[str]:
        """What of `want` is not in `got`, or of another type there."""
        for name, wanted in want.items():
            found = got.get(name)
            if found is None:
                yield f"{prefix}{name}: is missing"
            elif isinstance(found, Instance) and isinstance(wanted, Instance):
                for inner, entity in wanted.items.items():
                    path = f"{prefix}{name}{item_mark(entity)}{inner}"
                    mine = found.items.get(inner)
                    why = f"{path}: is missing" if mine is None else self.entities(mine, entity, path)
                    if why is not None:
                        yield why
            elif (why := self.entities(found, wanted, f"{prefix}{name}")) is not None:
                yield why

    def entities(self, got: Entity, want: Entity, path: str) -> str | None:
        """Where two functions or two named types differ; other pairs have nothing in common."""
        if isinstance(got, FuncType) and isinstance(want, FuncType):
            return self.functions(got, want, path)
        if isinstance(got, TypeItem) and isinstance(want, TypeItem):
            mine, other = got.type, want.type
            if isinstance(mine, ValType) and isinstance(other, ValType):
                return self.types(mine, other, path)
            if isinstance(mine, ResourceType) and isinstance(other, ResourceType):
                return self.resources(mine, other, path)
        return differs(path, _kind(want), _kind(got))


def _kind(entity: Entity) -> str:
    if isinstance(entity, TypeItem):
        return "a resource" if isinstance(entity.type, ResourceType) else "a type that is no resource"
    return "a function" if isinstance(entity, FuncType) else "an interface"
