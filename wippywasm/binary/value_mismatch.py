"""Why two value types or function types differ, in words.

In: two types that are not equal. Out: a sentence that leads to the first difference. Types are equal exactly where they
are one object, so the walk goes down one path only.

Spec: component-model `Explainer.md`, "Type Checking" (structural equality of value types).
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.model import (
    BorrowType,
    EnumType,
    FlagsType,
    FuncType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    Prim,
    RecordType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)

NAMES: dict[type[ValType], str] = {
    ListType: "list",
    RecordType: "record",
    TupleType: "tuple",
    VariantType: "variant",
    EnumType: "enum",
    FlagsType: "flags",
    OptionType: "option",
    ResultType: "result",
    MapType: "map",
    StreamType: "stream",
    FutureType: "future",
    OwnType: "own",
    BorrowType: "borrow",
}


def kind_of(type: ValType) -> str:
    """The type's constructor, or its name where it is primitive."""
    return type.name if isinstance(type, Prim) else NAMES[type.__class__]


def func_difference(actual: FuncType, expected: FuncType) -> str:
    """Why a function of type `actual` is not one of type `expected`."""
    if actual.is_async != expected.is_async:
        return "expected an async function" if expected.is_async else "expected a function that is not async"
    if len(actual.params) != len(expected.params):
        return f"expected {len(expected.params)} parameters, found {len(actual.params)}"
    for have, want in zip(actual.params, expected.params):
        if have.name != want.name:
            return f"expected parameter named `{want.name}`, found `{have.name}`"
        if have.type is not want.type:
            return f"type mismatch in function parameter `{want.name}`: {difference(have.type, want.type)}"
    if actual.result is None or expected.result is None:
        return f"expected a result, found none: {'the first' if actual.result else 'the second'} function returns one"
    return f"type mismatch with result type: {difference(actual.result, expected.result)}"


def difference(actual: ValType, expected: ValType) -> str:
    """Why `actual` is not `expected`."""
    if isinstance(expected, Prim):
        if isinstance(actual, Prim):
            return f"expected primitive `{expected.name}` found primitive `{actual.name}`"
        return f"expected primitive, found {kind_of(actual)}" if expected.name else ""
    if type(actual) is not type(expected):
        return f"expected {kind_of(expected)}, found {kind_of(actual)}"
    return _inner_difference(actual, expected)


def _inner_difference(actual: ValType, expected: ValType) -> str:
    match actual, expected:
        case RecordType(), RecordType():
            return _record(actual, expected)
        case VariantType(), VariantType():
            return _variant(actual, expected)
        case TupleType(), TupleType():
            return _tuple(actual.items, expected.items)
        case FlagsType(), FlagsType():
            return "mismatch in flags elements"
        case EnumType(), EnumType():
            return "mismatch in enum elements"
        case ResultType(), ResultType():
            return _result(actual, expected)
        case (OwnType(), OwnType()) | (BorrowType(), BorrowType()):
            return "resource types are not the same"
        case ListType(), ListType() if actual.length != expected.length:
            return f"expected a list of length {expected.length}, found {actual.length}"
        case ListType(element=have), ListType(element=want):
            return difference(have, want)
        case StreamType(element=some), StreamType(element=other):
            return _optional(some, other, "element", "stream")
        case FutureType(element=some), FutureType(element=other):
            return _optional(some, other, "element", "future")
        case OptionType(), OptionType():
            return difference(actual.type, expected.type)
        case MapType(), MapType() if actual.key is not expected.key:
            return f"type mismatch in map key: {difference(actual.key, expected.key)}"
        case MapType(value=have), MapType(value=want):
            return f"type mismatch in map value: {difference(have, want)}"
        case _:
            raise AssertionError(f"{kind_of(actual)} and {kind_of(expected)} do not differ")


def _record(actual: RecordType, expected: RecordType) -> str:
    if len(actual.fields) != len(expected.fields):
        return f"expected {len(expected.fields)} fields, found {len(actual.fields)}"
    for have, want in zip(actual.fields, expected.fields):
        if have.name != want.name:
            return f"expected field name `{want.name}`, found `{have.name}`"
        if have.type is not want.type:
            return f"type mismatch in record field `{want.name}`: {difference(have.type, want.type)}"
    raise AssertionError("equal records")


def _variant(actual: VariantType, expected: VariantType) -> str:
    if len(actual.cases) != len(expected.cases):
        return f"expected {len(expected.cases)} cases, found {len(actual.cases)}"
    for have, want in zip(actual.cases, expected.cases):
        if have.name != want.name:
            return f"expected case named `{want.name}`, found `{have.name}`"
        if want.type is not None and have.type is None:
            return f"expected case `{want.name}` to have a type, found none"
        if want.type is None and have.type is not None:
            return f"expected case `{want.name}` to have no type"
        if have.type is not None and want.type is not None and have.type is not want.type:
            return f"type mismatch in variant case `{want.name}`: {difference(have.type, want.type)}"
    raise AssertionError("equal variants")


def _tuple(actual: Sequence[ValType], expected: Sequence[ValType]) -> str:
    if len(actual) != len(expected):
        return f"expected {len(expected)} types, found {len(actual)}"
    for index, (have, want) in enumerate(zip(actual, expected)):
        if have is not want:
            return f"type mismatch in tuple field {index}: {difference(have, want)}"
    raise AssertionError("equal tuples")


def _result(actual: ResultType, expected: ResultType) -> str:
    if actual.ok is not expected.ok:
        return _optional(actual.ok, expected.ok, "ok", "ok variant")
    return _optional(actual.err, expected.err, "err", "err variant")


def _optional(actual: ValType | None, expected: ValType | None, what: str, where: str) -> str:
    if actual is None:
        return f"expected {what} type, but found none"
    if expected is None:
        return f"expected {what} type to not be present"
    return f"type mismatch in {where}: {difference(actual, expected)}"
