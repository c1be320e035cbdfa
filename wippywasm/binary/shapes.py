"""How large a value type is in memory and how it flattens, as far as validation asks.

In: value types. Out: sizes under the `i64` ABI, which bound every type; flat core types, cut off just past the most
that matters; whether a value needs memory. Everything is remembered by type, since types share their parts.

Spec: component-model `CanonicalABI.md`, "Alignment", "Element Size", "Flattening", "canonopt Validation".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.model import (
    EnumType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)

MAX_FLAT_PARAMS = 16
MAX_FLAT_ASYNC_PARAMS = 4
MAX_FLAT_RESULTS = 1
CUT = MAX_FLAT_PARAMS + 1
POINTER_64 = 8

_SCALAR_SIZE = {"bool": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "s64": 8, "u64": 8, "f64": 8}
_SCALAR_FLAT = {"s64": "i64", "u64": "i64", "f32": "f32", "f64": "f64"}

Flat = tuple[CoreValType, ...]


@dataclass(frozen=True)
class Layout:
    """Size and alignment in bytes."""

    size: int
    alignment: int


def align_to(offset: int, alignment: int) -> int:
    return (offset + alignment - 1) // alignment * alignment


def discriminant_size(cases: int) -> int:
    return 1 if cases <= 1 << 8 else 2 if cases <= 1 << 16 else 4


def join(a: CoreValType, b: CoreValType) -> CoreValType:
    """The core type that holds either."""
    if a == b:
        return a
    return "i32" if {a, b} == {"i32", "f32"} else "i64"


def cases_of(type: ValType) -> Sequence[ValType | None] | None:
    """The payloads of a type that despecialises to a variant, else None."""
    match type:
        case VariantType():
            return [case.type for case in type.cases]
        case EnumType():
            return [None] * len(type.names)
        case OptionType():
            return [None, type.type]
        case ResultType():
            return [type.ok, type.err]
        case _:
            return None


def fields_of(type: ValType) -> Sequence[ValType] | None:
    """The fields of a type that despecialises to a record, flags apart, else None."""
    match type:
        case RecordType():
            return [field.type for field in type.fields]
        case TupleType():
            return type.items
        case _:
            return None


def is_by_pointer(type: ValType) -> bool:
    """Is the value elsewhere in memory: a string, a list without a fixed length, a map?"""
    match type:
        case Prim(name="string") | MapType() | ListType(length=None):
            return True
        case _:
            return False


class Shapes:
    """The shapes of the types of one file."""

    def __init__(self) -> None:
        self._layouts: dict[ValType, Layout] = {}
        self._flat: dict[ValType, Flat] = {}
        self._memory: dict[ValType, bool] = {}

    # ---- memory ----------------------------------------------------------------------------------------------------

    def layout(self, type: ValType) -> Layout:
        """Size and alignment with pointers of 64 bits."""
        found = self._layouts.get(type)
        if found is None:
            found = self._layouts[type] = self._layout(type)
        return found

    def _layout(self, type: ValType) -> Layout:
        if is_by_pointer(type):
            return Layout(2 * POINTER_64, POINTER_64)
        cases, fields = cases_of(type), fields_of(type)
        if cases is not None:
            return self._variant(cases)
        if fields is not None:
            return self._record(fields)
        match type:
            case ListType(length=int() as length):
                element = self.layout(type.element)
                return Layout(length * element.size, element.alignment)
            case FlagsType():
                size = 1 if len(type.names) <= 8 else 2 if len(type.names) <= 16 else 4
                return Layout(size, size)
            case Prim():
                size = _SCALAR_SIZE.get(type.name, 4)
                return Layout(size, size)
            case _:
                return Layout(4, 4)

    def _record(self, fields: Iterable[ValType]) -> Layout:
        size, alignment = 0, 1
        for field in map(self.layout, fields):
            size = align_to(size, field.alignment) + field.size
            alignment = max(alignment, field.alignment)
        return Layout(align_to(size, alignment), alignment)

    def _variant(self, cases: Sequence[ValType | None]) -> Layout:
        payloads = [self.layout(case) for case in cases if case is not None]
        discriminant = discriminant_size(len(cases))
        payload_alignment = max((p.alignment for p in payloads), default=1)
        alignment = max(discriminant, payload_alignment)
        size = align_to(discriminant, payload_alignment) + max((p.size for p in payloads), default=0)
        return Layout(align_to(size, alignment), alignment)

    def needs_memory(self, type: ValType) -> bool:
        """Does lifting or lowering a value follow pointers?"""
        found = self._memory.get(type)
        if found is None:
            parts = [p for p in cases_of(type) or fields_of(type) or _elements(type) if p is not None]
            found = self._memory[type] = is_by_pointer(type) or any(map(self.needs_memory, parts))
        return found

    # ---- flattening ------------------------------------------------------------------------------------------------

    def flat(self, type: ValType) -> Flat:
        """The core types of a value that is passed flat, no more than `CUT` of them; pointers are `i32`."""
        found = self._flat.get(type)
        if found is None:
            found = self._flat[type] = self._flatten(type)
        return found

    def _flatten(self, type: ValType) -> Flat:
        if is_by_pointer(type):
            return ("i32", "i32")
        cases, fields = cases_of(type), fields_of(type)
        if cases is not None:
            return ("i32", *self._flatten_cases(cases))[:CUT]
        if fields is not None:
            return self.flat_all(fields)
        match type:
            case ListType(length=int() as length):
                return (self.flat(type.element) * min(length, CUT))[:CUT]
            case Prim():
                return (_SCALAR_FLAT.get(type.name, "i32"),)
            case _:
                return ("i32",)

    def _flatten_cases(self, cases: Iterable[ValType | None]) -> Flat:
        flat: list[CoreValType] = []
        for case in cases:
            for i, core in enumerate(self.flat(case) if case is not None else ()):
                if i < len(flat):
                    flat[i] = join(flat[i], core)
                else:
                    flat.append(core)
        return tuple(flat)

    def flat_all(self, types: Iterable[ValType]) -> Flat:
        """The core types of several values in a row, cut off likewise."""
        flat: list[CoreValType] = []
        for type in types:
            flat += self.flat(type)
            if len(flat) >= CUT:
                return tuple(flat[:CUT])
        return tuple(flat)

    def flat_params(self, type: FuncType) -> Flat:
        return self.flat_all(param.type for param in type.params)

    def flat_results(self, type: FuncType) -> Flat:
        return () if type.result is None else self.flat(type.result)

    def lifted(self, type: FuncType) -> CoreFuncType:
        """`flatten_functype` for a synchronous `canon lift`."""
        params, results = self.flat_params(type), self.flat_results(type)
        return CoreFuncType(spilled(params, MAX_FLAT_PARAMS), spilled(results, MAX_FLAT_RESULTS))

    def lifted_async(self, type: FuncType, callback: bool) -> CoreFuncType:
        """`flatten_functype` for an asynchronous `canon lift`."""
        return CoreFuncType(spilled(self.flat_params(type), MAX_FLAT_PARAMS), ("i32",) if callback else ())

    def lowered(self, type: FuncType) -> CoreFuncType:
        """`flatten_functype` for a synchronous `canon lower`."""
        params, results = spilled(self.flat_params(type), MAX_FLAT_PARAMS), self.flat_results(type)
        if len(results) > MAX_FLAT_RESULTS:
            return CoreFuncType((*params, "i32"), ())
        return CoreFuncType(params, results)

    def lowered_async(self, type: FuncType) -> CoreFuncType:
        """`flatten_functype` for an asynchronous `canon lower`."""
        params = spilled(self.flat_params(type), MAX_FLAT_ASYNC_PARAMS)
        return CoreFuncType((*params, "i32") if type.result is not None else params, ("i32",))


def spilled(flat: Flat, most: int) -> Flat:
    """The values themselves, or a pointer to them where they are more than may be passed flat."""
    return ("i32",) if len(flat) > most else flat


def _elements(type: ValType) -> Sequence[ValType]:
    return (type.element,) if isinstance(type, ListType) else ()
