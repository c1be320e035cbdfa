"""Bytes → value and start definitions (the gated feature `values`).

In: a `Reader` at the definition, the scope of its component. Out: the scope, with the new values. They decode and
validate; nothing here runs them, so the feature is off where components are loaded.

Spec: component-model `Binary.md`, start definitions and value definitions; `Explainer.md`, the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from wippywasm.binary.component import Start, ValueDefinition
from wippywasm.binary.limits import ITEM
from wippywasm.binary.nodes import FuncNode, ValueEntity
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import Scope, at
from wippywasm.binary.subtype import Checker
from wippywasm.binary.value_types import ValueTypeReader
from wippywasm.errors import ValidationError
from wippywasm.model import (
    EnumType,
    FlagsType,
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

_INTEGERS = {"s16": 16, "u16": 16, "s32": 32, "u32": 32, "s64": 64, "u64": 64}
_FLOATS = {"f32": (4, 0x7F800000, 0x7FC00000), "f64": (8, 0x7FF0 << 48, 0x7FF8 << 48)}
"""The size, the bits of infinity, and the one NaN."""


def read_value(scope: Scope, reader: Reader) -> None:
    """A `value`: its type, and its bytes behind their length."""
    offset = reader.pos
    node = ValueTypeReader(scope, reader).val_type()
    body = reader.sub(reader.u32())
    start = body.pos
    _ValueReader(scope, body).value(node.type)
    body.expect_end("a value")
    scope.add(ValueEntity(node), offset)
    scope.define(ValueDefinition(offset, node.type, body.data[start : body.end]))


def read_start(scope: Scope, reader: Reader) -> None:
    """The `start` that fills its section: a function, the values it takes, how many it gives."""
    offset = reader.pos
    index = reader.u32()
    args = reader.vec(reader.u32, "arguments")
    scope.context.budget.spend(len(args) * ITEM.work, offset)
    results = reader.u32()
    func = at(scope.funcs, index, "func", offset)
    _check_start(scope, func, args, results, offset)
    if func.type.result is not None:
        scope.add(ValueEntity(func.parts[-1]), offset)
    scope.define(Start(offset, index, tuple(args), results))


def _check_start(scope: Scope, func: FuncNode, args: list[int], results: int, offset: int) -> None:
    params = func.type.params
    if len(params) != len(args):
        raise ValidationError(
            f"component start function requires {len(params)} arguments but was given {len(args)}", offset
        )
    if results != (func.type.result is not None):
        has = int(func.type.result is not None)
        raise ValidationError(
            f"component start function has a result count of {results}, and its type has one of {has}", offset
        )
    checker = Checker(scope.context.budget, offset)
    for number, (arg, wanted) in enumerate(zip(args, func.parts)):
        place = f"value type mismatch for component start function argument {number}"
        checker.entity(scope.use_value(arg, offset), ValueEntity(wanted), place, checker.supply({}))


class _ValueReader:
    """Reads what `val(t)` says of each type, and keeps nothing."""

    def __init__(self, scope: Scope, reader: Reader) -> None:
        self.budget = scope.context.budget
        self.reader = reader

    def value(self, type: ValType) -> None:
        self.budget.spend(ITEM.work, self.reader.pos)
        match type:
            case Prim():
                self._primitive(type.name)
            case RecordType():
                self._all(field.type for field in type.fields)
            case TupleType():
                self._all(type.items)
            case ListType():
                count = self.reader.count("elements") if type.length is None else type.length
                self._all(type.element for _ in range(count))
            case MapType():
                for _ in range(self.reader.count("entries")):
                    self._all((type.key, type.value))
            case VariantType():
                self._optional(type.cases[self._index(len(type.cases))].type)
            case EnumType():
                self._index(len(type.names))
            case FlagsType():
                self.reader.slice((len(type.names) + 7) // 8)
            case OptionType():
                self._optional(type.type if self.reader.flag("an option") else None)
            case ResultType():
                self._optional(type.err if self.reader.flag("a result") else type.ok)
            case _:
                raise ValidationError("a value of this type can't be written down", self.reader.pos)

    def _all(self, types: Iterable[ValType]) -> None:
        for type in types:
            self.value(type)

    def _optional(self, type: ValType | None) -> None:
        if type is not None:
            self.value(type)

    def _index(self, count: int) -> int:
        offset = self.reader.pos
        index = self.reader.u32()
        if index >= count:
            raise ValidationError(f"there is no case {index}: the type has {count}", offset)
        return index

    def _primitive(self, name: str) -> None:
        reader = self.reader
        if name == "bool":
            reader.flag("a bool")
        elif name in ("u8", "s8"):
            reader.byte()
        elif name in _INTEGERS:
            reader.integer(_INTEGERS[name], signed=name.startswith("s"))
        elif name in _FLOATS:
            self._float(*_FLOATS[name])
        elif name == "char":
            self._char()
        elif name == "string":
            reader.name()
        else:
            raise ValidationError(f"a value of type {name} can't be written down", reader.pos)

    def _float(self, size: int, infinity: int, nan: int) -> None:
        offset = self.reader.pos
        bits = int.from_bytes(self.reader.slice(size), "little")
        if bits & infinity == infinity and bits & (infinity ^ ((1 << (8 * size - 1)) - 1)) and bits != nan:
            raise self.reader.malformed("a NaN that is not the canonical one", offset)

    def _char(self) -> None:
        offset = self.reader.pos
        first = self.reader.peek()
        length = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        try:
            str(self.reader.slice(length), "utf-8")
        except UnicodeDecodeError:
            raise self.reader.malformed("malformed UTF-8 encoding of a char", offset) from None
