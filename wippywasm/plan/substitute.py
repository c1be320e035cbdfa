"""Function types with their resources exchanged: from a component's own identities to those of one instantiation.

In: a type and what each of its `ResourceType`s stands for. Out: the type in terms of the other identities.
Types share their parts, so every part is visited once however often it occurs, and none that mentions no resource.

Spec: `Explainer.md` (type checking: resource types are generative).
"""

from __future__ import annotations

from collections.abc import Callable

from wippywasm.binary.component import DefinedType
from wippywasm.model import (
    FuncType,
    Param,
    RecordType,
    ResourceType,
    TupleType,
    TypeDef,
    ValType,
    VariantType,
    resource_of,
    with_parts,
)

Rename = Callable[[ResourceType], ResourceType]


class Substitution:
    """Exchanges resources by `rename` and remembers what it did; `count` gets the parts of each type that it makes."""

    def __init__(self, rename: Rename, count: Callable[[int], None] = lambda _: None) -> None:
        self._rename = rename
        self._count = count
        self._done: dict[ValType, ValType] = {}
        self._done_funcs: dict[FuncType, FuncType] = {}

    def type(self, t: DefinedType) -> DefinedType:
        """Whatever a type may be with every resource in it exchanged; types of instances and components as they are."""
        if isinstance(t, ResourceType):
            return self._rename(t)
        if isinstance(t, FuncType):
            return self.func(t)
        return self.value(t) if isinstance(t, ValType) else t

    def func(self, t: FuncType) -> FuncType:
        """The function type with every resource in it exchanged."""
        if not t.has_resource:
            return t
        done = self._done_funcs.get(t)
        if done is None:
            done = self._done_funcs[t] = self._func(t)
        return done

    def _func(self, t: FuncType) -> FuncType:
        self._count(len(t.params))
        params = tuple(Param(p.name, self.value(p.type)) for p in t.params)
        result = None if t.result is None else self.value(t.result)
        return FuncType(params, result, t.is_async)

    def value(self, t: ValType) -> ValType:
        """The value type with every resource in it exchanged; the same object where it has none."""
        if not t.has_resource:
            return t
        done = self._done.get(t)
        if done is None:
            self._count(_width(t))
            done = self._done[t] = with_parts(t, self.value, self._resource)
        return done

    def _resource(self, resource: ResourceType | TypeDef) -> ResourceType:
        return self._rename(resource_of(resource))


def _width(t: ValType) -> int:
    match t:
        case RecordType(fields=parts) | TupleType(items=parts) | VariantType(cases=parts):
            return len(parts)
        case _:
            return 1


def resources_in(t: FuncType) -> list[ResourceType]:
    """Every resource that a function's types mention, once each, in order."""
    found: dict[ResourceType, None] = {}

    def note(r: ResourceType) -> ResourceType:
        found.setdefault(r)
        return r

    Substitution(note).func(t)
    return list(found)
