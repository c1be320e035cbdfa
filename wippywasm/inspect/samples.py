"""A value of any type, to show how a function is called.

In: a WIT type. Out: a small Python value that fits it, or None where a type is too large to be worth showing. What
can't be written down (a resource, a stream) is a `Stand`, which prints as a name.
"""

from __future__ import annotations

from typing import Any

from wippywasm.model import (
    U8,
    BorrowType,
    EnumType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
    resource_of,
)
from wippywasm.values import Ok, Some, Variant

MAX_PARTS = 100
"""Types share their parts, so a short file can describe a value of 2^30."""
PART = 40
"""The characters of a name that are worth showing count as a part."""

_PRIMS: dict[str, Any] = {"bool": True, "f32": 1.5, "f64": 1.5, "char": "x", "string": "text"}


class Stand:
    """Stands for a value that has no literal; its `repr` is a Python name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class _TooLarge(Exception):
    pass


def sample_arguments(type: FuncType) -> list[Any] | None:
    """A value for each parameter; None where they are too large."""
    sampler = _Sampler()
    try:
        return [sampler.value(p.type) for p in type.params]
    except _TooLarge:
        return None


class _Sampler:
    def __init__(self) -> None:
        self.left = MAX_PARTS

    def value(self, t: ValType) -> Any:
        self._take()
        match t:
            case Prim(name="error-context"):
                return Stand("error_context")
            case Prim(name=name):
                return _PRIMS.get(name, 1)
            case EnumType(names=names):
                return self._name(names[0]) if names else ""
            case FlagsType(names=names):
                return set(map(self._name, names[:1]))
            case VariantType(cases=cases):
                return Variant(self._name(cases[0].name), self._optional(cases[0].type))
            case _:
                return self._compound(t)

    def _compound(self, t: ValType) -> Any:
        match t:
            case ListType(element=element, length=None):
                return b"bytes" if element is U8 else [self.value(element)]
            case ListType(element=element, length=int() as length):
                return [self.value(element) for _ in range(length)]
            case RecordType(fields=fields):
                return {self._name(f.name): self.value(f.type) for f in fields}
            case TupleType(items=items):
                return tuple(self.value(item) for item in items)
            case OptionType(type=inner):
                return Some(self.value(inner)) if isinstance(inner, OptionType) else self.value(inner)
            case ResultType(ok=ok):
                return Ok(self._optional(ok))
            case MapType(key=key, value=value):
                return {self.value(key): self.value(value)}
            case OwnType(resource=resource) | BorrowType(resource=resource):
                return Stand(self._name(resource_of(resource).name or "resource").replace("-", "_"))
            case _:
                return Stand(type(t).__name__.removesuffix("Type").lower())

    def _name(self, name: str) -> str:
        self._take(len(name) // PART)
        return name

    def _take(self, parts: int = 1) -> None:
        self.left -= parts
        if self.left < 0:
            raise _TooLarge

    def _optional(self, t: ValType | None) -> Any:
        return None if t is None else self.value(t)
