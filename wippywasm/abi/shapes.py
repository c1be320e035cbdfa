"""What the emitters agree on: how a value looks between being checked and being written, and what is a helper.

A checked value is a row of *atoms*, Python variables of generated code:

- a number, bool, char, enum or flags: one int or float, ready for `struct`;
- a string: its encoded bytes (and, unless the encoding is utf8, its tagged length);
- a list: one atom, the finished bytes where elements hold no pointers, else a list of rows of its elements;
- a record or tuple: the atoms of its fields; a fixed-length list: one atom, like a list;
- a variant: one atom, a tuple of the case's index and the payload's atoms;
- a handle: one atom, what `Scope.take_*` gave.

A type nested deep or large becomes a helper function, whose value is one atom: its row. So blocks stay shallow. In a
record or tuple of many fields all that takes more than a line is one; a variant of many cases has a table of them, for
the interpreter takes its time for a function of ten thousand branches, and guests for going through them. Of the fields
of a very wide record, and of very many parameters, each group is one, as a tuple of them would be.

Where a function's types unfold to much more than there is of them, code is *dense*: all types but leaves are helpers.
So code grows with what a file defines, not with the trees that it describes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from wippywasm.abi.by_type import by_type
from wippywasm.abi.parts import list_element
from wippywasm.dataclass import dataclass
from wippywasm.layout import MAX_FLAT_PARAMS, field_offsets, has_pointers
from wippywasm.model import (
    STRING,
    BorrowType,
    EnumType,
    FlagsType,
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
    field_types,
    parts,
)

MAX_ALIGNMENT = 8
MAX_LEVEL = 4
WIDE_LEVEL = MAX_LEVEL + 1
"""The level of fields among many."""
MAX_WEIGHT = 48
LONG = 100
"""The characters of labels that weigh as much as a type."""
MAX_FIELDS = 64
"""The fields of a record, and the payloads of a variant, that are not yet many."""
GROUP = 256
"""The fields of a record, or parameters, that one function reads or writes."""
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


@by_type
def weight(t: ValType) -> int:
    """How many nodes a type has as a tree, saturating well above `MAX_WEIGHT`."""
    match t:
        case RecordType(fields=fields):
            total = 1 + sum([weight(f.type) + len(f.name) // LONG for f in fields])
        case TupleType(items=items):
            total = 1 + sum(map(weight, items))
        case ListType(element=element):
            total = 2 + weight(element)
        case MapType(key=key, value=value):
            total = 3 + weight(key) + weight(value)
        case OptionType() | ResultType():
            total = 2 + sum([1 + weight(x) for x in parts(t)])
        case VariantType(cases=cases):
            total = 2 + len(cases) // 8 + sum([1 + weight(c.type) for c in cases if c.type is not None])
            total += sum([len(c.name) for c in cases]) // LONG
        case EnumType(names=names):
            total = 2 + len(names) // 8
        case _:
            total = 1
    return min(total, 10 * MAX_WEIGHT)


def is_scalar(t: ValType) -> bool:
    """Whether a value is a leaf."""
    match t:
        case Prim() | EnumType() | FlagsType() | OwnType() | BorrowType():
            return True
        case VariantType() | ResultType():
            return not parts(t)
        case _:
            return False


def is_helper(t: ValType, level: int, dense: bool) -> bool:
    """Whether a type at that nesting level within one function gets a function of its own."""
    if t is STRING:
        return level == WIDE_LEVEL
    return level > 0 and not is_scalar(t) and (dense or level >= MAX_LEVEL or weight(t) > MAX_WEIGHT)


def field_level(fields: Sequence[object], level: int, dense: bool) -> int:
    """The level of the fields of a record or tuple that is at that level."""
    return WIDE_LEVEL if dense or len(fields) > MAX_FIELDS else level + 1


@dataclass(frozen=True)
class Group:
    """Neighbours among many fields, which have a function as if they were a tuple."""

    type: TupleType
    start: int
    stop: int
    offset: int
    """Where that tuple is to be, a multiple of all alignments."""
    first: int
    """Where its first field is from there."""


def groups_of(types: Sequence[ValType]) -> list[Group]:
    """The groups of the fields of a record, or of parameters, if these are very many."""
    if len(types) <= GROUP:
        return []
    offsets = field_offsets(tuple(types))
    found = []
    for start in range(0, len(types), GROUP):
        some, at = tuple(types[start : start + GROUP]), offsets[start]
        found.append(Group(TupleType(some), start, start + len(some), at & -MAX_ALIGNMENT, at % MAX_ALIGNMENT))
    return found


@by_type
def has_many_cases(t: ValType) -> TypeGuard[VariantType]:
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


def atom_count(t: ValType, encoding: str, level: int, dense: bool) -> int:
    """How many atoms a value of that type has at that nesting level."""
    if is_helper(t, level, dense):
        return 1
    match t:
        case Prim(name="string"):
            return 1 if encoding == "utf8" else 2
        case RecordType() | TupleType():
            types = field_types(t)
            if groups := groups_of(types):
                return len(groups)
            below = field_level(types, level, dense)
            return sum(atom_count(x, encoding, below, dense) for x in types)
        case _:
            return 1
