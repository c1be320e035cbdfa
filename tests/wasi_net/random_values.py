"""Random values of WIT types, and the resources within values.

In: types, a generator of random numbers, resources to choose from. Out: values as hosts get them from guests.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from wippywasm.model import (
    U8,
    BorrowType,
    EnumType,
    FlagsType,
    ListType,
    OptionType,
    OwnType,
    Prim,
    RecordType,
    ResourceType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Err, Ok, Variant

TEXTS = ("f", "d", "d/x", "../s", "l", "", "a\0", "x" * 300, "/", "localhost", "Content-Length", "host", "/p?q", "ä")
BLOBS = (b"", b"x", b"5", b"hello" * 10, bytes(4096), bytes(70_000))
SIZES = (0, 1, 2, 5, 100, 4096, 65_536, 10**6)
LOOPBACK: dict[ValType, Any] = {
    TupleType((U8,) * 4): (127, 0, 0, 1),
    TupleType((Prim("u16"),) * 8): (0, 0, 0, 0, 0, 0, 0, 1),
}
"""Addresses that packets may be sent to."""


class NoResource(Exception):
    """There is none of that type."""


class Values:
    """Makes values. `held` are the resources that the guest has, by type; what it gives away goes to `given`."""

    def __init__(self, chance: random.Random, ports: list[int]) -> None:
        self.chance = chance
        self.ports = ports
        self.held: defaultdict[ResourceType, list[Any]] = defaultdict(list)
        self.given: list[Any] = []

    def of(self, t: ValType, name: str = "") -> Any:
        """A value of that type; `name` is what it is for."""
        if t in LOOPBACK:
            return LOOPBACK[t]
        if name == "port":
            return self.chance.choice(self.ports)
        make: Callable[[Any], Any] = getattr(self, f"_{type(t).__name__.removesuffix('Type').lower()}")
        return make(t)

    def keep(self, t: ValType, value: Any) -> None:
        """The guest has the resources in a result."""
        for resource, one in owned(t, value):
            self.held[resource].append(one)

    def lacks(self, t: ValType) -> bool:
        """Whether it is a handle of a type that the guest has none of."""
        return isinstance(t, BorrowType | OwnType) and not self.held[resource_of(t)]

    def _prim(self, t: Prim) -> Any:
        if t.name == "string":
            return self.chance.choice(TEXTS)
        if t.name == "bool":
            return self.chance.random() < 0.5
        bits, signed = int(t.name[1:]), t.name.startswith("s")
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return max(low, min(high, self.chance.choice([*SIZES, low, high, high - 1])))

    def _list(self, t: ListType) -> Any:
        if t.element is U8:
            return self.chance.choice(BLOBS)
        return [self.of(t.element) for _ in range(self.chance.choice([0, 1, 1, 2, 3]))]

    def _record(self, t: RecordType) -> Any:
        return {f.name: self.of(f.type, f.name) for f in t.fields}

    def _tuple(self, t: TupleType) -> Any:
        return tuple(self.of(item) for item in t.items)

    def _variant(self, t: VariantType) -> Any:
        case = self.chance.choice(t.cases)
        return Variant(case.name) if case.type is None else Variant(case.name, self.of(case.type))

    def _enum(self, t: EnumType) -> Any:
        return self.chance.choice(t.names)

    def _flags(self, t: FlagsType) -> Any:
        return {name for name in t.names if self.chance.random() < 0.4}

    def _option(self, t: OptionType) -> Any:
        return None if self.chance.random() < 0.4 else self.of(t.type)

    def _result(self, t: ResultType) -> Any:
        side, make = (t.ok, Ok) if self.chance.random() < 0.8 else (t.err, Err)
        return make(None if side is None else self.of(side))

    def _borrow(self, t: BorrowType) -> Any:
        if self.lacks(t):
            raise NoResource
        return self.chance.choice(self.held[resource_of(t)])

    def _own(self, t: OwnType) -> Any:
        one = self._borrow(BorrowType(t.resource))
        self.held[resource_of(t)].remove(one)
        self.given.append(one)
        return one


def resource_of(t: OwnType | BorrowType) -> ResourceType:
    """Its resource type."""
    assert isinstance(t.resource, ResourceType)
    return t.resource


def owned(t: ValType | None, value: Any) -> Iterator[tuple[ResourceType, Any]]:
    """The resources that are handed over in a value."""
    if isinstance(t, OwnType):
        yield resource_of(t), value
    for part, inner in parts(t, value):
        yield from owned(part, inner)


def parts(t: ValType | None, value: Any) -> Iterator[tuple[ValType | None, Any]]:
    """What a value is made of."""
    match t:
        case TupleType(items=items):
            yield from zip(items, value, strict=True)
        case ListType(element=element) if element is not U8:
            yield from ((element, one) for one in value)
        case RecordType(fields=fields):
            yield from ((f.type, value[f.name]) for f in fields)
        case OptionType(type=inner) if value is not None:
            yield inner, value
        case ResultType(ok=ok, err=err):
            yield (ok if isinstance(value, Ok) else err), value.value
        case VariantType(cases=cases):
            yield next(c.type for c in cases if c.name == value.case), value.payload
        case _:
            return
