"""Values passed flat, as core function parameters and results.

In: a type, and core values or atoms. Out: expressions for Python values or core values. Core integers are signed on
either side of the engine's port.

Spec: `CanonicalABI.md`, "Flat Lifting" and "Flat Lowering".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from wippywasm.abi import guest_values as gv
from wippywasm.abi.load import (
    aggregate,
    lift_case,
    lift_enum,
    lift_flags,
    lift_handle,
    lift_list,
    lift_one_of_many,
    lift_prim,
    lift_string,
)
from wippywasm.abi.shapes import field_level, has_many_cases, is_helper, number_list
from wippywasm.abi.signature import show_type
from wippywasm.abi.source import Source
from wippywasm.abi.store import cases_of, give, store_list, store_string, unpack, unpack_case
from wippywasm.core import CoreValType
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.layout import flatten_type, needs_memory
from wippywasm.model import (
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
)

_M32 = "0xffffffff"
_M64 = "0xffffffffffffffff"


# ---- lowering -----------------------------------------------------------------------------------------------------


def lower_flat(w: Source, t: ValType, atoms: Iterator[str], level: int = 0) -> list[str]:
    """Write what must happen first (strings and lists to memory); the expressions for the core values."""
    if is_helper(t, level, w.dense):
        wants = flatten_type(t)
        values = [w.name("x") for _ in wants]
        w.line(f"[{', '.join(values)}] = {_flat_helper(w, wants, t)}({next(atoms)}, {_guest(t)}, cx)")
        return values
    match t:
        case Prim(name="string"):
            pointer, length = store_string(w, atoms)
            return [_signed32(pointer), _signed32(length)]
        case Prim(name=name):
            return [_lower_prim(name, next(atoms))]
        case ListType(length=int(length)):
            return _lower_fixed(w, t, next(atoms), length, level)
        case ListType() | MapType():
            pointer, length_ = store_list(w, t, next(atoms), level)
            return [_signed32(pointer), length_]
        case RecordType() | TupleType():
            types = field_types(t)
            below = field_level(types, level, w.dense)
            return [x for field in types for x in lower_flat(w, field, atoms, below)]
        case EnumType():
            return [next(atoms)]
        case FlagsType(names=names):
            return [_signed32(next(atoms)) if len(names) == 32 else next(atoms)]
        case OwnType() | BorrowType():
            return [give(w, t, next(atoms))]
        case _:
            return _lower_variant(w, t, next(atoms), level)


def _signed32(x: str) -> str:
    return f"({x} if {x} < 0x80000000 else {x} - 0x100000000)" if x.isidentifier() else x


def _lower_prim(name: str, a: str) -> str:
    match name:
        case "u32":
            return _signed32(a)
        case "u64":
            return f"({a} if {a} < 0x8000000000000000 else {a} - 0x10000000000000000)"
        case "bool":
            return f"(1 if {a} else 0)"
    return a


def _lower_fixed(w: Source, t: ListType, atom: str, length: int, level: int) -> list[str]:
    """A list of few elements, one after the other."""
    rows = [w.name("g") for _ in range(length)]
    w.line(f"[{', '.join(rows)}] = {atom}")
    return [x for g in rows for x in lower_flat(w, t.element, unpack(w, t.element, g, level + 1), level + 1)]


def _lower_variant(w: Source, t: ValType, atom: str, level: int) -> list[str]:
    wants = flatten_type(t)[1:]
    targets = [w.name("x") for _ in wants]
    for x, want in zip(targets, wants):
        w.line(f"{x} = {'0.0' if want in ('f32', 'f64') else '0'}")
    if has_many_cases(t):
        flat = w.name("flat")
        table = w.table([c.type for c in cases_of(t)], partial(_flat_helper, w, wants))
        w.line(f"{flat} = {table}[{atom}[0]]")
        w.line(f"if {flat} is not None: [{', '.join(targets)}] = {flat}({atom}[1], {_guest(t)}, cx)")
        return [f"{atom}[0]", *targets]
    for i, case in enumerate(cases_of(t)):
        if case.type is not None:
            with w.block(f"if {atom}[0] == {i}:"):
                atoms = unpack_case(w, case.type, atom, level + 1)
                values = lower_flat(w, case.type, atoms, level + 1)
                for x, value, have, want in zip(targets, values, flatten_type(case.type), wants):
                    w.line(f"{x} = {_widen(w, value, have, want)}")
    return [f"{atom}[0]", *targets]


def _guest(t: ValType) -> str:
    """What a helper needs of the guest to lower a value flat."""
    return "nxt, m" if needs_memory(t) else "None, None"


def _flat_helper(w: Source, wants: Sequence[CoreValType], t: ValType) -> str:
    """The function that lowers a row of atoms to core values of those types, with zeros for what it has none for."""

    def body(w: Source) -> None:
        values = lower_flat(w, t, unpack(w, t, "g", 0))
        widened = [_widen(w, value, have, want) for value, have, want in zip(values, flatten_type(t), wants)]
        zeros = ["0.0" if want in ("f32", "f64") else "0" for want in wants[len(values) :]]
        w.line(f"return [{', '.join([*widened, *zeros])}]")

    return w.helper(f"flat_{'_'.join(wants)}", t, "g, nxt, m, cx", body)


def _widen(w: Source, value: str, have: CoreValType, want: CoreValType) -> str:
    """A core value as one of the joined type."""
    match have, want:
        case "f32", "i32":
            return f"{w.use(gv.i32_of_f32)}({value})"
        case "i32", "i64":
            return f"({value}) & {_M32}"
        case "f32", "i64":
            return f"{w.use(gv.i32_of_f32)}({value}) & {_M32}"
        case "f64", "i64":
            return f"{w.use(gv.i64_of_f64)}({value})"
    assert have == want
    return value


# ---- lifting ------------------------------------------------------------------------------------------------------


def lift_flat(w: Source, t: ValType, values: Iterator[str], level: int = 0) -> str:
    """Write what must happen first; the expression for the value of the next core values."""
    if is_helper(t, level, w.dense):
        haves = flatten_type(t)
        given = ", ".join([_lifting_guest(t), "cx", *islice(values, len(haves))])
        return evaluate(w, f"{_lift_helper(w, haves, t)}({given})")
    match t:
        case Prim(name="string"):
            q, n = _unsigned(w, next(values)), _unsigned(w, next(values))
            return lift_string(w, q, n)
        case Prim(name=name):
            return _lift_prim(w, name, next(values))
        case ListType(length=int(length)):
            items = [evaluate(w, lift_flat(w, t.element, values, level + 1)) for _ in range(length)]
            return f"bytes(({', '.join(items)},))" if number_list(t) == "u8" else f"[{', '.join(items)}]"
        case ListType() | MapType():
            q, n = _unsigned(w, next(values)), _unsigned(w, next(values))
            return lift_list(w, t, q, n, level)
        case RecordType() | TupleType():
            return aggregate(w, t, [evaluate(w, lift_flat(w, field, values, level + 1)) for field in field_types(t)])
        case EnumType():
            return lift_enum(w, t, _unsigned(w, next(values)))
        case FlagsType():
            return lift_flags(w, t, next(values))
        case OwnType() | BorrowType():
            return lift_handle(w, t, _unsigned(w, next(values)))
        case VariantType() | OptionType() | ResultType():
            return _lift_variant(w, t, values, level)
    raise UnsupportedFeatureError(f"values of type `{show_type(t)}`", "wippywasm")


def _unsigned(w: Source, value: str) -> str:
    return evaluate(w, f"{value} & {_M32}")


def evaluate(w: Source, expression: str) -> str:
    """Put an expression into a variable, unless it is one."""
    if expression.isidentifier():
        return expression
    x = w.name("x")
    w.line(f"{x} = {expression}")
    return x


def _lift_prim(w: Source, name: str, value: str) -> str:
    match name:
        case "bool":
            return f"({value} != 0)"
        case "u8" | "u16":
            return f"({value} & {'0xff' if name == 'u8' else '0xffff'})"
        case "s8":
            return f"((({value}) & 0xff ^ 0x80) - 0x80)"
        case "s16":
            return f"((({value}) & 0xffff ^ 0x8000) - 0x8000)"
        case "u32":
            return f"({value} & {_M32})"
        case "u64":
            return f"({value} & {_M64})"
        case "s32" | "s64":
            return value
        case "char":
            return lift_prim(w, name, _unsigned(w, value))
    return lift_prim(w, name, evaluate(w, value))


def _lift_variant(w: Source, t: ValType, values: Iterator[str], level: int) -> str:
    number = _unsigned(w, next(values))
    haves = flatten_type(t)[1:]
    rest = [evaluate(w, next(values)) for _ in haves]

    def payload(case: ValType) -> str:
        wants = flatten_type(case)
        narrowed = [_narrow(w, x, have, want) for x, have, want in zip(rest, haves, wants)]
        return lift_flat(w, case, iter(narrowed), level + 1)

    if has_many_cases(t):
        given = ", ".join([_lifting_guest(t), "cx", *rest])
        return lift_one_of_many(w, t, number, partial(_lift_helper, w, haves), given)
    return lift_case(w, t, number, payload)


def _lifting_guest(t: ValType) -> str:
    """What a helper needs of the guest to lift a flat value."""
    return "m, end" if needs_memory(t) else "None, 0"


def _lift_helper(w: Source, haves: Sequence[CoreValType], t: ValType) -> str:
    """The function that lifts a value of core values of those types."""
    given = [f"c{i}" for i in range(len(haves))]

    def body(w: Source) -> None:
        narrowed = [_narrow(w, x, have, want) for x, have, want in zip(given, haves, flatten_type(t))]
        w.line(f"return {lift_flat(w, t, iter(narrowed))}")

    return w.helper(f"lift_{'_'.join(haves)}", t, ", ".join(["m, end, cx", *given]), body)


def _narrow(w: Source, x: str, have: CoreValType, want: CoreValType) -> str:
    """The core value of a case in a slot of the joined type."""
    match have, want:
        case (("i32" | "i64"), "f32"):
            return f"{w.use(gv.f32_of_i32)}({x})"
        case "i64", "f64":
            return f"{w.use(gv.f64_of_i64)}({x})"
        case "i64", "i32":
            return f"(({x} & {_M32} ^ 0x80000000) - 0x80000000)"
    assert have == want
    return x
