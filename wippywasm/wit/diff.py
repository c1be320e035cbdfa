"""What changed from one version of a world or package to another, and whom it breaks.

In: two worlds or packages. Out: `Change`s, each with its path. Two sorts of people depend on a world: *callers*, who
run its components, call its exports and serve its imports; and *implementers*, whose components are made for it. What a
world exports more, implementers lack; what it imports more, callers lack; what has another type, neither can use. A
type that a world imports and nothing in it uses is told, and breaks nobody.

Versions that are compatible with each other count as the same interface.

Spec: `WIT.md`, "A Note on Subtyping", "Package Format" (versions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.model import ResourceType
from wippywasm.wit.compare_worlds import ItemComparison
from wippywasm.wit.flatten import Flattener
from wippywasm.wit.names import Version
from wippywasm.wit.resolved import Interface, Package, TypeDef, World
from wippywasm.wit.world_items import (
    Entity,
    Instance,
    Path,
    interface_items,
    item_at,
    item_mark,
    new_resources,
    used_imports,
    world_items,
)

Kind: TypeAlias = Literal["added", "removed", "changed"]
Side: TypeAlias = Literal["callers", "implementers"]
CALLERS: tuple[Side, ...] = ("callers",)
IMPLEMENTERS: tuple[Side, ...] = ("implementers",)
BOTH: tuple[Side, ...] = ("callers", "implementers")


@dataclass(frozen=True)
class Change:
    """`path` says where, as `export users#find` or `interface types.user`; `breaks` may be empty."""

    path: str
    kind: Kind
    message: str
    breaks: tuple[Side, ...]


Breaks: TypeAlias = "Callable[[Kind, Path], tuple[Side, ...]]"


def diff_worlds(old: World, new: World) -> list[Change]:
    """What changed in the functions and types that a world imports and exports.

    Raises InvalidError where a world is too large.
    """
    before, after = _Sides(old), _Sides(new)
    comparison = ItemComparison()
    _pair(comparison, before.imports, after.imports)
    _pair(comparison, before.exports, after.exports)

    def imported(kind: Kind, path: Path) -> tuple[Side, ...]:
        used = {"added": path in after.used, "removed": path in before.used}
        if not used.get(kind, path in after.used or path in before.used):
            return ()
        return {"added": CALLERS, "removed": IMPLEMENTERS, "changed": BOTH}[kind]

    return [
        *_items(comparison, before.imports, after.imports, "import ", imported),
        *_items(comparison, before.exports, after.exports, "export ", _exported),
    ]


def diff_packages(old: Package, new: Package) -> list[Change]:
    """What changed in all interfaces and worlds that a package defines."""
    changes: list[Change] = []
    for name in dict.fromkeys([*old.interfaces, *new.interfaces]):
        before, after = old.interfaces.get(name), new.interfaces.get(name)
        if before is None or after is None:
            changes.append(_whole(f"interface {name}", before is None))
        else:
            changes += _interfaces(before, after, f"interface {name}")
    for name in dict.fromkeys([*old.worlds, *new.worlds]):
        first, second = old.worlds.get(name), new.worlds.get(name)
        if first is None or second is None:
            changes.append(_whole(f"world {name}", first is None))
        else:
            found = diff_worlds(first, second)
            changes += [Change(f"world {name}: {c.path}", c.kind, c.message, c.breaks) for c in found]
    return changes


def _whole(path: str, is_new: bool) -> Change:
    return Change(path, "added", "is new", ()) if is_new else Change(path, "removed", "is gone", BOTH)


class _Sides:
    """The items of a world, under names that compatible versions share; `used` are the paths of imports in use."""

    def __init__(self, world: World) -> None:
        imports, exports = world_items(world)
        self.imports = _shared(imports)
        self.exports = _shared(exports)
        self.used = set(_paths(_shared(used_imports(world, imports))))


def _shared(items: Mapping[str, Entity]) -> dict[str, Entity]:
    """The items by as much of the version as compatible ones share, where that is no other's name."""
    found: dict[str, Entity] = {}
    for name, entity in items.items():
        base, _, version = name.partition("@")
        shared = f"{base}@{_track(version)}" if version else name
        found[name if shared in found else shared] = entity
    return found


def _track(version: str) -> str:
    try:
        return ".".join(map(str, Version.parse(version).track()))
    except ValueError:
        return version


def _paths(items: Mapping[str, Entity]) -> Iterator[Path]:
    for name, entity in items.items():
        yield (name,)
        if isinstance(entity, Instance):
            yield from ((name, inner) for inner in entity.items)


def _pair(comparison: ItemComparison, old: Mapping[str, Entity], new: Mapping[str, Entity]) -> None:
    """A resource is the same where both sides introduce it under the same names."""
    for resource, path in new_resources(new):
        found = item_at(old, path)
        if found is not None and found.is_new and isinstance(found.type, ResourceType):
            comparison.pair(resource, found.type)


def _items(
    comparison: ItemComparison,
    old: Mapping[str, Entity],
    new: Mapping[str, Entity],
    prefix: str,
    breaks: Breaks,
    outer: Path = (),
) -> Iterator[Change]:
    """The changes of items; `outer` is the path to them, and `breaks` says of a change there whom it breaks."""
    for name in dict.fromkeys([*old, *new]):
        before, after, path = old.get(name), new.get(name), (*outer, name)
        where = f"{prefix}{item_mark(before or after) if outer else ''}{name}"
        if before is None or after is None:
            kind: Kind = "added" if before is None else "removed"
            yield Change(where, kind, "is new" if before is None else "is gone", breaks(kind, path))
        elif isinstance(before, Instance) and isinstance(after, Instance):
            yield from _items(comparison, before.items, after.items, where, breaks, path)
        elif (found := comparison.entities(after, before, where)) is not None:
            place, _, what = found.partition(": ")
            yield Change(place, "changed", what, breaks("changed", path))


def _exported(kind: Kind, path: Path) -> tuple[Side, ...]:
    return {"added": IMPLEMENTERS, "removed": CALLERS, "changed": BOTH}[kind]


def _interfaces(old: Interface, new: Interface, path: str) -> Iterator[Change]:
    """The changes of an interface, which some worlds import and some export."""
    flatteners = Flattener(), Flattener()
    before, after = interface_items(old, flatteners[0]), interface_items(new, flatteners[1])
    comparison = ItemComparison()
    known = {_identity(t): resource for t, resource in flatteners[0].resources.items()}
    for definition, resource in flatteners[1].resources.items():
        if (other := known.get(_identity(definition))) is not None:
            comparison.pair(resource, other)

    def breaks(kind: Kind, path: Path) -> tuple[Side, ...]:
        if path[-1] in old.functions or path[-1] in new.functions:
            return _exported(kind, path)
        return () if kind == "added" else BOTH

    yield from _items(comparison, before.items, after.items, path, breaks, ("",))


def _identity(resource: TypeDef) -> tuple[str, str | None]:
    """What a resource is called, and where, for all compatible versions."""
    id = resource.owner.id if isinstance(resource.owner, Interface) else None
    base, _, version = (id or "").partition("@")
    return f"{base}@{_track(version)}", resource.name
