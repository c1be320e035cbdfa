"""What types are made of.

In: structural types. Out: their parts, and what is among these. Types share their parts, so each is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wippywasm.abi.by_type import by_type
from wippywasm.model import (
    BorrowType,
    EnumType,
    FuncType,
    ListType,
    MapType,
    OwnType,
    RecordType,
    TupleType,
    ValType,
    VariantType,
    parts,
)


def types_of(ft: FuncType) -> list[ValType]:
    """The types of a function's parameters and result."""
    return [*[p.type for p in ft.params], *([] if ft.result is None else [ft.result])]


def reached(types: Sequence[ValType], below: Callable[[ValType], Sequence[ValType]]) -> Iterator[ValType]:
    """Each of the types and of what they are made of, as `below` tells, once."""
    seen = set(types)
    todo = list(seen)
    while todo:
        t = todo.pop()
        yield t
        for part in below(t):
            if part not in seen:
                seen.add(part)
                todo.append(part)


@by_type
def labels_of(t: RecordType | VariantType | EnumType) -> tuple[str, ...]:
    """The names of fields or cases."""
    if isinstance(t, EnumType):
        return t.names
    return tuple([x.name for x in (t.fields if isinstance(t, RecordType) else t.cases)])


@by_type
def numbers_of(t: VariantType | EnumType) -> dict[str, int]:
    """The numbers of cases, by name."""
    return {name: i for i, name in enumerate(labels_of(t))}


def list_element(t: ListType | MapType) -> ValType:
    """The element of a list, or the pair of a map."""
    return t.element if isinstance(t, ListType) else TupleType((t.key, t.value))


def contains(types: Sequence[ValType], wanted: Callable[[ValType], bool]) -> bool:
    """Whether a type that is wanted is among some types, or in one of them."""
    return any(map(wanted, reached(types, parts)))


@by_type
def empty_cases(t: VariantType) -> frozenset[int]:
    """The numbers of the cases that have no payload."""
    return frozenset([i for i, case in enumerate(t.cases) if case.type is None])


@by_type
def may_be_long(t: ValType) -> bool:
    """Whether values of a type are, or have in them, lists or maps."""
    return isinstance(t, ListType | MapType) or any(map(may_be_long, parts(t)))


def is_handle(t: ValType) -> bool:
    return isinstance(t, OwnType | BorrowType)
