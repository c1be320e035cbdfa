"""What values take of the host's memory once they are Python objects, which is far more than they take of the guest's.

In: types. Out: bytes, estimated from above for CPython on 64 bits; and the checks of strings and lists that generated
code leaves to functions, which charge such costs to the `Allowance` of a call. A list's elements are charged at once,
before the first is read. What is quickly made is charged for what is slowly read, so that the time of a call that has
no limit ends as well: some five seconds for all that it may take, and more where `reference` reads.

Spec: SPEC section 8 (hostile guests).
"""

from __future__ import annotations

import sys

from wippywasm.abi import traps
from wippywasm.abi.by_type import by_type
from wippywasm.abi.classes import ClassRecord
from wippywasm.abi.parts import list_element
from wippywasm.abi.shapes import FORMATS, number_list
from wippywasm.abi.state import Allowance
from wippywasm.layout import MAX_LIST_BYTE_LENGTH, MAX_STRING_BYTE_LENGTH, despecialize, elem_size
from wippywasm.model import (
    BOOL,
    BorrowType,
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
)

SLOT = 9
"""A list's reference to an element, with the room that a growing list keeps free."""
ELEMENT = 40
"""An element that is read by itself, as all are but numbers and bools, with the reference to it."""
REFERENCE_ELEMENT = 44
"""The same of what `reference` reads. It takes that several times as long, but forty million are to fit into a call."""
NUMBER = 32
CHAR = 64
HEADER = 64
"""An object without what it refers to: a tuple, a case of a variant."""
STRING = 128
"""A string without its characters."""
LIST = 256
"""A list, bytes or a map without what is in it."""
ENTRY = 104
"""An entry of a dict, which grows by doubling."""
HANDLE = 256
"""A resource and what remembers it until the call is over."""
STRING_FACTOR = {"utf8": 4, "utf16": 2, "latin1+utf16": 2}
"""One character outside the basic plane makes Python keep four bytes for each of a string's."""
UNCHECKED = 4096
"""Strings and lists up to so many bytes are not charged where they stand alone."""


def item_cost(t: ListType | MapType, arrays: bool) -> int:
    """Bytes for each element of a list or map, but for the strings and lists in it; `arrays` as in `Side`."""
    name = number_list(t)
    if name is not None and (arrays or name == "u8"):
        return elem_size(list_element(t))
    element = list_element(t)
    if name is not None or element is BOOL:
        return SLOT + host_cost(element, arrays)
    return ELEMENT + host_cost(element, arrays) + (ENTRY if isinstance(t, MapType) else 0)


@by_type
def host_cost(t: ValType, arrays: bool) -> int:
    """Bytes for a value beside the reference to it, without the contents of strings and of lists of any length."""
    match t:
        case Prim(name=name):
            return _prim_cost(name)
        case ListType(length=int(length)):
            return LIST + length * item_cost(t, arrays)
        case ListType() | MapType():
            return LIST
        case RecordType():
            return _record_cost(t) + sum(host_cost(f.type, arrays) for f in t.fields)
        case TupleType(items=items):
            return HEADER + sum(8 + host_cost(i, arrays) for i in items)
        case FlagsType(names=names):
            return 2 * sys.getsizeof(set(names))
        case OptionType(type=inner):
            return host_cost(inner, arrays) + (HEADER if isinstance(inner, OptionType) else 0)
        case ResultType(ok=ok, err=err):
            return HEADER + max(0 if x is None else host_cost(x, arrays) for x in (ok, err))
        case VariantType(cases=cases):
            return HEADER + max((host_cost(c.type, arrays) for c in cases if c.type is not None), default=0)
        case OwnType() | BorrowType():
            return HANDLE
    return 0


@by_type
def reference_cost(t: ValType) -> int:
    """`host_cost` for the values of `reference`, in which most things are dicts."""
    match despecialize(t):
        case Prim(name="string"):
            return 2 * HEADER + NUMBER
        case ListType(element=element, length=int(length)):
            return HEADER + length * (REFERENCE_ELEMENT + reference_cost(element))
        case RecordType(fields=fields) as record:
            return _record_cost(record) + sum(reference_cost(f.type) for f in fields)
        case VariantType(cases=cases):
            return (
                HEADER + _dict_size("") + max((reference_cost(c.type) for c in cases if c.type is not None), default=0)
            )
        case FlagsType(names=names):
            return HEADER + _dict_size(*names)
        case other:
            return host_cost(other, False)


def _prim_cost(name: str) -> int:
    if name == "string":
        return STRING
    if name == "char":
        return CHAR
    return 0 if name in ("bool", "u8") else NUMBER if name in FORMATS else HEADER


def _record_cost(t: RecordType) -> int:
    if isinstance(t, ClassRecord) and hasattr(t.cls, "__slots__"):
        return HEADER + 8 * len(t.fields)
    return HEADER + _dict_size(*(f.name for f in t.fields))


def _dict_size(*keys: str) -> int:
    return sys.getsizeof(dict.fromkeys(keys))


def check_string(
    pointer: int, align: int, size: int, end: int, boundary: traps.Boundary, cx: Allowance | None, cost: int, what: str
) -> int:
    """Trap where a string is not all there, not aligned or too long, else charge a cost, of which 0 is left."""
    if pointer & (align - 1) or pointer + size > end or size > MAX_STRING_BYTE_LENGTH:
        traps.bad_string(pointer, align, boundary)
    if cx is not None:
        cx.spend(cost, what)
    return 0


def check_list(
    pointer: int, align: int, size: int, end: int, boundary: traps.Boundary, cx: Allowance | None, cost: int, what: str
) -> int:
    """The same for a list."""
    if pointer & (align - 1) or pointer + size > end or size > MAX_LIST_BYTE_LENGTH:
        traps.bad_list(pointer, align, boundary)
    if cx is not None:
        cx.spend(cost, what)
    return 0
