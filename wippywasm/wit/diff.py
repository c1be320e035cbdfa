"""What changed from one version of a world or package to another, and whom it breaks.

In: two worlds or packages. Out: `Change`s, each with its path. Two sorts of people depend on a world: *callers*, who
run its components, call its exports and serve its imports; and *implementers*, whose components are made for it. What a
world exports more, implementers lack; what it imports more, callers lack; what has another type, neither can use.

Versions that are compatible with each other count as the same interface.

Spec: `WIT.md`, "A Note on Subtyping", "Package Format" (versions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from wippywasm.model import FuncType
from wippywasm.wit.compare import Comparison
from wippywasm.wit.flatten import Flattener, world_functions
from wippywasm.wit.names import Version
from wippywasm.wit.resolved import Interface, Package, World

Side: TypeAlias = Literal["callers", "implementers"]
CALLERS: tuple[Side, ...] = ("callers",)
IMPLEMENTERS: tuple[Side, ...] = ("implementers",)
BOTH: tuple[Side, ...] = ("callers", "implementers")


@dataclass(frozen=True)
class Change:
    """`path` says where, as `export users#find` or `interface types.user`; `breaks` may be empty."""

    path: str
    kind: Literal["added", "removed", "changed"]
    message: str
    breaks: tuple[Side, ...]


def diff_worlds(old: World, new: World) -> list[Change]:
    """What changed in the functions that a world imports and exports, with the types in them."""
    old_exports, old_imports = world_functions(old)
    new_exports, new_imports = world_functions(new)
    comparison = Comparison()
    imports = {_imported(*k): t for k, t in old_imports.items()}, {_imported(*k): t for k, t in new_imports.items()}
    exports = {_plain(k): t for k, t in old_exports.items()}, {_plain(k): t for k, t in new_exports.items()}
    return [
        *_functions(*imports, "import ", comparison, added=CALLERS, removed=IMPLEMENTERS),
        *_functions(*exports, "export ", comparison, added=IMPLEMENTERS, removed=CALLERS),
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


def _functions(
    old: Mapping[str, FuncType],
    new: Mapping[str, FuncType],
    prefix: str,
    comparison: Comparison,
    *,
    added: tuple[Side, ...],
    removed: tuple[Side, ...],
) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        path = f"{prefix}{name}"
        if name not in old:
            yield Change(path, "added", "is new", added)
        elif name not in new:
            yield Change(path, "removed", "is gone", removed)
        elif (found := comparison.functions(new[name], old[name], path)) is not None:
            where, _, what = found.partition(": ")
            yield Change(where, "changed", what, BOTH)


def _interfaces(old: Interface, new: Interface, path: str) -> Iterator[Change]:
    before, after = Flattener(), Flattener()
    comparison = Comparison()
    functions = before.functions(old), after.functions(new)
    yield from _functions(*functions, f"{path}#", comparison, added=IMPLEMENTERS, removed=CALLERS)
    for name in dict.fromkeys([*old.types, *new.types]):
        where = f"{path}.{name}"
        if name not in old.types:
            yield Change(where, "added", "is new", ())
        elif name not in new.types:
            yield Change(where, "removed", "is gone", BOTH)
        elif old.types[name].is_resource != new.types[name].is_resource:
            yield Change(where, "changed", "a resource on one side only", BOTH)
        else:
            found = comparison.types(after.type(new.types[name]), before.type(old.types[name]), where)
            if found is not None:
                place, _, what = found.partition(": ")
                yield Change(place, "changed", what, BOTH)


def _imported(interface: str, name: str) -> str:
    return name if interface == "$root" else _plain(f"{interface}#{name}")


def _plain(key: str) -> str:
    """A function's key with as much of the version as compatible ones share."""
    interface, hash, name = key.rpartition("#")
    base, _, version = interface.partition("@")
    try:
        track = ".".join(map(str, Version.parse(version).track())) if version else ""
    except ValueError:
        track = version
    return f"{base}{f'@{track}' if track else ''}{hash}{name}"
