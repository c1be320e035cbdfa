"""Sizes, alignments and flattening of value types: the only place that knows them.

In: a structural value or function type (no `TypeDef`). Out: numbers and core types. Results are kept with the type,
since types are interned and hostile ones share their nodes: work grows with the nodes of a type, not with its tree.

Spec: `CanonicalABI.md`, from "Despecialization" to "Element Size", and "Flattening".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast

from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.model import (
    BorrowType,
    Case,
    EnumType,
    Field,
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
    TypeDef,
    ValType,
    VariantType,
    field_types,
    parts,
)

MAX_FLAT_PARAMS = 16
MAX_FLAT_ASYNC_PARAMS = 4
MAX_FLAT_RESULTS = 1
MAX_STRING_BYTE_LENGTH = (1 << 28) - 1
MAX_LIST_BYTE_LENGTH = (1 << 28) - 1
MAX_HOST_BYTES = 1 << 31
"""How much of the host's memory the values that a guest passes in one call may take; a limit of ours."""
MAX_FLAGS = 32
MAX_TYPE_DEPTH = 102
"""Function types higher than this are not compiled; Python's own stack bounds what walks them."""

PtrType: TypeAlias = str
"""`i32` or `i64`: the address type of the memory."""

F = TypeVar("F", bound=Callable[..., Any])


def _remember(function: F) -> F:
    """Keep what a function finds about a type, by the pointers that it is asked for, for as long as the type lives."""
    narrow, wide = f"_{function.__name__}", f"_{function.__name__}_64"

    @wraps(function)
    def remembered(t: ValType | FuncType, *ptr_type: PtrType) -> Any:
        kept = wide if ptr_type == ("i64",) else narrow
        # Not by `__dict__`: where two threads ask for that first, CPython 3.11 frees it twice.
        found = getattr(t, kept, None)
        if found is None:
            found = function(t, *ptr_type)
            if found is not t:
                object.__setattr__(t, kept, found)
        return found

    return cast("F", remembered)


_PRIM_SIZES = {
    "bool": 1,
    "s8": 1,
    "u8": 1,
    "s16": 2,
    "u16": 2,
    "s32": 4,
    "u32": 4,
    "s64": 8,
    "u64": 8,
    "f32": 4,
    "f64": 8,
    "char": 4,
    "error-context": 4,
}
_PRIM_FLAT = {"s64": "i64", "u64": "i64", "f32": "f32", "f64": "f64"}


def ptr_size(ptr_type: PtrType) -> int:
    """Bytes of an address."""
    return 4 if ptr_type == "i32" else 8


@_remember
def despecialize(t: ValType) -> ValType:
    """The fundamental type that a specialized one stands for, one level deep."""
    match t:
        case TupleType(items=items):
            return RecordType(tuple(Field(str(i), item) for i, item in enumerate(items)))
        case EnumType(names=names):
            return VariantType(tuple(Case(n) for n in names))
        case OptionType(type=inner):
            return VariantType((Case("none"), Case("some", inner)))
        case ResultType(ok=ok, err=err):
            return VariantType((Case("ok", ok), Case("error", err)))
        case MapType(key=key, value=value):
            return ListType(TupleType((key, value)))
        case TypeDef():
            raise TypeError(f"{t!r} is a name; lay out model.structural() of it")
        case _:
            return t


def _despecialize(t: ValType) -> ValType:
    """The same, but for tuples, which are as they are: a record for each of thousands takes more than they do."""
    return t if isinstance(t, TupleType) else despecialize(t)


@_remember
def alignment(t: ValType, ptr_type: PtrType = "i32") -> int:
    """Alignment in bytes of a value in memory."""
    match _despecialize(t):
        case Prim(name="string"):
            return ptr_size(ptr_type)
        case Prim(name=name):
            return _PRIM_SIZES[name]
        case ListType(element=element, length=length):
            return ptr_size(ptr_type) if length is None else alignment(element, ptr_type)
        case RecordType() | TupleType() as fields:
            return max([alignment(part, ptr_type) for part in field_types(fields)], default=1)
        case VariantType(cases=cases):
            return max(discriminant_size(len(cases)), max_case_alignment(cases, ptr_type))
        case FlagsType(names=names):
            return flags_size(len(names))
        case OwnType() | BorrowType() | StreamType() | FutureType():
            return 4
    raise TypeError(f"not a value type: {t!r}")


def discriminant_size(cases: int) -> int:
    """Bytes of the discriminant of a variant with that many cases."""
    if cases <= 0x100:
        return 1
    return 2 if cases <= 0x10000 else 4


def discriminant_type(cases: int) -> Prim:
    """The integer type of the discriminant of a variant with that many cases."""
    return Prim({1: "u8", 2: "u16", 4: "u32"}[discriminant_size(cases)])


def max_case_alignment(cases: tuple[Case, ...], ptr_type: PtrType = "i32") -> int:
    """Alignment in bytes of the payload of a variant, whichever case it is."""
    return max((alignment(c.type, ptr_type) for c in cases if c.type is not None), default=1)


def flags_size(labels: int) -> int:
    """Bytes (and alignment) of flags with that many labels."""
    if labels <= 8:
        return 1
    return 2 if labels <= 16 else 4


def align_to(offset: int, to: int) -> int:
    """The next multiple of `to`, a power of two."""
    return (offset + to - 1) & -to


@_remember
def elem_size(t: ValType, ptr_type: PtrType = "i32") -> int:
    """Bytes that a value takes in memory, padded to its alignment."""
    match _despecialize(t):
        case Prim(name="string"):
            return 2 * ptr_size(ptr_type)
        case Prim(name=name):
            return _PRIM_SIZES[name]
        case ListType(element=element, length=length):
            return 2 * ptr_size(ptr_type) if length is None else length * elem_size(element, ptr_type)
        case RecordType() | TupleType() as fields:
            return align_to(_record_end(field_types(fields), ptr_type), alignment(t, ptr_type))
        case VariantType(cases=cases):
            payload = max((elem_size(c.type, ptr_type) for c in cases if c.type is not None), default=0)
            return align_to(payload_offset(cases, ptr_type) + payload, alignment(t, ptr_type))
        case FlagsType(names=names):
            return flags_size(len(names))
        case OwnType() | BorrowType() | StreamType() | FutureType():
            return 4
    raise TypeError(f"not a value type: {t!r}")


def _record_end(types: tuple[ValType, ...], ptr_type: PtrType) -> int:
    end = 0
    for t in types:
        end = align_to(end, alignment(t, ptr_type)) + elem_size(t, ptr_type)
    return end


def field_offsets(types: tuple[ValType, ...], ptr_type: PtrType = "i32", end: int = 0) -> tuple[int, ...]:
    """Where each field of a record (or item of a tuple) of these types starts; `end` is that of what is before them."""
    offsets = []
    for t in types:
        end = align_to(end, alignment(t, ptr_type))
        offsets.append(end)
        end += elem_size(t, ptr_type)
    return tuple(offsets)


def payload_offset(cases: tuple[Case, ...], ptr_type: PtrType = "i32") -> int:
    """Where the payload of a variant starts."""
    return align_to(discriminant_size(len(cases)), max_case_alignment(cases, ptr_type))


@_remember
def flatten_type(t: ValType, ptr_type: PtrType = "i32") -> tuple[CoreValType, ...]:
    """The core types a value takes when passed flat, cut off one past `MAX_FLAT_PARAMS`: longer ones never go flat."""
    match _despecialize(t):
        case Prim(name="string"):
            return (ptr_type, ptr_type)
        case Prim(name=name):
            return (_PRIM_FLAT.get(name, "i32"),)
        case ListType(length=None):
            return (ptr_type, ptr_type)
        case ListType(element=element, length=int(length)):
            return flatten_types((element,) * min(length, MAX_FLAT_PARAMS + 1), ptr_type)
        case RecordType() | TupleType() as fields:
            return flatten_types(field_types(fields), ptr_type)
        case VariantType(cases=cases):
            return _flatten_variant(cases, ptr_type)
        case FlagsType() | OwnType() | BorrowType() | StreamType() | FutureType():
            return ("i32",)
    raise TypeError(f"not a value type: {t!r}")


def flatten_types(types: tuple[ValType, ...], ptr_type: PtrType = "i32") -> tuple[CoreValType, ...]:
    """`flatten_type` of a sequence, cut off likewise."""
    flat: list[CoreValType] = []
    for t in types:
        flat += flatten_type(t, ptr_type)
        if len(flat) > MAX_FLAT_PARAMS:
            return tuple(flat[: MAX_FLAT_PARAMS + 1])
    return tuple(flat)


def _flatten_variant(cases: tuple[Case, ...], ptr_type: PtrType) -> tuple[CoreValType, ...]:
    flat: list[CoreValType] = []
    for c in cases:
        if c.type is not None:
            for i, have in enumerate(flatten_type(c.type, ptr_type)):
                if i < len(flat):
                    flat[i] = join(flat[i], have)
                else:
                    flat.append(have)
    return ("i32", *flat)[: MAX_FLAT_PARAMS + 1]


def join(a: CoreValType, b: CoreValType) -> CoreValType:
    """The core type that carries either of two."""
    if a == b:
        return a
    return "i32" if {a, b} == {"i32", "f32"} else "i64"


@_remember
def flatten_params(ft: FuncType, ptr_type: PtrType = "i32") -> tuple[CoreValType, ...]:
    """`flatten_types` of the parameters of a function."""
    return flatten_types(tuple(p.type for p in ft.params), ptr_type)


@_remember
def params_need_memory(ft: FuncType) -> bool:
    """Whether lifting or lowering the parameters of a function follows pointers."""
    return any(needs_memory(p.type) for p in ft.params)


def flatten_functype(ft: FuncType, context: str, *, ptr_type: PtrType = "i32", abi: str = "sync") -> CoreFuncType:
    """The core type behind a function: of the callee where `context` is `lift`, of the import where it is `lower`.

    `abi` is `sync`, `async`, or `callback` for an asynchronous lift with a callback.
    """
    params = flatten_params(ft, ptr_type)
    results = () if ft.result is None else flatten_type(ft.result, ptr_type)
    if abi != "sync":
        return _flatten_async(params, results, "callback" if abi == "callback" else context, ptr_type)
    if len(params) > MAX_FLAT_PARAMS:
        params = (ptr_type,)
    if len(results) > MAX_FLAT_RESULTS:
        if context == "lift":
            return CoreFuncType(params, (ptr_type,))
        return CoreFuncType((*params, ptr_type), ())
    return CoreFuncType(params, results)


def _flatten_async(
    params: tuple[CoreValType, ...],
    results: tuple[CoreValType, ...],
    context: str,
    ptr_type: PtrType,
) -> CoreFuncType:
    if context != "lower":
        results = ("i32",) if context == "callback" else ()
        return CoreFuncType((ptr_type,) if len(params) > MAX_FLAT_PARAMS else params, results)
    if len(params) > MAX_FLAT_ASYNC_PARAMS:
        params = (ptr_type,)
    return CoreFuncType((*params, ptr_type) if results else params, ("i32",))


def is_by_pointer(t: ValType) -> bool:
    """Whether a value has memory of its own: a string, a list of any length, a map."""
    match t:
        case Prim(name="string") | MapType() | ListType(length=None):
            return True
        case _:
            return False


def is_async_value(t: ValType) -> bool:
    """Whether a value is a stream, a future or an error context."""
    return isinstance(t, StreamType | FutureType) or (isinstance(t, Prim) and t.name == "error-context")


@_remember
def needs_memory(t: ValType) -> bool:
    """Whether lifting or lowering a value follows pointers."""
    return is_by_pointer(t) or (not is_async_value(t) and any(map(needs_memory, parts(t))))


@_remember
def has_pointers(t: ValType) -> bool:
    """Whether a value in memory refers to other memory (strings, lists), or to a handle table."""
    if is_by_pointer(t) or is_async_value(t) or isinstance(t, OwnType | BorrowType):
        return True
    return any(map(has_pointers, parts(t)))


@_remember
def contains_borrow(t: ValType) -> bool:
    """Whether a borrowed handle can be part of a value."""
    return isinstance(t, BorrowType) or any(map(contains_borrow, parts(t)))


@_remember
def contains_async_value(t: ValType) -> bool:
    """Whether a stream, a future or an error context can be part of a value."""
    return is_async_value(t) or any(map(contains_async_value, parts(t)))
