"""What the emitters agree on: how a value looks between being checked and being written, and what is a helper.

A checked value is a row of *atoms*, Python variables of generated code:

- a number, bool, char, enum or flags: one int or float, ready for `struct`;
- a string: its encoded bytes (and, unless the encoding is utf8, its tagged length);
- a list: one atom, the finished bytes where elements hold no pointers, else a list of rows of its elements;
- a record or tuple: the atoms of its fields; a fixed-length list: one atom, like a list;
- a variant: one atom, a tuple of the case's index and the payload's atoms;
- a handle: one atom, what `Scope.take_*` gave.

A type nested deep or large becomes a helper function, whose value is one atom: its row. So generated code grows with
the nodes of a type and its blocks stay shallow. In a record or tuple of many fields all that takes more than a line is
one; a variant of many cases has a table of them, for the interpreter takes its time for a function of ten thousand
branches, and guests for going through them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wippywasm.abi.by_type import by_type
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.layout import MAX_FLAT_PARAMS, MAX_TYPE_DEPTH, despecialize, has_pointers
from wippywasm.model import (
    STRING,
    BorrowType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OwnType,
    Prim,
    RecordType,
    TupleType,
    ValType,
    VariantType,
)

MAX_LEVEL = 4
WIDE_LEVEL = MAX_LEVEL + 1
"""The level of fields among many."""
MAX_WEIGHT = 48
MAX_FIELDS = 64
"""The fields of a record, and the payloads of a variant, that are not yet many."""
FORMATS = {
    "bool": "B",
    "s8": "b",
    "u8": "B",
    "s16": "h",
    "u16": "H",
    "s32": "i",
    "u32": "I",
    "s64": "q",
    "u64": "Q",
    "f32": "f",
    "f64": "d",
    "char": "I",
}
"""`struct` codes of primitives, little-endian without alignment."""

NUMBERS = frozenset(FORMATS) - {"bool", "char"}
RANGES = {
    f"{s}{b}": ((-(1 << b - 1), (1 << b - 1) - 1) if s == "s" else (0, (1 << b) - 1))
    for s in "su"
    for b in (8, 16, 32, 64)
}
UNSIGNED = {1: "B", 2: "H", 4: "I", 8: "Q"}


def check_compilable(ft: FuncType) -> None:
    """Refuse function types that the compiled path has no code for."""
    if ft.depth > MAX_TYPE_DEPTH:
        raise UnsupportedFeatureError(
            f"types nested {ft.depth} deep", "wippywasm", hint=f"{MAX_TYPE_DEPTH} is the limit"
        )


@by_type
def weight(t: ValType) -> int:
    """How many nodes a type has as a tree, saturating well above `MAX_WEIGHT`."""
    match despecialize(t):
        case ListType(element=element):
            total = 2 + weight(element)
        case RecordType(fields=fields):
            total = 1 + sum(weight(f.type) for f in fields)
        case VariantType(cases=cases):
            total = 2 + len(cases) // 8 + sum(1 + weight(c.type) for c in cases if c.type is not None)
        case _:
            total = 1
    return min(total, 10 * MAX_WEIGHT)


def is_scalar(t: ValType) -> bool:
    """Whether a value is a leaf."""
    match despecialize(t):
        case Prim() | FlagsType() | OwnType() | BorrowType():
            return True
        case VariantType(cases=cases):
            return all(c.type is None for c in cases)
        case _:
            return False


def is_helper(t: ValType, level: int) -> bool:
    """Whether a type at that nesting level within one function gets a function of its own."""
    if t is STRING:
        return level == WIDE_LEVEL
    return level > 0 and not is_scalar(t) and (level >= MAX_LEVEL or weight(t) > MAX_WEIGHT)


def field_types(t: RecordType | TupleType) -> tuple[ValType, ...]:
    """The types of the fields of a record or tuple."""
    return t.items if isinstance(t, TupleType) else tuple([f.type for f in t.fields])


def field_level(fields: Sequence[object], level: int) -> int:
    """The level of the fields of a record or tuple that is at that level."""
    return level + 1 if len(fields) <= MAX_FIELDS else WIDE_LEVEL


@by_type
def has_many_cases(t: ValType) -> bool:
    """Whether a variant has more payloads than one function tells apart."""
    return isinstance(t, VariantType) and sum(c.type is not None for c in t.cases) > MAX_FIELDS


def number_list(t: ValType) -> str | None:
    """The name of the number type that a list (of any or of fixed length) is of, if it is."""
    if isinstance(t, ListType) and isinstance(t.element, Prim) and t.element.name in NUMBERS:
        return t.element.name
    return None


def is_bytes(t: ListType | MapType) -> bool:
    """Whether the atom of a list is the finished bytes of its elements; not if it may be passed flat."""
    if isinstance(t, ListType) and t.length is not None and t.length <= MAX_FLAT_PARAMS:
        return False
    return not has_pointers(list_element(t))


def list_element(t: ListType | MapType) -> ValType:
    """The element of a list, or the pair of a map."""
    return t.element if isinstance(t, ListType) else TupleType((t.key, t.value))


def atom_count(t: ValType, encoding: str, level: int) -> int:
    """How many atoms a value of that type has at that nesting level."""
    if is_helper(t, level):
        return 1
    match t:
        case Prim(name="string"):
            return 1 if encoding == "utf8" else 2
        case RecordType() | TupleType():
            types = field_types(t)
            return sum(atom_count(x, encoding, field_level(types, level)) for x in types)
        case _:
            return 1


def contains(t: ValType | None, wanted: Callable[[ValType], bool]) -> bool:
    """Whether a type is, or has in it, one that is wanted."""
    seen: set[ValType] = set()
    todo = [] if t is None else [t]
    while todo:
        t = todo.pop()
        if wanted(t):
            return True
        if t not in seen:
            seen.add(t)
            todo += parts(t)
    return False


def parts(t: ValType) -> list[ValType]:
    """The types that a type is made of, one level deep."""
    found: list[Any] = []
    for name in ("element", "key", "value", "type", "ok", "err"):
        found.append(getattr(t, name, None))
    found += [f.type for f in getattr(t, "fields", ())]
    found += getattr(t, "items", ())
    found += [c.type for c in getattr(t, "cases", ())]
    return [p for p in found if isinstance(p, ValType)]


def is_list(t: ValType) -> bool:
    return isinstance(t, ListType | MapType)


def is_handle(t: ValType) -> bool:
    return isinstance(t, OwnType | BorrowType)
