"""Bytes → value types and function types.

In: a `Reader` at the type, the scope whose indices it uses. Out: nodes, or `MalformedError` and `ValidationError`.
Spec: component-model `Binary.md`, type definitions (`defvaltype`, `functype`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from wippywasm.binary import features as gates
from wippywasm.binary.externs import too_large
from wippywasm.binary.limits import (
    BYTES_OF_NAME,
    FIELD,
    FUNCTION,
    ITEM,
    LABEL,
    MAX_FLAGS,
    MAX_FUNCTION_PARAMS,
    MAX_LABELS,
    MAX_TYPE_DEPTH,
    MAX_TYPE_SIZE,
    MAX_VALUE_SIZE,
)
from wippywasm.binary.name_parts import is_label
from wippywasm.binary.nodes import PRIM_NODES, FuncNode, ResNode, ValNode, borrow_node, prim_node
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import Scope
from wippywasm.budget import Cost
from wippywasm.errors import ValidationError
from wippywasm.layout import elem_size
from wippywasm.model import (
    CHAR,
    ERROR_CONTEXT,
    PRIMS,
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
    Param,
    Prim,
    RecordType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)

T = TypeVar("T")

_PRIM_ORDER = ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string")
PRIM_CODES: dict[int, Prim] = {0x7F - place: PRIMS[name] for place, name in enumerate(_PRIM_ORDER)}
PRIM_CODES[0x64] = ERROR_CONTEXT
KEY_TYPES = frozenset(PRIMS.values()) - {PRIMS["f32"], PRIMS["f64"], ERROR_CONTEXT}


class ValueTypeReader:
    """Reads types that use the indices of `scope`."""

    def __init__(self, scope: Scope, reader: Reader) -> None:
        self.scope = scope
        self.reader = reader
        self.context = scope.context

    # ---- parts -----------------------------------------------------------------------------------------------------

    def val_type(self) -> ValNode:
        """A primitive, or an index of a defined type."""
        reader = self.reader
        offset = reader.pos
        code = reader.peek()
        if code < 0x40:  # an index of one byte
            reader.pos = offset + 1
            return self.scope.type_of(ValNode, code, offset)
        prim = PRIM_CODES.get(code)
        if prim is not None:
            reader.pos = offset + 1
            return self._prim(prim, offset)
        index = reader.s33()
        if index < 0:
            raise reader.bad_byte(reader.data[offset], "a component value type", offset)
        return self.scope.type_of(ValNode, index, offset)

    def _prim(self, prim: Prim, offset: int) -> ValNode:
        if prim is ERROR_CONTEXT:
            self.context.require(gates.ERROR_CONTEXT, "`error-context`", offset)
        return PRIM_NODES.get(prim) or prim_node(prim)

    def optional(self) -> ValNode | None:
        return self.reader.optional(self.val_type)

    def labels(self, what: str, noun: str, most: int, read: Callable[[str], T], cost: Cost = FIELD) -> list[T]:
        """A vector of labels that are apart, each followed by what `read` reads; errors call them `what` and `noun`."""
        reader = self.reader
        offset = reader.pos
        count = reader.count("labels")
        if count > most:
            raise ValidationError(_too_many(what, count, most), offset)
        self.context.budget.define(cost, offset, count)
        seen: dict[str, str] = {}
        found: list[T] = []
        for _ in range(count):
            offset = reader.pos
            label = reader.name()
            self.context.budget.spend(len(label) // BYTES_OF_NAME, offset)
            check_label(label, self.context.unique(label), seen, what, noun, offset)
            found.append(read(label))
        return found

    # ---- defined types ---------------------------------------------------------------------------------------------

    def defined(self) -> ValNode:
        """A `defvaltype`."""
        reader = self.reader
        offset = reader.pos
        code = reader.byte()
        construct = CONSTRUCTORS.get(code)
        if construct is not None:
            node = construct(self)
            self._check_size(node, offset)
            self.context.made(node.type, offset)
            return node
        if code in PRIM_CODES:
            return self._prim(PRIM_CODES[code], offset).renamed()
        raise reader.bad_byte(code, "a component defined type", offset)

    def _check_size(self, node: ValNode, offset: int) -> None:
        if node.type.depth > MAX_TYPE_DEPTH:
            raise ValidationError(f"type nesting is too deep: at most {MAX_TYPE_DEPTH} levels are allowed", offset)
        if node.size > MAX_TYPE_SIZE:
            raise too_large(offset)
        if self.context.has_fixed_lists and elem_size(node.type, "i64") >= MAX_VALUE_SIZE:
            raise ValidationError(f"a value of this type exceeds maximum byte size of {MAX_VALUE_SIZE - 1}", offset)

    def _record(self) -> ValNode:
        fields = self.labels("record field", "field", MAX_LABELS, lambda label: (label, self.val_type()))
        self._not_empty(fields, "record type must have at least one field")
        return val_node(RecordType(tuple([Field(n, t.type) for n, t in fields])), [t for _, t in fields])

    def _variant(self) -> ValNode:
        cases = self.labels("variant case", "case", MAX_LABELS, self._case)
        self._not_empty(cases, "variant type must have at least one case")
        type = VariantType(tuple([Case(n, t.type if t is not None else None) for n, t in cases]))
        return val_node(type, [t for _, t in cases])

    def _case(self, label: str) -> tuple[str, ValNode | None]:
        payload = self.optional()
        offset = self.reader.pos
        refines = self.reader.byte()
        if refines:
            raise self.reader.bad_byte(refines, "a zero byte at the end of a case", offset)
        return label, payload

    def _list(self) -> ValNode:
        element = self.val_type()
        return val_node(ListType(element.type), [element])

    def _fixed_list(self) -> ValNode:
        offset = self.reader.pos
        self.context.require(gates.FIXED_LISTS, "a list of fixed length", offset)
        self.context.has_fixed_lists = True
        element, length = self.val_type(), self.reader.u32()
        if not length:
            raise ValidationError("the length of a fixed-length list must be greater than zero", offset)
        return val_node(ListType(element.type, length), [element])

    def _tuple(self) -> ValNode:
        offset = self.reader.pos
        count = self.reader.count("items")
        if count > MAX_LABELS:
            raise ValidationError(_too_many("tuple item", count, MAX_LABELS), offset)
        self.context.budget.define(ITEM, offset, count)
        items = [self.val_type() for _ in range(count)]
        self._not_empty(items, "tuple type must have at least one type")
        return val_node(TupleType(tuple([i.type for i in items])), items)

    def _flags(self) -> ValNode:
        names = self.labels("flag", "flag", MAX_LABELS, str, LABEL)
        self._not_empty(names, "flags must have at least one entry")
        if len(names) > MAX_FLAGS:
            raise ValidationError(f"cannot have more than {MAX_FLAGS} flags", self.reader.pos)
        return ValNode(FlagsType(tuple(names)))

    def _enum(self) -> ValNode:
        names = self.labels("enum tag", "tag", MAX_LABELS, str, LABEL)
        self._not_empty(names, "enum type must have at least one variant")
        return ValNode(EnumType(tuple(names)))

    def _option(self) -> ValNode:
        some = self.val_type()
        return val_node(OptionType(some.type), [some])

    def _result(self) -> ValNode:
        ok, err = self.optional(), self.optional()
        return val_node(ResultType(_type(ok), _type(err)), [ok, err])

    def _own(self) -> ValNode:
        resource = self._resource()
        return ValNode(OwnType(resource.type), (resource,))

    def _borrow(self) -> ValNode:
        return borrow_node(self._resource())

    def _resource(self) -> ResNode:
        offset = self.reader.pos
        return self.scope.type_of(ResNode, self.reader.u32(), offset)

    def _stream(self) -> ValNode:
        offset = self.reader.pos
        element = self._passed_element("stream")
        if element is not None and element.type is CHAR:
            raise ValidationError("`stream<char>` is not valid at this time", offset)
        return val_node(StreamType(_type(element)), [element])

    def _future(self) -> ValNode:
        element = self._passed_element("future")
        return val_node(FutureType(_type(element)), [element])

    def _passed_element(self, what: str) -> ValNode | None:
        offset = self.reader.pos
        self.context.require(gates.ASYNC, f"`{what}`", offset)
        element = self.optional()
        if element is not None and element.has_borrow:
            raise ValidationError(f"a {what} cannot contain a `borrow` type", offset)
        return element

    def _map(self) -> ValNode:
        offset = self.reader.pos
        self.context.require(gates.MAP, "`map`", offset)
        key, value = self.val_type(), self.val_type()
        if key.type not in KEY_TYPES:
            raise ValidationError("the key of a map must be a bool, an integer, a char or a string", offset)
        return val_node(MapType(key.type, value.type), [key, value])

    def _not_empty(self, found: list[T], message: str) -> None:
        if not found:
            raise ValidationError(message, self.reader.pos)

    # ---- functions -------------------------------------------------------------------------------------------------

    def function(self, is_async: bool) -> FuncNode:
        """A `functype` after its leading byte."""
        offset = self.reader.pos
        self.context.budget.define(FUNCTION, offset)
        if is_async:
            self.context.require(gates.ASYNC, "an async function type", offset)
        read = lambda label: (label, self.val_type())  # noqa: E731
        params = self.labels("function parameter", "parameter", MAX_FUNCTION_PARAMS, read)
        result = self.result_list()
        if result is not None and result.has_borrow:
            raise ValidationError("function result cannot contain a `borrow` type", offset)
        type = FuncType(tuple([Param(n, t.type) for n, t in params]), _type(result), is_async)
        self.context.made(type, offset)
        parts = [t for _, t in params] + ([result] if result is not None else [])
        return FuncNode(type, tuple(parts))

    def result_list(self) -> ValNode | None:
        """A `resultlist`: one result, or none."""
        offset = self.reader.pos
        form = self.reader.byte()
        if form == 0:
            return self.val_type()
        if form != 1:
            raise self.reader.bad_byte(form, "the results of a function", offset)
        offset = self.reader.pos
        count = self.reader.byte()
        if count:
            raise self.reader.bad_byte(count, "the number of results", offset)
        return None


CONSTRUCTORS: dict[int, Callable[[ValueTypeReader], ValNode]] = {
    0x72: ValueTypeReader._record,
    0x71: ValueTypeReader._variant,
    0x70: ValueTypeReader._list,
    0x67: ValueTypeReader._fixed_list,
    0x6F: ValueTypeReader._tuple,
    0x6E: ValueTypeReader._flags,
    0x6D: ValueTypeReader._enum,
    0x6B: ValueTypeReader._option,
    0x6A: ValueTypeReader._result,
    0x69: ValueTypeReader._own,
    0x68: ValueTypeReader._borrow,
    0x66: ValueTypeReader._stream,
    0x65: ValueTypeReader._future,
    0x63: ValueTypeReader._map,
}


def val_node(type: ValType, parts: Iterable[ValNode | None]) -> ValNode:
    """The node of a type over the nodes of those parts that are there."""
    there: list[ValNode] = []
    has_borrow, size = False, 1
    for part in parts:
        if part is not None:
            there.append(part)
            size += part.size
            has_borrow = has_borrow or part.has_borrow
    return ValNode(type, tuple(there), has_borrow, size)


def check_label(label: str, key: str, seen: dict[str, str], what: str, noun: str, offset: int) -> None:
    """`ValidationError` where the label is none, or too much like one of `seen`, which it then joins by its `key`."""
    if not is_label(label):
        why = f"`{label}` is not in kebab case" if label else "cannot be empty"
        raise ValidationError(f"{what} name {why}", offset)
    if key in seen:
        raise ValidationError(f"{what} name `{label}` conflicts with previous {noun} name `{seen[key]}`", offset)
    seen[key] = label


def _type(node: ValNode | None) -> ValType | None:
    return None if node is None else node.type


def _too_many(what: str, count: int, most: int) -> str:
    return f"{count} {what}s: at most {most} are allowed"
