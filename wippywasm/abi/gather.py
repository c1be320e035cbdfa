"""Phase one of lowering: generated code that checks a whole value and encodes its strings, before the guest runs.

In: a type and the name of a variable that holds a value. Out: the names of its atoms (see `shapes`), and lines that set
them. The memory that the value needs is appended to the list `req`, as `alignment << 32 | size`, in the order of the
specification. Lists may change meanwhile, in other threads or by what they hold: so their elements are listed once,
and what memory is asked for is what is written. Atoms are of exact classes of Python's, whose sizes stay. Code that
finds a value of another form than the commonest raises whatever it likes: see `fit`.

Spec: `CanonicalABI.md`, "Storing" and "Flat Lowering", as far as they look at values.
"""

from __future__ import annotations

from functools import partial

from wippywasm.abi import host_values as hv
from wippywasm.abi.by_type import by_type
from wippywasm.abi.classes import ClassRecord, ClassVariant
from wippywasm.abi.keywords import snake
from wippywasm.abi.parts import empty_cases, labels_of, list_element, numbers_of
from wippywasm.abi.shapes import (
    FORMATS,
    RANGES,
    Group,
    field_level,
    groups_of,
    has_many_cases,
    is_bytes,
    is_helper,
    number_list,
)
from wippywasm.abi.signature import show_type
from wippywasm.abi.source import Source
from wippywasm.abi.store import Run, items_in_pieces, store
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.layout import (
    MAX_LIST_BYTE_LENGTH,
    MAX_STRING_BYTE_LENGTH,
    alignment,
    elem_size,
)
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
from wippywasm.values import Err, Ok, Some, Variant


def gather(w: Source, t: ValType, v: str, level: int = 0) -> list[str]:
    """Write code that checks the value in variable `v`; the names of its atoms."""
    if is_helper(t, level, w.dense):
        return [_assign(w, f"{gather_helper(w, t)}({v}, req, cx)")]
    match t:
        case Prim(name="string"):
            return _string(w, v)
        case Prim():
            return [_prim(w, t, v)]
        case ListType() | MapType():
            return [_list(w, t, v, level)]
        case RecordType():
            return _record(w, t, v, level)
        case TupleType():
            return _tuple(w, t, v, level)
        case OptionType():
            return [_option(w, t, v, level)]
        case ResultType():
            return [_result(w, t, v, level)]
        case VariantType():
            return [_variant(w, t, v, level)]
        case EnumType():
            table = w.constant(numbers_of(t), "CASES")
            return [_assign(w, f"{table}[{v}]")]
        case FlagsType():
            return [_flags(w, t, v)]
        case OwnType() | BorrowType():
            kind = "own" if isinstance(t, OwnType) else "borrow"
            return [_assign(w, f"cx.take_{kind}({v}, {w.constant(t.resource, 'R')})")]
    raise UnsupportedFeatureError(f"values of type `{show_type(t)}`", "wippywasm")


def gather_helper(w: Source, t: ValType) -> str:
    """The function that checks a value of that type and returns its row of atoms."""

    def body(w: Source) -> None:
        w.line(f"return {row(gather(w, t, 'v'))}")

    return w.helper("gather", t, "v, req, cx", body)


def row(atoms: list[str]) -> str:
    """The expression that keeps atoms together: a tuple, or the only one itself."""
    return atoms[0] if len(atoms) == 1 else f"({', '.join(atoms)})"


def _assign(w: Source, expression: str) -> str:
    name = w.name("a")
    w.line(f"{name} = {expression}")
    return name


def _require(w: Source, condition: str) -> None:
    w.line(f"if not ({condition}): {w.use(hv.misfit)}()")


def _prim(w: Source, t: Prim, v: str) -> str:
    if t.name in RANGES:
        low, high = RANGES[t.name]
        w.line(f"if {v}.__class__ is not int or not {low} <= {v} <= {high}: {w.use(hv.misfit)}()")
        return v
    match t.name:
        case "bool":
            w.line(f"if {v} is not True and {v} is not False: {w.use(hv.misfit)}()")
            return v
        case "char":
            _require(w, f"{v}.__class__ is str and len({v}) == 1 and not '\\ud800' <= {v} <= '\\udfff'")
            return _assign(w, f"ord({v})")
        case "f32" | "f64":
            return _float(w, t.name, v)
    raise UnsupportedFeatureError(f"values of type `{t.name}`", "wippywasm")


def _float(w: Source, kind: str, v: str) -> str:
    a = _assign(w, f"{v} if {v}.__class__ is float else {w.use(hv.as_float)}({v})")
    if kind == "f32":
        w.line(f"if not -{hv.F32_LIMIT!r} < {a} < {hv.F32_LIMIT!r}: {a} = {w.use(hv.edge_f32)}({a})")
    else:
        w.line(f"if {a} != {a}: {a} = {w.constant(hv.NAN, 'NAN')}")
    return a


def _string(w: Source, v: str) -> list[str]:
    if w.string_encoding == "utf8":
        a = _assign(w, f"{w.constant(str.encode, 'encode')}({v})")
        atoms, align = [a], 1
    else:
        encode = w.use(hv.encode_utf16 if w.string_encoding == "utf16" else hv.encode_latin1_or_utf16)
        a, units = w.name("a"), w.name("a")
        w.line(f"{a}, {units} = {encode}({v})")
        atoms, align = [a, units], 2
    n = _assign(w, f"len({a})")
    w.line(f"if {n} > {MAX_STRING_BYTE_LENGTH}: {w.use(hv.misfit)}()")
    w.line(f"req.append({n} + {align << 32})")
    return atoms


def _list(w: Source, t: ListType | MapType, v: str, level: int) -> str:
    length = t.length if isinstance(t, ListType) else None
    if isinstance(t, ListType) and number_list(t) and is_bytes(t):
        return _number_list(w, t, v)
    element = list_element(t)
    v = _as_sequence(w, t, v)
    n = _assign(w, f"len({v})")
    if length is None:
        limit = MAX_LIST_BYTE_LENGTH // elem_size(element)
        w.line(f"if {n} > {limit}: {w.use(hv.misfit)}()")
        _request(w, element, n)
    else:
        _require(w, f"{n} == {length}")
    return _packed_rows(w, element, v, n, level) if is_bytes(t) else _rows(w, element, v, n, level)


def _as_sequence(w: Source, t: ListType | MapType, v: str) -> str:
    """A list that nobody else has."""
    if isinstance(t, MapType):
        return _assign(w, f"list({v}.items()) if {v}.__class__ is dict else {w.use(hv.as_pairs)}({v})")
    plain = f"{v}.__class__ is list or {v}.__class__ is tuple"
    other = hv.as_items if number_list(t) == "u8" else hv.as_sequence
    return _assign(w, f"[*{v}] if {plain} else {w.use(other)}({v})")


def _request(w: Source, element: ValType, n: str) -> None:
    w.line(f"req.append({n} * {elem_size(element)} + {alignment(element) << 32})")


def _number_list(w: Source, t: ListType, v: str) -> str:
    name = number_list(t)
    assert name is not None
    pack = f"{w.use(hv.pack_numbers)}({v}, {FORMATS[name]!r})"
    if name == "u8":
        pack = f"{v} if type({v}) is bytes else {w.use(hv.as_bytes)}({v})"
    a = _assign(w, pack)
    size = elem_size(t.element)
    if t.length is not None:
        _require(w, f"len({a}) == {t.length * size}")
        return a
    w.line(f"if len({a}) > {MAX_LIST_BYTE_LENGTH}: {w.use(hv.misfit)}()")
    w.line(f"req.append(len({a}) + {size << 32})")
    return a


def _rows(w: Source, element: ValType, v: str, n: str, level: int) -> str:
    """Elements that need memory of their own, one row of atoms each."""
    rows, e = w.name("rows"), w.name("e")
    w.line(f"{rows} = []")
    with w.block(f"for {e} in {items_in_pieces(w, element, v, n)}:"):
        w.line(f"{rows}.append({row(gather(w, element, e, level + 1))})")
    return rows


def _packed_rows(w: Source, element: ValType, v: str, n: str, level: int) -> str:
    """Elements that don't: their finished bytes."""
    data, e, p = w.name("data"), w.name("e"), w.name("p")
    size = elem_size(element)
    w.line(f"{data} = bytearray({n} * {size})")
    w.line(f"{p} = 0")
    with w.block(f"for {e} in {items_in_pieces(w, element, v, n)}:"):
        atoms = gather(w, element, e, level + 1)
        run = Run(w, data, p)
        store(w, element, iter(atoms), 0, run, level + 1)
        run.flush()
        w.line(f"{p} += {size}")
    return data


def _record(w: Source, t: RecordType, v: str, level: int) -> list[str]:
    if groups := groups_of(field_types(t)):
        return _wide_record(w, t, v, groups)
    names = [f.name for f in t.fields]
    fields = [w.name("f") for _ in names]
    attributes = tuple(map(snake, names))
    otherwise = "if"
    if isinstance(t, ClassRecord):
        attributes, otherwise = t.attributes, "elif"
        with w.block(f"if {v}.__class__ is {w.constant(t.cls, 'Record')}:"):
            w.line("; ".join(f"{f} = {v}.{x}" for f, x in zip(fields, attributes)))
    with w.block(f"{otherwise} {v}.__class__ is dict and len({v}) == {len(names)}:"):
        w.line("; ".join(f"{f} = {v}[{n!r}]" for f, n in zip(fields, names)))
    with w.block("else:"):
        constant = w.constant((tuple(names), attributes), "NAMES")
        w.line(f"[{', '.join(fields)}] = {w.use(hv.record_fields)}({v}, *{constant})")
    below = field_level(fields, level, w.dense)
    return [a for f, x in zip(t.fields, fields) for a in gather(w, f.type, x, below)]


def _wide_record(w: Source, t: RecordType, v: str, groups: list[Group]) -> list[str]:
    names = labels_of(t)
    attributes = t.attributes if isinstance(t, ClassRecord) else tuple(map(snake, names))
    constant = w.constant((names, attributes), "NAMES")
    fields = _assign(w, f"{w.use(hv.record_fields)}({v}, *{constant})")
    return gather_groups(w, groups, [f"{fields}[{g.start}:{g.stop}]" for g in groups])


def gather_groups(w: Source, groups: list[Group], values: list[str]) -> list[str]:
    """Check many fields; `values` are expressions for the lists of each group's. The names of the groups' rows."""
    return [_assign(w, f"{gather_helper(w, g.type)}({v}, req, cx)") for g, v in zip(groups, values)]


def _tuple(w: Source, t: TupleType, v: str, level: int) -> list[str]:
    plain = f"{v}.__class__ is tuple or {v}.__class__ is list"
    if groups := groups_of(t.items):
        _require(w, f"({plain}) and len({v}) == {len(t.items)}")
        return gather_groups(w, groups, [f"{v}[{g.start}:{g.stop}]" for g in groups])
    items = [w.name("f") for _ in t.items]
    _require(w, plain)
    w.line(f"[{', '.join(items)}] = {v}")
    below = field_level(items, level, w.dense)
    return [a for item, x in zip(t.items, items) for a in gather(w, item, x, below)]


def _case(w: Source, a: str, index: int, t: ValType | None, payload: str, level: int) -> None:
    """Set the atom of a variant to a case with its payload, which `payload` names."""
    if t is None:
        w.line(f"if {payload} is not None: {w.use(hv.misfit)}()")
        w.line(f"{a} = ({index},)")
    else:
        w.line(f"{a} = ({index}, {', '.join(gather(w, t, payload, level + 1))})")


def _option(w: Source, t: OptionType, v: str, level: int) -> str:
    a = w.name("a")
    with w.block(f"if {v} is None:"):
        w.line(f"{a} = (0,)")
    with w.block("else:"):
        if isinstance(t.type, OptionType):
            _require(w, f"{v}.__class__ is {w.constant(Some, 'Some')}")
            v = _assign(w, f"{v}.value")
        _case(w, a, 1, t.type, v, level)
    return a


def _result(w: Source, t: ResultType, v: str, level: int) -> str:
    a, x = w.name("a"), w.name("x")
    for i, (kind, payload) in enumerate(((Ok, t.ok), (Err, t.err))):
        with w.block(f"{'el' * i}if {v}.__class__ is {w.constant(kind, kind.__name__)}:"):
            w.line(f"{x} = {v}.value")
            _case(w, a, i, payload, x, level)
    w.line(f"else: {w.use(hv.misfit)}()")
    return a


def _variant(w: Source, t: VariantType, v: str, level: int) -> str:
    a, x, c = w.name("a"), w.name("x"), w.name("c")
    empty = empty_cases(t)
    if isinstance(t, ClassVariant):
        w.line(f"{c} = {w.constant(_numbers_of_classes(t), 'CLASSES')}.get({v}.__class__)")
        with w.block(f"if {c} is None:"):
            _plain_case(w, t, v, c, x)
        bare = f" if {c} not in {w.constant(empty, 'EMPTY')} else None" if empty else ""
        w.line(f"else: {x} = {v}.value{bare}")
    else:
        _plain_case(w, t, v, c, x)
    if has_many_cases(t):
        _one_of_many(w, t, a, c, x)
        return a
    w.line(f"{a} = ({c},)")
    if empty:
        w.line(f"if {x} is not None and {c} in {w.constant(empty, 'EMPTY')}: {w.use(hv.misfit)}()")
    for i, case in enumerate(t.cases):
        if case.type is not None:
            with w.block(f"if {c} == {i}:"):
                _case(w, a, i, case.type, x, level)
    return a


@by_type
def _numbers_of_classes(t: ClassVariant) -> dict[type, int]:
    return {cls: i for i, cls in enumerate(t.classes)}


def _one_of_many(w: Source, t: VariantType, a: str, case: str, payload: str) -> None:
    """Set the atom of a variant by a table of functions; the payload's row is one atom."""
    check = w.name("check")
    table = w.table([c.type for c in t.cases], partial(gather_helper, w))
    w.line(f"{check} = {table}[{case}]")
    w.line(f"if {check} is None and {payload} is not None: {w.use(hv.misfit)}()")
    w.line(f"{a} = ({case},) if {check} is None else ({case}, {check}({payload}, req, cx))")


def _plain_case(w: Source, t: VariantType, v: str, case: str, payload: str) -> None:
    """Set `case` to the index of a `Variant`'s case, and `payload`."""
    _require(w, f"{v}.__class__ is {w.constant(Variant, 'Variant')}")
    table = w.constant(numbers_of(t), "CASES")
    w.line(f"{case} = {table}[{v}.case]")
    w.line(f"{payload} = {v}.payload")


def _flags(w: Source, t: FlagsType, v: str) -> str:
    a, x = w.name("a"), w.name("x")
    table = w.constant({n: 1 << i for i, n in enumerate(t.names)}, "BITS")
    w.line(f"{a} = 0")
    names = f"{v} if {v}.__class__ is set or {v}.__class__ is frozenset else {w.use(hv.as_names)}({v})"
    with w.block(f"for {x} in {names}:"):
        w.line(f"{a} |= {table}[{x}]")
    return a
