"""The interpreter's flat half: parameters and results as core values.

In and out: core integers are unsigned here, as in the specification; `wrap` and `unwrap` turn them into the engine
port's and back.

Spec: `CanonicalABI.md`, "Flat Lifting", "Flat Lowering", "Lifting and Lowering Values".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wippywasm.abi.reference import (
    INTS,
    canonicalize_nan,
    convert_i32_to_char,
    decode_i32_as_float,
    decode_i64_as_float,
    encode_float_as_i32,
    encode_float_as_i64,
    load,
    load_list_from_range,
    match_case,
    pack_flags_into_int,
    store,
    store_list_into_range,
    unpack_flags_from_int,
)
from wippywasm.abi.reference_context import LiftLowerContext
from wippywasm.abi.reference_handles import lift_borrow, lift_own, lower_borrow, lower_own
from wippywasm.abi.reference_strings import load_string_from_range, store_string_into_range
from wippywasm.abi.traps import bad_area, bad_discriminant
from wippywasm.core import CoreValType
from wippywasm.layout import align_to, alignment, despecialize, elem_size, flatten_type, flatten_types
from wippywasm.model import (
    BorrowType,
    Case,
    FlagsType,
    ListType,
    OwnType,
    Prim,
    RecordType,
    TupleType,
    ValType,
    VariantType,
)


class CoreValueIter:
    """Core values in order; `next` names the core type that is wanted of the next."""

    def __init__(self, values: Iterator[Any]) -> None:
        self.values = values

    def next(self, t: CoreValType) -> Any:
        del t
        return next(self.values)


class CoerceValueIter(CoreValueIter):
    """The payload of a variant: values of joined types, read as the types of one case."""

    def __init__(self, outer: CoreValueIter, flat_types: list[CoreValType]) -> None:
        self.outer = outer
        self.flat_types = flat_types

    def next(self, t: CoreValType) -> Any:
        have = self.flat_types.pop(0)
        x = self.outer.next(have)
        match have, t:
            case "i32", "f32":
                return decode_i32_as_float(x)
            case "i64", "i32":
                return x % (1 << 32)
            case "i64", "f32":
                return decode_i32_as_float(x % (1 << 32))
            case "i64", "f64":
                return decode_i64_as_float(x)
        assert have == t
        return x


def lift_flat(cx: LiftLowerContext, vi: CoreValueIter, t: ValType) -> Any:
    """The value of the next core values."""
    match despecialize(t):
        case Prim(name="string"):
            return load_string_from_range(cx, vi.next("i32"), vi.next("i32"))
        case Prim(name=name):
            return lift_flat_prim(vi, name)
        case ListType(element=element, length=None):
            return load_list_from_range(cx, vi.next("i32"), vi.next("i32"), element)
        case ListType(element=element, length=int(length)):
            return [lift_flat(cx, vi, element) for _ in range(length)]
        case RecordType(fields=fields):
            return {f.name: lift_flat(cx, vi, f.type) for f in fields}
        case VariantType(cases=cases):
            return lift_flat_variant(cx, vi, cases, t)
        case FlagsType(names=names):
            return unpack_flags_from_int(vi.next("i32"), names)
        case OwnType() as own:
            return lift_own(cx, vi.next("i32"), own)
        case BorrowType() as borrow:
            return lift_borrow(cx, vi.next("i32"), borrow)
    raise NotImplementedError(t)


def lift_flat_prim(vi: CoreValueIter, name: str) -> Any:
    match name:
        case "bool":
            return vi.next("i32") != 0
        case "f32" | "f64":
            return canonicalize_nan(vi.next(name))
        case "char":
            return convert_i32_to_char(vi.next("i32"))
    nbytes, signed = INTS[name]
    i = vi.next("i64" if nbytes == 8 else "i32") % (1 << 8 * nbytes)
    return i - (1 << 8 * nbytes) if signed and i >= 1 << 8 * nbytes - 1 else i


def lift_flat_variant(cx: LiftLowerContext, vi: CoreValueIter, cases: tuple[Case, ...], t: ValType) -> dict[str, Any]:
    flat_types = list(flatten_type(t))[1:]
    case_index = vi.next("i32")
    if case_index >= len(cases):
        bad_discriminant()
    c = cases[case_index]
    v = None if c.type is None else lift_flat(cx, CoerceValueIter(vi, flat_types), c.type)
    for have in flat_types:
        vi.next(have)
    return {c.name: v}


# ---- flat lowering ------------------------------------------------------------------------------------------------


def lower_flat(cx: LiftLowerContext, v: Any, t: ValType) -> list[Any]:
    """The core values of a value."""
    match despecialize(t):
        case Prim(name="string"):
            return list(store_string_into_range(cx, v))
        case Prim(name=name):
            return [lower_flat_prim(v, name)]
        case ListType(element=element, length=None):
            return list(store_list_into_range(cx, v, element))
        case ListType(element=element):
            return [x for e in v for x in lower_flat(cx, e, element)]
        case RecordType(fields=fields):
            return [x for f in fields for x in lower_flat(cx, v[f.name], f.type)]
        case VariantType(cases=cases):
            return lower_flat_variant(cx, v, cases, t)
        case FlagsType(names=names):
            return [pack_flags_into_int(v, names)]
        case OwnType() as own:
            return [lower_own(cx, v, own)]
        case BorrowType() as borrow:
            return [lower_borrow(cx, v, borrow)]
    raise NotImplementedError(t)


def lower_flat_prim(v: Any, name: str) -> Any:
    match name:
        case "bool":
            return int(v)
        case "f32" | "f64":
            return canonicalize_nan(v)
        case "char":
            return ord(v)
    return v % (1 << 64 if name.endswith("64") else 1 << 32)


def lower_flat_variant(cx: LiftLowerContext, v: Any, cases: tuple[Case, ...], t: ValType) -> list[Any]:
    case_index, case_value = match_case(v, cases)
    flat_types = list(flatten_type(t))[1:]
    payload_type = cases[case_index].type
    payload = []
    if payload_type is not None:
        for fv, have in zip(lower_flat(cx, case_value, payload_type), flatten_type(payload_type)):
            payload.append(_join_value(fv, have, flat_types.pop(0)))
    return [case_index, *payload, *(0.0 if f in ("f32", "f64") else 0 for f in flat_types)]


def _join_value(fv: Any, have: CoreValType, want: CoreValType) -> Any:
    if have == "f32" and want in ("i32", "i64"):
        return encode_float_as_i32(fv)
    if have == "f64" and want == "i64":
        return encode_float_as_i64(fv)
    return fv


# ---- lifting and lowering values ----------------------------------------------------------------------------------


def lift_flat_values(cx: LiftLowerContext, max_flat: int, vi: CoreValueIter, ts: tuple[ValType, ...]) -> list[Any]:
    """Parameters or results, flat or spilled."""
    if len(flatten_types(ts)) > max_flat:
        ptr = vi.next("i32")
        check_area(cx, ptr, TupleType(ts))
        return list(load(cx, ptr, TupleType(ts)).values())
    return [lift_flat(cx, vi, t) for t in ts]


def lower_flat_values(
    cx: LiftLowerContext, max_flat: int, vs: list[Any], ts: tuple[ValType, ...], out_param: CoreValueIter | None = None
) -> list[Any]:
    """Parameters or results, flat or spilled to new memory or to where the caller's `out_param` points."""
    if len(flatten_types(ts)) <= max_flat:
        return [x for v, t in zip(vs, ts) for x in lower_flat(cx, v, t)]
    area = TupleType(ts)
    if out_param is None:
        ptr = cx.allocate(alignment(area), elem_size(area))
        flat_vals = [ptr]
    else:
        ptr = out_param.next("i32")
        check_area(cx, ptr, area)
        flat_vals = []
    store(cx, {str(i): v for i, v in enumerate(vs)}, area, ptr)
    return flat_vals


def check_area(cx: LiftLowerContext, ptr: int, area: TupleType) -> None:
    if ptr != align_to(ptr, alignment(area)) or ptr + elem_size(area) > cx.memory_size():
        bad_area(ptr, alignment(area))


def wrap(v: Any, t: CoreValType) -> Any:
    """An unsigned core value as the engine's port has it."""
    bits = {"i32": 32, "i64": 64}.get(t)
    return v if bits is None or v < 1 << bits - 1 else v - (1 << bits)


def unwrap(v: Any, t: CoreValType) -> Any:
    """A core value of the port, unsigned."""
    bits = {"i32": 32, "i64": 64}.get(t)
    return v if bits is None else v % (1 << bits)
