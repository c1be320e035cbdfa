"""Function types with their resources exchanged: from a component's own identities to those of one instantiation.

In: a type and what each of its `ResourceType`s stands for. Out: the type in terms of the other identities.
Types share their parts, so every part is visited once however often it occurs.

Spec: `Explainer.md` (type checking: resource types are generative).
"""

from __future__ import annotations

from collections.abc import Callable

from wippywasm.binary.component import DefinedType
from wippywasm.model import (
    BorrowType,
    Case,
    Field,
    FuncType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    Param,
    RecordType,
    ResourceType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
    resource_of,
)

Rename = Callable[[ResourceType], ResourceType]


class Substitution:
    """Exchanges resources by `rename` and remembers what it did."""

    def __init__(self, rename: Rename) -> None:
        self._rename = rename
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
        done = self._done_funcs.get(t)
        if done is None:
            done = self._done_funcs[t] = self._func(t)
        return done

    def _func(self, t: FuncType) -> FuncType:
        params = tuple(Param(p.name, self.value(p.type)) for p in t.params)
        return FuncType(params, self._optional(t.result), t.is_async)

    def value(self, t: ValType) -> ValType:
        """The value type with every resource in it exchanged; the same object where it has none."""
        done = self._done.get(t)
        if done is None:
            done = self._done[t] = self._exchange(t)
        return done

    def _optional(self, t: ValType | None) -> ValType | None:
        return None if t is None else self.value(t)

    def _exchange(self, t: ValType) -> ValType:
        match t:
            case OwnType(resource=resource):
                return OwnType(self._rename(resource_of(resource)))
            case BorrowType(resource=resource):
                return BorrowType(self._rename(resource_of(resource)))
            case ListType(element=element, length=length):
                return ListType(self.value(element), length)
            case RecordType(fields=fields):
                return RecordType(tuple(Field(f.name, self.value(f.type)) for f in fields))
            case TupleType(items=items):
                return TupleType(tuple(self.value(item) for item in items))
            case VariantType(cases=cases):
                return VariantType(tuple(Case(c.name, self._optional(c.type)) for c in cases))
            case OptionType(type=inner):
                return OptionType(self.value(inner))
            case ResultType(ok=ok, err=err):
                return ResultType(self._optional(ok), self._optional(err))
            case MapType(key=key, value=value):
                return MapType(self.value(key), self.value(value))
            case StreamType(element=element):
                return StreamType(self._optional(element))
            case FutureType(element=element):
                return FutureType(self._optional(element))
            case _:
                return t


def resources_in(t: FuncType) -> list[ResourceType]:
    """Every resource that a function's types mention, once each, in order."""
    found: dict[ResourceType, None] = {}

    def note(r: ResourceType) -> ResourceType:
        found.setdefault(r)
        return r

    Substitution(note).func(t)
    return list(found)
