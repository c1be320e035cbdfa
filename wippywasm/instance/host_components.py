"""Components that Python supplies for a component's imports of components.

In: the declared component type, and what was given. Out: decoded components, checked against the declared types.

A given component may import less and export more than declared. Resources are paired by where they stand: each that the
declared type introduces stands for the given component's at the same place.

Spec: `Explainer.md` (component types, subtyping).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wippywasm.binary import component as c
from wippywasm.binary.core_subtype import module_mismatch
from wippywasm.errors import LinkError
from wippywasm.instance.exports import what_was_given
from wippywasm.instance.providers import MISSING, describe_provider, find_import
from wippywasm.instance.suggest import what_to_pass
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan import Closure, HostComponent, describe_func
from wippywasm.plan.scope import sort_of
from wippywasm.plan.substitute import Substitution


def find_components(wanted: Sequence[HostComponent], imports: Mapping[str, Any]) -> dict[tuple[str, ...], Closure]:
    """The given components by the paths of imports; raises LinkError for one that is missing or does not fit."""
    return {component.path: _find(component, imports) for component in wanted}


def _find(wanted: HostComponent, imports: Mapping[str, Any]) -> Closure:
    where, name, given = wanted.path[0], "#".join(wanted.path), find_import(imports, wanted.path)
    if given is MISSING:
        outer = find_import(imports, wanted.path[:-1])
        if outer is imports or outer is MISSING:
            hint = what_to_pass(where, imports, ": a loaded component")
        else:
            hint = f"{describe_provider(outer)} has no {wanted.path[-1]!r}"
        raise LinkError(f"nothing is given for import {name!r}, which is a component", where, hint=hint)
    source = Closure(given, None) if isinstance(given, c.Component) else getattr(given, "_source", None)
    if not isinstance(source, Closure):
        raise LinkError(f"import {name!r} is a component: give a loaded one, not {_what(given)}", where)
    why = component_mismatch(source.component.type, wanted.type)
    if why is not None:
        raise LinkError(f"the component given for import {name!r} does not fit: {why}", where)
    return source


def _what(given: Any) -> str:
    """What was given in place of a component that `load` made."""
    if isinstance(given, bytes | bytearray | memoryview):
        return "its bytes"
    return "a core module" if getattr(given, "kind", None) == "module" else what_was_given(given)


def component_mismatch(actual: c.ComponentType, expected: c.ComponentType) -> str | None:
    """Why a component of type `actual` can't stand in for `expected`."""
    comparison = _Comparison()
    why = comparison.all(expected.imports, actual.imports, "import")
    return why if why is not None else comparison.all(actual.exports, expected.exports, "export")


class _Comparison:
    def __init__(self) -> None:
        self._pairs: dict[ResourceType, ResourceType] = {}
        self._types = Substitution(self._representative)

    def _representative(self, resource: ResourceType) -> ResourceType:
        return self._pairs.get(resource, resource)

    def all(self, have: Mapping[str, c.ExternType], need: Mapping[str, c.ExternType], what: str) -> str | None:
        """Why `need` is not all in `have`."""
        for name, wanted in need.items():
            found = have.get(name)
            why = "it is missing" if found is None else self._mismatch(found, wanted)
            if why is not None:
                return f"{what} {name!r}: {why}"
        return None

    def _mismatch(self, have: c.ExternType, need: c.ExternType) -> str | None:
        match have, need:
            case FuncType(), FuncType():
                return self._func(have, need)
            case c.TypeBound(), c.TypeBound():
                return self._type(have, need)
            case c.InstanceType(), c.InstanceType():
                return self.all(have.exports, need.exports, "export")
            case c.ModuleType(), c.ModuleType():
                return module_mismatch(have, need)
            case c.ComponentType(), c.ComponentType():
                return component_mismatch(have, need)
            case _ if sort_of(have) != sort_of(need):
                return f"expected {sort_of(need)}, found {sort_of(have)}"
            case _:
                return None

    def _func(self, have: FuncType, need: FuncType) -> str | None:
        if self._types.func(have) is self._types.func(need):
            return None
        return f"expected {describe_func(need)}, found {describe_func(have)}"

    def _type(self, have: c.TypeBound, need: c.TypeBound) -> str | None:
        is_resource = isinstance(have.type, ResourceType), isinstance(need.type, ResourceType)
        if is_resource == (True, True):
            assert isinstance(have.type, ResourceType)
            assert isinstance(need.type, ResourceType)
            self._pairs.setdefault(need.type, self._representative(have.type))
        return None if is_resource[0] == is_resource[1] else "one is a resource and the other is not"
