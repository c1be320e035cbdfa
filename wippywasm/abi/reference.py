"""The canonical ABI as the specification writes it: a slow interpreter with the specification's own names.

In: types, and values as the specification has them: a record is a dict by label, a variant a dict with one label,
flags a dict of bools, a map a list of pairs, a string (text, encoding it came in, tagged code units), a handle its
representation. Out: the same, or a trap. It is the oracle that compiled code is compared with, and it carries calls
between components whose strings differ in encoding, where guests can see each step of the transcoding.

Spec: `CanonicalABI.md`, "Loading" and "Storing"; `reference_flat`, `reference_strings` and `reference_handles` have the
rest.
"""

from __future__ import annotations

import struct
from typing import Any

from wippywasm.abi.costs import REFERENCE_ELEMENT, reference_cost
from wippywasm.abi.pacing import MOST_NESTED, in_pieces
from wippywasm.abi.reference_context import LiftLowerContext
from wippywasm.abi.reference_handles import lift_borrow, lift_own, lower_borrow, lower_own
from wippywasm.abi.reference_strings import load_string_from_range, store_string_into_range
from wippywasm.abi.signature import show_type
from wippywasm.abi.traps import bad_char, bad_discriminant, bad_list
from wippywasm.layout import (
    MAX_LIST_BYTE_LENGTH,
    align_to,
    alignment,
    despecialize,
    discriminant_size,
    elem_size,
    flags_size,
    max_case_alignment,
)
from wippywasm.model import (
    BorrowType,
    Case,
    Field,
    FlagsType,
    ListType,
    OwnType,
    Prim,
    RecordType,
    ValType,
    VariantType,
)

INTS = {"s8": (1, True), "u8": (1, False), "s16": (2, True), "u16": (2, False)} | {
    "s32": (4, True),
    "u32": (4, False),
    "s64": (8, True),
    "u64": (8, False),
}


# ---- loading ------------------------------------------------------------------------------------------------------


def load(cx: LiftLowerContext, ptr: int, t: ValType) -> Any:
    """The value at an aligned pointer with room behind it."""
    assert ptr == align_to(ptr, alignment(t))
    match despecialize(t):
        case Prim(name="string"):
            return load_string_from_range(cx, load_int(cx, ptr, 4), load_int(cx, ptr + 4, 4))
        case Prim(name=name):
            return load_prim(cx, ptr, name)
        case ListType(element=element, length=length):
            return load_list(cx, ptr, element, length)
        case RecordType(fields=fields):
            return load_record(cx, ptr, fields)
        case VariantType(cases=cases):
            return load_variant(cx, ptr, cases)
        case FlagsType(names=names):
            return unpack_flags_from_int(load_int(cx, ptr, flags_size(len(names))), names)
        case OwnType() as own:
            return lift_own(cx, load_int(cx, ptr, 4), own)
        case BorrowType() as borrow:
            return lift_borrow(cx, load_int(cx, ptr, 4), borrow)
    raise NotImplementedError(t)


def load_int(cx: LiftLowerContext, ptr: int, nbytes: int, signed: bool = False) -> int:
    return int.from_bytes(cx.read(ptr, nbytes), "little", signed=signed)


def load_prim(cx: LiftLowerContext, ptr: int, name: str) -> Any:
    match name:
        case "bool":
            return load_int(cx, ptr, 1) != 0
        case "f32":
            return decode_i32_as_float(load_int(cx, ptr, 4))
        case "f64":
            return decode_i64_as_float(load_int(cx, ptr, 8))
        case "char":
            return convert_i32_to_char(load_int(cx, ptr, 4))
    nbytes, signed = INTS[name]
    return load_int(cx, ptr, nbytes, signed)


def canonicalize_nan(f: float) -> float:
    return core_f64_reinterpret_i64(0x7FF8_0000_0000_0000) if f != f else f


def decode_i32_as_float(i: int) -> float:
    return canonicalize_nan(core_f32_reinterpret_i32(i))


def decode_i64_as_float(i: int) -> float:
    return canonicalize_nan(core_f64_reinterpret_i64(i))


def core_f32_reinterpret_i32(i: int) -> float:
    value: float = struct.unpack("<f", struct.pack("<I", i))[0]
    return value


def core_f64_reinterpret_i64(i: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", i))[0]
    return value


def convert_i32_to_char(i: int) -> str:
    if i >= 0x110000 or 0xD800 <= i <= 0xDFFF:
        bad_char()
    return chr(i)


def load_list(cx: LiftLowerContext, ptr: int, element: ValType, length: int | None) -> list[Any]:
    if length is not None:
        return load_list_from_valid_range(cx, ptr, length, element)
    return load_list_from_range(cx, load_int(cx, ptr, 4), load_int(cx, ptr + 4, 4), element)


def load_list_from_range(cx: LiftLowerContext, ptr: int, length: int, element: ValType) -> list[Any]:
    size = length * elem_size(element)
    if size > MAX_LIST_BYTE_LENGTH or ptr != align_to(ptr, alignment(element)) or ptr + size > cx.memory_size():
        bad_list(ptr, alignment(element), cx.boundary)
    cx.allowance.spend(length * (REFERENCE_ELEMENT + reference_cost(element)), show_type(element))
    return load_list_from_valid_range(cx, ptr, length, element)


def load_list_from_valid_range(cx: LiftLowerContext, ptr: int, length: int, element: ValType) -> list[Any]:
    return [
        load(cx, ptr + i * elem_size(element), element) for i in in_pieces(cx.allowance, range(length), MOST_NESTED)
    ]


def load_record(cx: LiftLowerContext, ptr: int, fields: tuple[Field, ...]) -> dict[str, Any]:
    record = {}
    for f in fields:
        ptr = align_to(ptr, alignment(f.type))
        record[f.name] = load(cx, ptr, f.type)
        ptr += elem_size(f.type)
    return record


def load_variant(cx: LiftLowerContext, ptr: int, cases: tuple[Case, ...]) -> dict[str, Any]:
    disc_size = discriminant_size(len(cases))
    case_index = load_int(cx, ptr, disc_size)
    if case_index >= len(cases):
        bad_discriminant()
    ptr = align_to(ptr + disc_size, max_case_alignment(cases))
    c = cases[case_index]
    return {c.name: None if c.type is None else load(cx, ptr, c.type)}


def unpack_flags_from_int(i: int, labels: tuple[str, ...]) -> dict[str, bool]:
    return {label: bool(i >> n & 1) for n, label in enumerate(labels)}


# ---- storing ------------------------------------------------------------------------------------------------------


def store(cx: LiftLowerContext, v: Any, t: ValType, ptr: int) -> None:
    """Write a value to an aligned pointer with room behind it."""
    assert ptr == align_to(ptr, alignment(t))
    match despecialize(t):
        case Prim(name="string"):
            store_range(cx, store_string_into_range(cx, v), ptr)
        case Prim(name=name):
            store_prim(cx, v, ptr, name)
        case ListType(element=element, length=length):
            store_list(cx, v, ptr, element, length)
        case RecordType(fields=fields):
            store_record(cx, v, ptr, fields)
        case VariantType(cases=cases):
            store_variant(cx, v, ptr, cases)
        case FlagsType(names=names):
            store_int(cx, pack_flags_into_int(v, names), ptr, flags_size(len(names)))
        case OwnType() as own:
            store_int(cx, lower_own(cx, v, own), ptr, 4)
        case BorrowType() as borrow:
            store_int(cx, lower_borrow(cx, v, borrow), ptr, 4)
        case _:
            raise NotImplementedError(t)


def store_int(cx: LiftLowerContext, v: int, ptr: int, nbytes: int, signed: bool = False) -> None:
    cx.write(ptr, v.to_bytes(nbytes, "little", signed=signed))


def store_range(cx: LiftLowerContext, begin_and_length: tuple[int, int], ptr: int) -> None:
    store_int(cx, begin_and_length[0], ptr, 4)
    store_int(cx, begin_and_length[1], ptr + 4, 4)


def store_prim(cx: LiftLowerContext, v: Any, ptr: int, name: str) -> None:
    match name:
        case "bool":
            store_int(cx, int(v), ptr, 1)
        case "f32":
            store_int(cx, encode_float_as_i32(v), ptr, 4)
        case "f64":
            store_int(cx, encode_float_as_i64(v), ptr, 8)
        case "char":
            store_int(cx, ord(v), ptr, 4)
        case _:
            nbytes, signed = INTS[name]
            store_int(cx, v, ptr, nbytes, signed)


def encode_float_as_i32(f: float) -> int:
    bits: int = struct.unpack("<I", struct.pack("<f", canonicalize_nan(f)))[0]
    return bits


def encode_float_as_i64(f: float) -> int:
    bits: int = struct.unpack("<Q", struct.pack("<d", canonicalize_nan(f)))[0]
    return bits


def store_list(cx: LiftLowerContext, v: Any, ptr: int, element: ValType, length: int | None) -> None:
    if length is not None:
        assert length == len(v)
        store_list_into_valid_range(cx, v, ptr, element)
    else:
        store_range(cx, store_list_into_range(cx, v, element), ptr)


def store_list_into_range(cx: LiftLowerContext, v: Any, element: ValType) -> tuple[int, int]:
    ptr = cx.allocate(alignment(element), len(v) * elem_size(element))
    store_list_into_valid_range(cx, v, ptr, element)
    return ptr, len(v)


def store_list_into_valid_range(cx: LiftLowerContext, v: Any, ptr: int, element: ValType) -> None:
    for i, e in enumerate(in_pieces(cx.allowance, v, MOST_NESTED)):
        store(cx, e, element, ptr + i * elem_size(element))


def store_record(cx: LiftLowerContext, v: dict[str, Any], ptr: int, fields: tuple[Field, ...]) -> None:
    for f in fields:
        ptr = align_to(ptr, alignment(f.type))
        store(cx, v[f.name], f.type, ptr)
        ptr += elem_size(f.type)


def store_variant(cx: LiftLowerContext, v: dict[str, Any], ptr: int, cases: tuple[Case, ...]) -> None:
    case_index, case_value = match_case(v, cases)
    disc_size = discriminant_size(len(cases))
    store_int(cx, case_index, ptr, disc_size)
    ptr = align_to(ptr + disc_size, max_case_alignment(cases))
    payload = cases[case_index].type
    if payload is not None:
        store(cx, case_value, payload, ptr)


def match_case(v: dict[str, Any], cases: tuple[Case, ...]) -> tuple[int, Any]:
    [(label, value)] = v.items()
    [index] = [i for i, c in enumerate(cases) if c.name == label]
    return index, value


def pack_flags_into_int(v: dict[str, bool], labels: tuple[str, ...]) -> int:
    return sum(v[label] << n for n, label in enumerate(labels))
