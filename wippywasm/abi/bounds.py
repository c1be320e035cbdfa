"""How much code is written for the values of a function: what is refused, and what is written more tersely.

In: the types of a function. Out: `UnsupportedFeatureError`, or whether its code is dense.
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.abi.parts import list_element, reached
from wippywasm.abi.shapes import weight
from wippywasm.abi.signature import show_type
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.layout import MAX_TYPE_DEPTH, is_async_value
from wippywasm.model import (
    FuncType,
    ListType,
    MapType,
    OptionType,
    Prim,
    RecordType,
    TupleType,
    ValType,
    field_types,
    parts,
)

MAX_UNFOLDED = 1_000
"""The nodes of a function's types as trees up to which code is not dense: a few ten thousand characters."""
MAX_PARTS = 30_000
"""The parts of different types that any call with them has to go through: half a second of writing code, or more."""
PARTS_OF_HELPER = 10
"""What the function for a type takes, beside its parts."""


def check_compilable(ft: FuncType) -> None:
    """Refuse function types that the compiled path has no code for."""
    if ft.depth > MAX_TYPE_DEPTH:
        raise UnsupportedFeatureError(
            f"types nested {ft.depth} deep", "wippywasm", hint=f"{MAX_TYPE_DEPTH} is the limit"
        )


def too_many_parts() -> UnsupportedFeatureError:
    """The error for types that it would take too long to write code for."""
    hint = "let it take less at once, or a list of what is alike"
    return UnsupportedFeatureError("room for values of types with so many parts", "wippywasm", hint=hint)


def check_values(types: Sequence[ValType]) -> None:
    """Refuse more parts than code is written for, and types whose values can't cross."""
    count = 0
    for t in reached(types, fields_of):
        count += 1 if isinstance(t, Prim) else PARTS_OF_HELPER + len(fields_of(t))
        if count > MAX_PARTS:
            raise too_many_parts()
    for t in reached(types, parts):
        if is_async_value(t):
            raise UnsupportedFeatureError(f"values of type `{show_type(t)}`", "wippywasm")


def is_dense(types: Sequence[ValType]) -> bool:
    """Whether code for values of these types is to be dense."""
    if sum([t.size for t in types]) > MAX_UNFOLDED:
        return True
    unfolded = sum(map(weight, types))
    for t in reached(types, parts):
        unfolded += weight(t)
        if unfolded > MAX_UNFOLDED:
            return True
    return False


def fields_of(t: ValType) -> tuple[ValType, ...]:
    """The types of what a value of a type has, unless it is a case among others."""
    match t:
        case RecordType() | TupleType():
            return field_types(t)
        case ListType() | MapType():
            return (list_element(t),)
        case OptionType(type=inner):
            return (inner,)
    return ()
