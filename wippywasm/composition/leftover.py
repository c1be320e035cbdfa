"""The imports that no plug supplies, merged into those of one component.

In: parts and their wiring. Out: the imports of the composition by name, and for each part the names that its own
imports have there.

Two parts that import one interface share it, under the newer of two compatible versions, and each may use other
functions of it; so what the composition imports has the functions of both. Resources of a shared interface are one
type.

Spec: `Explainer.md` (type checking: resource types are generative; semver compatibility).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wippywasm.binary.component import ComponentType, InstanceType, ModuleType, TypeBound, ValueBound
from wippywasm.binary.nodes import InstanceNode, TypeEntity
from wippywasm.composition.wiring import Part, Plugged, Wiring
from wippywasm.errors import InvalidError
from wippywasm.instance.names import compatibility, newest, split_version
from wippywasm.model import FuncType, ResourceType, ValType
from wippywasm.plan.describe import describe_func
from wippywasm.plan.substitute import Substitution, resources_in


class Leftover:
    """`imports` of the composition, in an order in which each follows what it needs; `names` for each part.

    `named` are the same imports, each as often as parts have it, with the type indices that tell equal types apart.
    """

    def __init__(self, parts: Sequence[Part], wiring: Wiring) -> None:
        self._merged: dict[str, Any] = {}
        self._from: dict[str, str] = {}
        self._nodes: dict[str, list[Any]] = {}
        self._same: dict[ResourceType, ResourceType] = {}
        self._types = Substitution(lambda r: self._same.get(r, r))
        self._outer = _names(parts, wiring)
        self.names: list[dict[str, str]] = []
        for part, supplied in zip(parts, wiring, strict=True):
            self.names.append({name: self._outer[_family(name)] for name in _left(part, supplied)})
            for name, outer in self.names[-1].items():
                self._add(outer, part, part.component.type.imports[name])
                self._nodes.setdefault(outer, []).append(part.component.node.imports[name])
        self.imports: Mapping[str, Any] = self._in_order()
        self.named = [(name, node) for name in self.imports for node in self._nodes[name]]

    def _add(self, name: str, part: Part, extern: Any) -> None:
        if isinstance(extern, ModuleType | ComponentType | ValueBound):
            raise InvalidError(f"{part.label} imports {name!r}, which is no interface, function or type: plug it")
        inner = next((n for n, e in _parts(extern) if not isinstance(e, FuncType | TypeBound)), None)
        if inner is not None:
            raise InvalidError(f"{part.label} imports {name!r}, in which {inner!r} is no function or type: plug it")
        known = self._merged.get(name)
        self._pair(known, extern)
        extern = self._renamed(extern)
        if known is None:
            self._merged[name] = extern
            self._from[name] = part.label
        elif isinstance(known, InstanceType) and isinstance(extern, InstanceType):
            self._merged[name] = InstanceType(self._union(name, part, known.exports, extern.exports))
        elif not _equal(known, extern):
            raise self._clash(name, part, known, extern)

    def _pair(self, known: Any, extern: Any) -> None:
        """Take the resources that a second part gets from an import for those of the first."""
        if isinstance(known, TypeBound) and isinstance(extern, TypeBound):
            if isinstance(known.type, ResourceType) and isinstance(extern.type, ResourceType) and extern.fresh:
                self._same.setdefault(extern.type, known.type)
        elif isinstance(known, InstanceType) and isinstance(extern, InstanceType):
            for name, inner in extern.exports.items():
                self._pair(known.exports.get(name), inner)

    def _renamed(self, extern: Any) -> Any:
        match extern:
            case FuncType():
                return self._types.func(extern)
            case TypeBound():
                return TypeBound(self._types.type(extern.type), extern.fresh)
            case InstanceType():
                return InstanceType({name: self._renamed(inner) for name, inner in extern.exports.items()})
            case _:
                return extern

    def _union(self, name: str, part: Part, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
        for inner, extern in other.items():
            if inner in one and not _equal(one[inner], extern):
                raise self._clash(f"{name}#{inner}", part, one[inner], extern)
        together = {**one, **other}
        types = {inner: extern for inner, extern in together.items() if isinstance(extern, TypeBound)}
        return {**types, **together}

    def _clash(self, name: str, part: Part, one: Any, other: Any) -> InvalidError:
        first = self._from[name.partition("#")[0]]
        both = isinstance(one, FuncType) and isinstance(other, FuncType)
        what = f": {describe_func(one)} and {describe_func(other)}" if both else ""
        return InvalidError(f"{first} and {part.label} both import {name!r}, with different types{what}")

    def _in_order(self) -> dict[str, Any]:
        """Each import behind those whose resources it speaks of, and those whose types it uses where that can be."""
        ordered: dict[str, Any] = {}
        known: set[ResourceType] = set()
        waiting = dict(self._merged)
        uses = self._uses()
        while waiting:
            ready = [n for n, e in waiting.items() if _mentioned(e) - _introduced(e) <= known]
            if not ready:
                name, extern = next(iter(waiting.items()))
                missing = sorted(r.name for r in _mentioned(extern) - _introduced(extern) - known)
                raise InvalidError(
                    f"{self._from[name]} imports {name!r}, which speaks of {', '.join(missing)}, a resource of a plug",
                    hint="plug that import, too",
                )
            first = next((name for name in ready if uses[name].isdisjoint(waiting)), ready[0])
            known |= _introduced(waiting[first])
            ordered[first] = waiting.pop(first)
        return ordered

    def _uses(self) -> dict[str, set[str]]:
        """For each import the others whose types it has under names of its own."""
        home = {bound.created: name for name, nodes in self._nodes.items() for bound in _bounds(nodes)}
        return {
            name: {home[bound.referenced] for bound in _bounds(nodes) if bound.referenced in home} - {name}
            for name, nodes in self._nodes.items()
        }


def _family(name: str) -> str:
    """What compatible versions of an interface have in common."""
    base, version = split_version(name)
    return f"{base}@{compatibility(version)}" if version else base


def _left(part: Part, supplied: Mapping[str, Plugged]) -> list[str]:
    """The imports of a part that no plug supplies, nor the resource types that come with what a plug supplies."""
    imports = part.component.type.imports
    plugged = {resource for name in supplied for resource in _introduced(imports[name])}
    return [n for n, e in imports.items() if n not in supplied and not (isinstance(e, TypeBound) and e.type in plugged)]


def _names(parts: Sequence[Part], wiring: Wiring) -> dict[str, str]:
    """The name of each import that is left: the newest of those that are compatible."""
    found: dict[str, list[str]] = {}
    for part, supplied in zip(parts, wiring, strict=True):
        for name in _left(part, supplied):
            found.setdefault(_family(name), []).append(name)
    return {family: newest(names) for family, names in found.items()}


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, InstanceType) and isinstance(other, InstanceType):
        return one.exports.keys() == other.exports.keys() and all(
            _equal(extern, other.exports[name]) for name, extern in one.exports.items()
        )
    if isinstance(one, TypeBound) and isinstance(other, TypeBound):
        return one.type is other.type
    return one is other


def _parts(extern: Any) -> Iterable[tuple[str, Any]]:
    return extern.exports.items() if isinstance(extern, InstanceType) else ()


def _bounds(nodes: Iterable[Any]) -> Iterator[TypeEntity]:
    """The types that imports bring in."""
    for node in nodes:
        inner = node.exports.values() if isinstance(node, InstanceNode) else [node]
        yield from (entity for entity in inner if isinstance(entity, TypeEntity))


def _introduced(extern: Any) -> set[ResourceType]:
    match extern:
        case TypeBound(type=ResourceType() as resource, fresh=True):
            return {resource}
        case InstanceType():
            return set().union(*map(_introduced, extern.exports.values()))
        case _:
            return set()


def _mentioned(extern: Any) -> set[ResourceType]:
    match extern:
        case FuncType():
            return set(resources_in(extern))
        case TypeBound(type=ResourceType() as resource):
            return {resource}
        case TypeBound(type=ValType() as type):
            return set(resources_in(FuncType((), type)))
        case InstanceType():
            return set().union(*map(_mentioned, extern.exports.values()))
        case _:
            return set()
