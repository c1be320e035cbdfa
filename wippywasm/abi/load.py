"""Lifting from memory: generated code that reads values and makes Python objects of them.

In: a type and where a value lies in the memory `m` of `end` bytes. Out: lines, and an expression for the value.
Reading takes two steps: `prepare` adds the numbers of a value to a `Fetch`, which reads neighbours with one `struct`,
and gives back what then writes the code that builds the value from them. Every pointer and length is checked.

Spec: `CanonicalABI.md`, "Loading".
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, TypeAlias

from wippywasm.abi import guest_values as gv
from wippywasm.abi import traps
from wippywasm.abi.by_type import by_type
from wippywasm.abi.classes import ClassEnum, ClassFlags, ClassRecord, ClassVariant
from wippywasm.abi.costs import STRING_FACTOR, UNCHECKED, check_list, check_string, host_cost, item_cost
from wippywasm.abi.host_values import NAN
from wippywasm.abi.pacing import (
    MOST,
    MOST_NUMBERS,
    bools,
    floats,
    in_pieces,
    numbers_in_pieces,
    paced,
    piece_of,
    rows_in_pieces,
)
from wippywasm.abi.parts import labels_of, list_element
from wippywasm.abi.shapes import (
    FORMATS,
    GROUP,
    UNSIGNED,
    Group,
    field_level,
    groups_of,
    has_many_cases,
    is_helper,
    number_list,
)
from wippywasm.abi.signature import show_type
from wippywasm.abi.source import Source
from wippywasm.abi.state import BYTES_BETWEEN_PAUSES
from wippywasm.abi.store import cases_of, padding
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.layout import (
    alignment,
    discriminant_size,
    elem_size,
    field_offsets,
    flags_size,
    needs_memory,
    payload_offset,
)
from wippywasm.model import (
    BOOL,
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
)
from wippywasm.values import Err, Ok, Some, Variant

Build: TypeAlias = Callable[[], str]
"""Writes the lines that build a value whose numbers have been read; returns the expression for it."""


class Fetch:
    """Neighbouring numbers that one `struct` reads at once, at offsets from the pointer `p` into the memory `m`."""

    def __init__(self, w: Source, p: str = "p") -> None:
        self.w = w
        self.p = p
        self.items: list[tuple[int, str, str]] = []
        self.needs_pointer = False
        """Whether what is built afterwards reads more at `p`."""

    def add(self, offset: int, code: str) -> str:
        """Ask for a number; the variable it will be in."""
        name = self.w.name("n")
        self.items.append((offset, code, name))
        return name

    def at(self, offset: int) -> str:
        """The expression for an offset from the pointer, for code that reads more there."""
        self.needs_pointer = True
        return f"{self.p} + {offset}" if offset else self.p

    def names(self) -> str:
        """The assignment target for one reading."""
        return ", ".join(name for _, _, name in self.items) + ","

    def format(self, start: int, end: int) -> str:
        """The `struct` format from offset to offset."""
        codes = "<"
        for offset, code, _ in self.items:
            codes += padding(offset - start) + code
            start = offset + struct.calcsize("<" + code)
        return codes + padding(end - start)

    def flush(self) -> None:
        """Write the reading."""
        if self.items:
            start = self.items[0][0]
            unpack = self.w.constant(struct.Struct(self.format(start, start)).unpack_from, "unpack")
            self.w.line(f"{self.names()} = {unpack}(m, {f'{self.p} + {start}' if start else self.p})")


def load(w: Source, t: ValType, p: str, offset: int = 0, level: int = 0) -> str:
    """Write code that reads a value at an offset from the pointer in `p`; the expression for it."""
    fetch = Fetch(w, p)
    build = prepare(w, t, offset, fetch, level)
    fetch.flush()
    return build()


def load_helper(w: Source, t: ValType) -> str:
    """The function that reads a value at a pointer."""

    def body(w: Source) -> None:
        with counting(w, t):
            value = load(w, t, "p")
        w.line(f"return {value}")

    return w.helper("load", t, "m, end, p, cx", body)


def _group_helper(w: Source, group: Group) -> str:
    """The function that reads some fields of a record as a tuple."""

    def body(w: Source) -> None:
        fetch = Fetch(w)
        with counting(w, group.type):
            build = _prepare_fields(w, group.type, 0, fetch, 0, group.first)
            fetch.flush()
            value = build()
        w.line(f"return {value}")

    return w.helper(f"load{group.first}", group.type, "m, end, p, cx", body)


@contextmanager
def counting(w: Source, t: ValType) -> Iterator[None]:
    """Count what the strings and lists in values of a type take of the host's memory, and charge it to the call.

    Lists can share their elements' memory, so without this a small guest could make the host build values of any size.
    """
    outer = w.counter
    w.counter = w.name("used") if w.counts and needs_memory(t) else None
    if w.counter is not None:
        w.line(f"{w.counter} = 0")
    yield
    if w.counter is not None:
        w.line(f"cx.spend({w.counter}, {show_type(t)!r})")
    w.counter = outer


def check_range(w: Source, t: ValType, q: str, size: str, align: int, cost: str) -> None:
    """Count a string or list of so many bytes at that cost; trap where it is misplaced or too much."""
    misaligned = f"{q} & {align - 1} or " if align > 1 else ""
    boundary = w.constant(w.side.boundary, "BOUNDARY")
    check = w.use(check_string if isinstance(t, Prim) else check_list)
    given = f"{q}, {align}, {size}, end, {boundary}, {'cx' if w.counts else None}"
    if w.counter is None:
        w.line(f"if {misaligned}{q} + {size} > end or {size} > {UNCHECKED}:")
        w.line(f"    {check}({given}, {cost}, {show_type(t)!r})")
        return
    w.line(f"{w.counter} += {cost}")
    w.line(f"if {misaligned}{q} + {size} > end or {w.counter} > {BYTES_BETWEEN_PAUSES}:")
    w.line(f"    {w.counter} = {check}({given}, {w.counter}, {show_type(t)!r})")


def prepare(w: Source, t: ValType, offset: int, fetch: Fetch, level: int) -> Build:
    """Add a value's numbers to a fetch."""
    if is_helper(t, level, w.dense):
        where = fetch.at(offset)
        return lambda: _assign(w, f"{load_helper(w, t)}(m, end, {where}, cx)")
    match t:
        case Prim(name="string"):
            pointer, length = fetch.add(offset, "I"), fetch.add(offset + 4, "I")
            return lambda: lift_string(w, pointer, length)
        case Prim(name=name):
            number = fetch.add(offset, "?" if name == "bool" else FORMATS[name])
            return lambda: lift_prim(w, name, number)
        case ListType(length=int()):
            where = fetch.at(offset)
            return lambda: _lift_fixed(w, t, where, level)
        case ListType() | MapType():
            pointer, length = fetch.add(offset, "I"), fetch.add(offset + 4, "I")
            return lambda: lift_list(w, t, pointer, length, level)
        case RecordType() | TupleType():
            return _prepare_fields(w, t, offset, fetch, level)
        case _:
            return _prepare_other(w, t, offset, fetch, level)


def _assign(w: Source, expression: str) -> str:
    x = w.name("x")
    w.line(f"{x} = {expression}")
    return x


def _prepare_other(w: Source, t: ValType, offset: int, fetch: Fetch, level: int) -> Build:
    match t:
        case EnumType(names=names):
            number = fetch.add(offset, UNSIGNED[discriminant_size(len(names))])
            return lambda: lift_enum(w, t, number)
        case FlagsType(names=names):
            number = fetch.add(offset, UNSIGNED[flags_size(len(names))])
            return lambda: lift_flags(w, t, number)
        case OwnType() | BorrowType():
            number = fetch.add(offset, "I")
            return lambda: lift_handle(w, t, number)
        case VariantType() | OptionType() | ResultType():
            return _prepare_variant(w, t, offset, fetch, level)
    raise UnsupportedFeatureError(f"values of type `{show_type(t)}`", "wippywasm")


def _prepare_fields(
    w: Source, t: RecordType | TupleType, offset: int, fetch: Fetch, level: int, first: int = 0
) -> Build:
    types = field_types(t)
    if groups := groups_of(types):
        builds = prepare_groups(w, groups, offset, fetch)
    else:
        below, offsets = field_level(types, level, w.dense), field_offsets(types, end=first)
        builds = [prepare(w, x, offset + at, fetch, below) for x, at in zip(types, offsets)]
    return lambda: aggregate(w, t, [build() for build in builds])


def prepare_groups(w: Source, groups: list[Group], offset: int, fetch: Fetch) -> list[Build]:
    """Read many fields; the expressions are for all of each group, to be written where the fields' would be."""

    def build(group: Group, where: str) -> str:
        return f"*{_assign(w, f'{_group_helper(w, group)}(m, end, {where}, cx)')}"

    return [partial(build, group, fetch.at(offset + group.offset)) for group in groups]


def aggregate(w: Source, t: RecordType | TupleType, values: list[str]) -> str:
    """The expression for a record or tuple of these field expressions."""
    if isinstance(t, TupleType):
        return f"({', '.join(values)},)"
    if len(t.fields) > GROUP:
        return _wide_record(w, t, f"({', '.join(values)},)")
    if isinstance(t, ClassRecord):
        return _object(w, t, values)
    return "{" + ", ".join(f"{f.name!r}: {value}" for f, value in zip(t.fields, values)) + "}"


def _object(w: Source, t: ClassRecord, values: list[str]) -> str:
    """The object of a record's class, made without its `__init__`: that is half the time, and sets just these."""
    x = w.name("x")
    sets = [f"{x}.{attribute} = {value}" for attribute, value in zip(t.attributes, values)]
    w.line("; ".join([f"{x} = {w.constant(object.__new__, 'new')}({w.constant(t.cls, 'Record')})", *sets]))
    return x


def _wide_record(w: Source, t: RecordType, values: str) -> str:
    if isinstance(t, ClassRecord):
        given = f"{w.constant(t.cls, 'Record')}, {w.constant(t.attributes, 'NAMES')}"
        return f"{w.use(gv.object_of)}({given}, {values})"
    return f"dict(zip({w.constant(labels_of(t), 'NAMES')}, {values}))"


def _prepare_variant(w: Source, t: ValType, offset: int, fetch: Fetch, level: int) -> Build:
    cases = cases_of(t)
    number = fetch.add(offset, UNSIGNED[discriminant_size(len(cases))])
    where = fetch.at(offset + payload_offset(cases)) if any(c.type is not None for c in cases) else ""

    def payload(case: ValType) -> str:
        p = where
        if not p.isidentifier():
            p = w.name("p")
            w.line(f"{p} = {where}")
        return load(w, case, p, 0, level + 1)

    if has_many_cases(t):
        return lambda: lift_one_of_many(w, t, number, partial(load_helper, w), f"m, end, {where}, cx")
    return lambda: lift_case(w, t, number, payload)


def lift_one_of_many(w: Source, t: VariantType, number: str, helper: Callable[[ValType], str], given: str) -> str:
    """The same as `lift_case` by a table of functions, which `helper` names, for arguments `given`."""
    cases, x, read = cases_of(t), w.name("x"), w.name("read")
    w.line(f"if {number} >= {len(cases)}: {w.use(traps.bad_discriminant)}()")
    table = w.table([c.type for c in cases], helper)
    bare = w.constant(_bare_cases(t), "CASES")
    if isinstance(t, ClassVariant):
        make = f"{w.constant(t.classes, 'CLASSES')}[{number}]({read}({given}))"
    else:
        names = w.constant(labels_of(t), "NAMES")
        make = f"{w.constant(Variant, 'Variant')}({names}[{number}], {read}({given}))"
    w.line(f"{read} = {table}[{number}]")
    w.line(f"{x} = {bare}[{number}] if {read} is None else {make}")
    return x


def lift_case(w: Source, t: ValType, number: str, payload: Callable[[ValType], str]) -> str:
    """Build a variant from its discriminant, and from what `payload` writes for a case with one."""
    cases, x = cases_of(t), w.name("x")
    w.line(f"if {number} >= {len(cases)}: {w.use(traps.bad_discriminant)}()")
    if any(case.type is None for case in cases):
        w.line(f"{x} = {w.constant(_bare_cases(t), 'CASES')}[{number}]")
    for i, case in enumerate(cases):
        if case.type is not None:
            with w.block(f"if {number} == {i}:"):
                w.line(f"{x} = {case_value(w, t, i, payload(case.type))}")
    return x


@by_type
def _bare_cases(t: ValType) -> tuple[Any, ...]:
    """The values of cases without payload, and nothing for others."""
    if isinstance(t, OptionType):
        return None, None
    classes: Sequence[Callable[[], Any]] = [Ok, Err]
    if isinstance(t, ClassVariant):
        classes = t.classes
    elif isinstance(t, VariantType):
        classes = [partial(Variant, case.name) for case in t.cases]
    return tuple([cls() if case.type is None else None for cls, case in zip(classes, cases_of(t))])


def case_value(w: Source, t: ValType, index: int, payload: str) -> str:
    """The expression for a case of a variant whose payload is that expression."""
    if isinstance(t, OptionType):
        return f"{w.constant(Some, 'Some')}({payload})" if isinstance(t.type, OptionType) else payload
    if isinstance(t, ResultType):
        return f"{w.constant((Ok, Err)[index], ('Ok', 'Err')[index])}({payload})"
    if isinstance(t, ClassVariant):
        return f"{w.constant(t.classes[index], 'Case')}({payload})"
    return f"{w.constant(Variant, 'Variant')}({cases_of(t)[index].name!r}, {payload})"


def lift_prim(w: Source, name: str, number: str) -> str:
    """The expression for a primitive that was read as the `struct` item of its own type."""
    match name:
        case "f32" | "f64":
            return f"({number} if {number} == {number} else {w.constant(NAN, 'NAN')})"
        case "char":
            w.line(f"if {number} > 0x10ffff or 0xd800 <= {number} <= 0xdfff: {w.use(traps.bad_char)}()")
            return f"chr({number})"
        case _:
            return number


def lift_enum(w: Source, t: EnumType, number: str) -> str:
    """The expression for an enum of an unsigned discriminant."""
    w.line(f"if {number} >= {len(t.names)}: {w.use(traps.bad_discriminant)}()")
    names: tuple[Any, ...] = t.members if isinstance(t, ClassEnum) else t.names
    return f"{w.constant(names, 'NAMES')}[{number}]"


def lift_flags(w: Source, t: FlagsType, bits: str) -> str:
    """The expression for flags of their bits."""
    names: tuple[Any, ...] = t.members if isinstance(t, ClassFlags) else t.names
    return f"{w.use(gv.flags_of)}({bits}, {w.constant(names, 'NAMES')})"


def lift_handle(w: Source, t: OwnType | BorrowType, number: str) -> str:
    """Take a handle out of the guest's table, or lend it, in its turn."""
    x = w.name("x")
    kind = "own" if isinstance(t, OwnType) else "borrow"
    w.line(f"{x} = cx.lift_{kind}({number}, {w.constant(t.resource, 'R')})")
    return x


def lift_string(w: Source, q: str, n: str) -> str:
    """Build a string from its unsigned pointer and length."""
    s, factor = w.name("s"), STRING_FACTOR[w.string_encoding]
    if w.string_encoding == "utf8":
        check_range(w, STRING, q, n, 1, f"{n} * {factor}")
        small = f"{w.constant(gv.SLICES, 'SLICES')}[{n}](m, {q})[0].decode()"
        w.line(f"{s} = {small} if {n} < {gv.SMALL} else str(m[{q}:{q} + {n}], 'utf-8')")
    elif w.string_encoding == "utf16":
        w.line(f"{n} *= 2")
        check_range(w, STRING, q, n, 2, f"{n} * {factor}")
        w.line(f"{s} = str(m[{q}:{q} + {n}], 'utf-16-le')")
    else:
        size = w.name("n")
        w.line(f"{size} = {n} if {n} < 0x80000000 else 2 * ({n} ^ 0x80000000)")
        check_range(w, STRING, q, size, 2, f"{size} * {factor}")
        w.line(f"{s} = str(m[{q}:{q} + {size}], 'latin-1' if {n} < 0x80000000 else 'utf-16-le')")
    return s


def lift_list(w: Source, t: ListType | MapType, q: str, n: str, level: int) -> str:
    """Build a list or map from its unsigned pointer and length."""
    element = list_element(t)
    size, align = elem_size(element), alignment(element)
    end = w.name("end")
    w.line(f"{end} = {n} * {size}" if size > 1 else f"{end} = {n}")
    cost = item_cost(t, w.side.arrays)
    check_range(w, t, q, end, align, end if cost == size else f"{n} * {cost}")
    items = _load_elements(w, t, q, n, level)
    if not isinstance(t, MapType) or w.side.pairs:
        return items
    return f"dict({paced(items, n, MOST, f'{w.use(in_pieces)}(cx, {items}, {MOST})')})"


def _lift_fixed(w: Source, t: ListType, q: str, level: int) -> str:
    cost = host_cost(t, w.side.arrays)
    if w.counts and cost > BYTES_BETWEEN_PAUSES:
        w.line(f"cx.spend({cost}, {show_type(t)!r})")
    return _load_elements(w, t, q, str(t.length), level)


def _load_elements(w: Source, t: ListType | MapType, q: str, n: str, level: int) -> str:
    name = number_list(t)
    if name is not None:
        return _load_numbers(w, name, q, n)
    element = list_element(t)
    if element is BOOL:
        return f"{w.use(bools)}(cx, m[{q}:{q} + {n}])"
    start = w.name("p")
    w.line(f"{start} = {q}")
    fetch = Fetch(w, w.name("p"))
    # What is inside such lists as well is counted together.
    with nullcontext() if w.counter is not None else counting(w, element):
        with w.capture() as lines, w.block("if 0:"):
            value = prepare(w, element, 0, fetch, level + 1)()
        return _write_loop(w, fetch, element, start, n, value, lines[1:])


def _write_loop(w: Source, fetch: Fetch, element: ValType, start: str, n: str, value: str, body: list[str]) -> str:
    size, piece = elem_size(element), piece_of(element)
    stop = f"{start} + {n} * {size}"
    source, target = f"range({start}, {stop}, {size})", fetch.p
    if fetch.items:
        unpack = w.constant(struct.Struct(fetch.format(0, size)).iter_unpack, "unpack")
        memory = f"m[{start}:{stop}]"
        # An error keeps a comprehension's frame, and that what it goes through: no memory, see `rows_in_pieces`.
        few = memory if body else f"{memory}.tobytes()"
        rows = paced(f"{unpack}({few})", n, piece, f"{w.use(rows_in_pieces)}(cx, {unpack}, {memory}, {piece * size})")
        source, target = (
            (f"zip({source}, {rows})", f"{target}, ({fetch.names()})") if fetch.needs_pointer else (rows, fetch.names())
        )
    else:
        source = paced(source, n, piece, f"{w.use(in_pieces)}(cx, {source}, {piece})")
    return _collect(w, f"for {target} in {source}", value, body)


def _collect(w: Source, loop: str, value: str, body: list[str]) -> str:
    """A comprehension where the value needs no lines of its own, else a loop."""
    items = w.name("items")
    if not body:
        w.line(f"{items} = [{value} {loop}]")
        return items
    w.line(f"{items} = []")
    with w.block(f"{loop}:"):
        w.paste(body)
        w.line(f"{items}.append({value})")
    return items


def _load_numbers(w: Source, name: str, q: str, n: str) -> str:
    size = struct.calcsize("<" + FORMATS[name])
    span = f"m[{q}:{q} + {n} * {size}]"
    if name == "u8" and not w.side.arrays:
        return f"{span}.tobytes()"
    a = w.name("a")
    w.line(f"{a} = {w.constant(array, 'array')}({FORMATS[name]!r})")
    w.line(f"{a}.frombytes({span})")
    if w.side.arrays:
        return a  # with the payloads of its NaNs, for which a component may get any
    if name in ("f32", "f64"):
        listed = w.use(floats)
        return paced(f"{listed}({a})", n, MOST_NUMBERS, f"{w.use(numbers_in_pieces)}(cx, {a}, {listed})")
    return paced(f"{a}.tolist()", n, MOST_NUMBERS, f"{w.use(numbers_in_pieces)}(cx, {a})")
