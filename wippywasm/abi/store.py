"""Phase three of lowering: generated code that writes checked values into memory.

In: a type, the names of a value's atoms, an offset from a base pointer. Out: lines that write it to the memory `m`.
`nxt()` gives the pointers that phase two allocated and checked, in the order in which phase one asked for them. Numbers
of one record are gathered in a `Run` and written at once.

Spec: `CanonicalABI.md`, "Storing".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial

from wippywasm.abi.pacing import in_pieces, paced, piece_of
from wippywasm.abi.parts import list_element
from wippywasm.abi.shapes import (
    FORMATS,
    UNSIGNED,
    Group,
    atom_count,
    field_level,
    groups_of,
    has_many_cases,
    is_bytes,
    is_helper,
)
from wippywasm.abi.source import Source
from wippywasm.layout import (
    discriminant_size,
    elem_size,
    field_offsets,
    flags_size,
    payload_offset,
)
from wippywasm.model import (
    BorrowType,
    Case,
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


class Run:
    """Neighbouring numbers that one `struct` writes at once, at offsets from the pointer `p` into the memory `m`."""

    def __init__(self, w: Source, m: str = "m", p: str = "p") -> None:
        self.w = w
        self.m = m
        self.p = p
        self.allocates = m == "m"
        """Whether this is a guest's memory, not a buffer for elements without pointers."""
        self.items: list[tuple[int, str, str]] = []

    def add(self, offset: int, code: str, expression: str) -> None:
        """Append an item; offsets only grow."""
        self.items.append((offset, code, expression))

    def at(self, offset: int) -> str:
        """The expression for an offset from the pointer."""
        return f"{self.p} + {offset}" if offset else self.p

    def flush(self) -> None:
        """Write what there is."""
        if not self.items:
            return
        start = self.items[0][0]
        if len(self.items) == 1 and self.items[0][1] == "B":
            self.w.line(f"{self.m}[{self.at(start)}] = {self.items[0][2]}")
        else:
            pack = self.w.constant(struct.Struct(self.format()).pack_into, "pack")
            values = ", ".join(expression for _, _, expression in self.items)
            self.w.line(f"{pack}({self.m}, {self.at(start)}, {values})")
        self.items.clear()

    def format(self) -> str:
        """The `struct` format, with pad bytes for what lies between items."""
        codes, end = "<", self.items[0][0]
        for offset, code, _ in self.items:
            codes += padding(offset - end) + code
            end = offset + struct.calcsize("<" + code)
        return codes


def padding(count: int) -> str:
    """The `struct` codes for so many bytes between numbers."""
    return f"{count}x" if count > 0 else ""


def store(w: Source, t: ValType, atoms: Iterator[str], offset: int, run: Run, level: int = 0) -> None:
    """Write code that stores a value at `offset` from the pointer of `run`; what it leaves in `run` is the caller's."""
    if is_helper(t, level, w.dense):
        run.flush()
        w.line(f"{store_helper(w, t)}({next(atoms)}, {_guest(run)}, {run.at(offset)}, cx)")
        return
    match t:
        case Prim(name="string"):
            pointer, length = store_string(w, atoms)
            run.add(offset, "I", pointer)
            run.add(offset + 4, "I", length)
        case Prim(name=name):
            run.add(offset, FORMATS[name], next(atoms))
        case ListType(length=int()):
            _store_fixed(w, t, next(atoms), offset, run, level)
        case ListType() | MapType():
            pointer, length = store_list(w, t, next(atoms), level)
            run.add(offset, "I", pointer)
            run.add(offset + 4, "I", length)
        case RecordType() | TupleType():
            types = field_types(t)
            store_fields(w, types, atoms, offset, run, field_level(types, level, w.dense))
        case EnumType(names=names):
            run.add(offset, UNSIGNED[discriminant_size(len(names))], next(atoms))
        case FlagsType(names=names):
            run.add(offset, UNSIGNED[flags_size(len(names))], next(atoms))
        case OwnType() | BorrowType():
            run.add(offset, "I", give(w, t, next(atoms)))
        case _:
            _store_variant(w, t, next(atoms), offset, run, level)


def _guest(run: Run) -> str:
    """What a helper needs of where a run writes to."""
    return "nxt, m" if run.allocates else f"None, {run.m}"


def store_helper(w: Source, t: ValType) -> str:
    """The function that stores a row of atoms at a pointer."""

    def body(w: Source) -> None:
        run = Run(w)
        store(w, t, unpack(w, t, "g", 0), 0, run)
        run.flush()

    return w.helper("store", t, "g, nxt, m, p, cx", body)


def _group_helper(w: Source, group: Group) -> str:
    """The function that stores some fields of a record from a row of their atoms."""

    def body(w: Source) -> None:
        run, types = Run(w), group.type.items
        level = field_level(types, 0, w.dense)
        store_fields(w, types, unpack(w, group.type, "g", 0), 0, run, level, group.first)
        run.flush()

    return w.helper(f"store{group.first}", group.type, "g, nxt, m, p, cx", body)


def unpack(w: Source, t: ValType, row: str, level: int) -> Iterator[str]:
    """Take a row of atoms apart."""
    atoms = [w.name("a") for _ in range(atom_count(t, w.string_encoding, level, w.dense))]
    w.line(f"{', '.join(atoms)} = {row}")
    return iter(atoms)


def unpack_case(w: Source, t: ValType, atom: str, level: int) -> Iterator[str]:
    """Take the payload out of the atom of a variant."""
    atoms = [w.name("a") for _ in range(atom_count(t, w.string_encoding, level, w.dense))]
    w.line(f"_, {', '.join(atoms)} = {atom}")
    return iter(atoms)


def cases_of(t: ValType) -> tuple[Case, ...]:
    """The cases of anything that is a variant."""
    match t:
        case VariantType(cases=cases):
            return cases
        case OptionType(type=inner):
            return (Case("none"), Case("some", inner))
        case ResultType(ok=ok, err=err):
            return (Case("ok", ok), Case("error", err))
    raise TypeError(f"not a variant: {t!r}")


def give(w: Source, t: OwnType | BorrowType, atom: str) -> str:
    """Put a handle into the guest's table, in its turn; the variable that has its index."""
    h = w.name("h")
    kind = "own" if isinstance(t, OwnType) else "borrow"
    w.line(f"{h} = cx.give_{kind}({atom}, {w.constant(t.resource, 'R')})")
    return h


def store_string(w: Source, atoms: Iterator[str]) -> tuple[str, str]:
    """Write an encoded string to its own memory; its pointer and length."""
    data, q, n = next(atoms), w.name("q"), w.name("n")
    w.line(f"{q} = nxt()")
    w.line(f"{n} = len({data})")
    w.line(f"m[{q}:{q} + {n}] = {data}")
    return q, n if w.string_encoding == "utf8" else next(atoms)


def store_list(w: Source, t: ListType | MapType, atom: str, level: int) -> tuple[str, str]:
    """Write a list to its own memory; its pointer and length."""
    element = list_element(t)
    q, n, size = w.name("q"), w.name("n"), elem_size(element)
    w.line(f"{q} = nxt()")
    w.line(f"{n} = len({atom})")
    if is_bytes(t):
        w.line(f"m[{q}:{q} + {n}] = {atom}")
        return q, n if size == 1 else f"{n} // {size}"
    _store_rows(w, element, atom, n, Run(w, p=q), 0, level)
    return q, n


def items_in_pieces(w: Source, element: ValType, items: str, n: str) -> str:
    """The expression for what a loop goes through: the `n` items of a sequence."""
    piece = piece_of(element)
    return paced(items, n, piece, f"{w.use(in_pieces)}(cx, {items}, {piece})")


def _store_rows(w: Source, element: ValType, rows: str, n: str, to: Run, offset: int, level: int) -> None:
    """Write the `n` elements of a list at an offset from the pointer of `to`."""
    p, g = w.name("p"), w.name("g")
    w.line(f"{p} = {to.at(offset)}")
    with w.block(f"for {g} in {items_in_pieces(w, element, rows, n)}:"):
        run = Run(w, to.m, p)
        store(w, element, unpack(w, element, g, level + 1), 0, run, level + 1)
        run.flush()
        w.line(f"{p} += {elem_size(element)}")


def _store_fixed(w: Source, t: ListType, atom: str, offset: int, run: Run, level: int) -> None:
    run.flush()
    if is_bytes(t):
        w.line(f"{run.m}[{run.at(offset)}:{run.at(offset + elem_size(t))}] = {atom}")
    else:
        _store_rows(w, t.element, atom, str(t.length), run, offset, level)


def store_fields(
    w: Source,
    types: tuple[ValType, ...],
    atoms: Iterator[str],
    offset: int,
    run: Run,
    level: int,
    first: int = 0,
) -> None:
    """Store fields, which are at that level, of a record at `offset`; the first of them is `first` further on."""
    if groups := groups_of(types):
        run.flush()
        for group in groups:
            where = run.at(offset + group.offset)
            w.line(f"{_group_helper(w, group)}({next(atoms)}, {_guest(run)}, {where}, cx)")
        return
    for t, at in zip(types, field_offsets(types, end=first)):
        store(w, t, atoms, offset + at, run, level)


def _store_variant(w: Source, t: ValType, atom: str, offset: int, run: Run, level: int) -> None:
    cases = cases_of(t)
    run.add(offset, UNSIGNED[discriminant_size(len(cases))], f"{atom}[0]")
    run.flush()
    if has_many_cases(t):
        write, where = w.name("write"), run.at(offset + payload_offset(cases))
        table = w.table([c.type for c in cases], partial(store_helper, w))
        w.line(f"{write} = {table}[{atom}[0]]")
        w.line(f"if {write} is not None: {write}({atom}[1], {_guest(run)}, {where}, cx)")
        return
    for i, case in enumerate(cases):
        if case.type is not None:
            with w.block(f"if {atom}[0] == {i}:"):
                inner = Run(w, run.m, run.p)
                atoms = unpack_case(w, case.type, atom, level + 1)
                store(w, case.type, atoms, offset + payload_offset(cases), inner, level + 1)
                inner.flush()
