"""Bytes of a WIT package in binary form to declarations, indices unresolved.

In: bytes. Out: the type definitions, exports and custom sections of the outermost component, as plain data.
Everything is bounds-checked: a count never makes memory, only the bytes behind it do, and nesting has a limit.
Spec: `Binary.md`, "Component Definitions", "Type Definitions", "Import and Export Definitions".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TypeAlias, TypeVar

from wippywasm import model
from wippywasm.budget import Budget, Cost
from wippywasm.dataclass import dataclass
from wippywasm.errors import MalformedError, ValidationError
from wippywasm.wit.decode_limits import (
    ATTRIBUTE,
    CUSTOM_SECTION,
    DECLARATION,
    EXPORT,
    EXTERN,
    FIELD,
    ITEM,
    LABEL,
    SECTION,
    TYPE,
    VECTOR,
)
from wippywasm.wit.encode_types import PRIMITIVE_CODES

PREAMBLE = b"\0asm\x0d\x00\x01\x00"
MAX_NESTING = 16
"""Component types within component types; a WIT package has three."""

_PRIMITIVES = {code: model.PRIMS[name] for name, code in PRIMITIVE_CODES.items()}
_CUSTOM, _TYPES, _EXPORTS = 0, 7, 11
_TYPE_SORT = 0x03

Ref: TypeAlias = "int | model.Prim"
"""A type index or a primitive."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Definition:
    """A type: `kind` is its keyword, `parts` what stands in it; see `Reader.definition`."""

    offset: int
    kind: str
    parts: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    implements: str | None = None
    external_id: str | None = None


_NO_NAME = Name("")


@dataclass(frozen=True, slots=True)
class Declaration:
    """`kind` is `type`, `alias`, `outer`, `import` or `export`.

    `parts` are the definition; the instance and name; the count and index; or, of an extern, its kind and index.
    """

    offset: int
    kind: str
    parts: tuple[object, ...]
    name: Name = _NO_NAME


@dataclass
class RawPackage:
    """The outermost component: its types, the names it exports with the indices of types, and custom sections."""

    declarations: list[Declaration] = field(default_factory=list)
    customs: list[tuple[str, bytes, int]] = field(default_factory=list)


def read_package(data: bytes, budget: Budget) -> RawPackage:
    """The declarations of `data`. Raises MalformedError, and ValidationError for what no WIT package has."""
    if not data.startswith(PREAMBLE):
        raise MalformedError("not a component", 0, hint="a WIT package in binary form is a component")
    package, reader = RawPackage(), Reader(data, budget, len(PREAMBLE))
    while reader.at < len(data):
        _read_section(reader, package)
    return package


def _read_section(reader: Reader, package: RawPackage) -> None:
    offset, id = reader.at, reader.byte()
    reader.budget.define(SECTION, offset)
    end = reader.unsigned() + reader.at
    if end > reader.end:
        raise MalformedError("a section ends behind the file", offset)
    section = Reader(reader.data, reader.budget, reader.at, end)
    if id == _CUSTOM:
        reader.budget.define(CUSTOM_SECTION, offset)
        name = section.name()
        package.customs.append((name, reader.data[section.at : end], section.at))
        section.at = end
    elif id in (_TYPES, _EXPORTS):
        reader.budget.grant(end - section.at)
        package.declarations += section.vector(_type if id == _TYPES else _export, ITEM)
    else:
        hint = "a component that does something, not a WIT package: 'wippywasm inspect FILE --wit' has its world"
        raise ValidationError(f"section {id} is not one of a WIT package", offset, hint=hint)
    if section.at != end:
        raise MalformedError("a section is longer than what it holds", section.at)
    reader.at = end


def _type(reader: Reader) -> Declaration:
    return Declaration(reader.at, "type", (reader.definition(1),))


def _export(reader: Reader) -> Declaration:
    offset, name = reader.at, reader.extern_name()
    reader.budget.define(EXPORT, offset)
    if reader.byte() != _TYPE_SORT:
        raise ValidationError("a WIT package exports types only", offset)
    index = reader.unsigned()
    if reader.byte() != 0:
        raise ValidationError("an export of a WIT package has no type of its own", offset)
    return Declaration(offset, "export", ("type", index), name)


class Reader:
    """A cursor over bytes, up to `end`."""

    def __init__(self, data: bytes, budget: Budget, at: int, end: int | None = None) -> None:
        self.budget = budget
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    def byte(self) -> int:
        if self.at >= self.end:
            raise MalformedError("unexpected end", self.at)
        self.at += 1
        return self.data[self.at - 1]

    def unsigned(self) -> int:
        """A 32-bit LEB128."""
        offset, value = self.at, 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >= 2**32:
                    break
                return value
        raise MalformedError("an integer is larger than 32 bits", offset)

    def name(self) -> str:
        offset, length = self.at, self.unsigned()
        if self.at + length > self.end:
            raise MalformedError("a name ends behind its section", offset)
        self.at += length
        try:
            return self.data[self.at - length : self.at].decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedError("a name is not UTF-8", offset) from None

    def vector(self, one: Callable[[Reader], T], cost: Cost) -> list[T]:
        self.budget.define(VECTOR, self.at)
        return [one(self) for _ in self._count(cost)]

    def _count(self, cost: Cost) -> range:
        offset, count = self.at, self.unsigned()
        if count > self.end - self.at:
            raise MalformedError(f"{count} items do not fit into the rest", offset)
        self.budget.define(cost, offset, count)
        return range(count)

    def choice(self, options: dict[int, str], what: str) -> str:
        offset, code = self.at, self.byte()
        if code not in options:
            raise MalformedError(f"{code:#04x} is not {what}", offset)
        return options[code]

    def ref(self) -> Ref:
        """A value type: a primitive's code or a type index, which is a non-negative signed integer."""
        offset, first = self.at, self.byte()
        if first in _PRIMITIVES:
            return _PRIMITIVES[first]
        value, shift, byte = first & 0x7F, 7, first
        while byte >= 0x80 and shift < 35:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
        if byte >= 0x40 or value >= 2**32:
            raise MalformedError(f"{first:#04x} is not a value type", offset)
        return value

    def optional(self) -> Ref | None:
        return self.ref() if self.choice({0: "", 1: "some"}, "a choice between nothing and something") else None

    def extern_name(self) -> Name:
        offset, form = self.at, self.byte()
        name = self.name()
        if form > 2:
            raise MalformedError(f"{form:#04x} is not a form of names", offset)
        found: dict[str, str] = {}
        for _ in self._count(ATTRIBUTE) if form == 2 else ():
            kind = self.choice({0: "implements", 1: "version-suffix", 2: "external-id"}, "an attribute of a name")
            if kind in found:
                raise ValidationError(f"a name has two attributes `{kind}`", offset)
            found[kind] = self.name()
            if kind == "version-suffix":
                raise ValidationError(f"`{name}` has the whole version, or none: no suffix goes with that", offset)
        return Name(name, found.get("implements"), found.get("external-id"))

    # ---- types ----

    def definition(self, depth: int) -> Definition:
        """A type definition; `depth` is how many component and instance types are around it, and it."""
        offset, code = self.at, self.byte()
        self.budget.define(TYPE, offset)
        if code in _PRIMITIVES:
            return Definition(offset, "primitive", (_PRIMITIVES[code],))
        if code in (0x40, 0x43):
            return Definition(offset, "func", (code == 0x43, *self._function()))
        if code in (0x41, 0x42):
            if depth > MAX_NESTING:
                raise ValidationError("types of components nest too deep", offset)
            kind = "component" if code == 0x41 else "instance"
            return Definition(offset, kind, tuple(self.vector(lambda r: r.declaration(depth + 1), DECLARATION)))
        if code not in _SHAPES:
            raise MalformedError(f"{code:#04x} is not a type of a WIT package", offset)
        kind, parts = _SHAPES[code]
        return Definition(offset, kind, parts(self))

    def _function(self) -> tuple[tuple[tuple[str, Ref], ...], Ref | None]:
        params = tuple(self.vector(lambda r: (r.name(), r.ref()), FIELD))
        if self.choice({0: "one", 1: "none"}, "a form of results") == "one":
            return params, self.ref()
        offset = self.at
        if self.byte() != 0:
            raise MalformedError("a function has at most one result", offset)
        return params, None

    def declaration(self, depth: int) -> Declaration:
        offset = self.at
        kind = self.choice({1: "type", 2: "alias", 3: "import", 4: "export"}, "a declaration of a WIT package")
        if kind == "type":
            return Declaration(offset, kind, (self.definition(depth),))
        if kind == "alias":
            return self._alias(offset)
        self.budget.define(EXTERN, offset)
        name = self.extern_name()
        return Declaration(offset, kind, self._extern(), name)

    def _alias(self, offset: int) -> Declaration:
        if self.byte() != _TYPE_SORT:
            raise ValidationError("an alias of a WIT package is one of a type", offset)
        if self.choice({0: "export", 2: "outer"}, "a target of an alias") == "export":
            return Declaration(offset, "alias", (self.unsigned(), self.name()))
        return Declaration(offset, "outer", (self.unsigned(), self.unsigned()))

    def _extern(self) -> tuple[object, ...]:
        kind = self.choice({1: "func", 3: "type", 4: "component", 5: "instance"}, "a kind of import or export")
        if kind != "type":
            return kind, self.unsigned()
        if self.choice({0: "eq", 1: "sub"}, "a bound of a type") == "sub":
            return ("resource",)
        return "type", self.unsigned()


def _case(reader: Reader) -> tuple[str, Ref | None]:
    name, payload = reader.name(), reader.optional()
    offset = reader.at
    if reader.byte() != 0:
        raise MalformedError("a case ends with 0x00", offset)
    return name, payload


_SHAPES: dict[int, tuple[str, Callable[[Reader], tuple[object, ...]]]] = {
    0x72: ("record", lambda r: (r.vector(lambda r: (r.name(), r.ref()), FIELD),)),
    0x71: ("variant", lambda r: (r.vector(_case, FIELD),)),
    0x70: ("list", lambda r: (r.ref(),)),
    0x67: ("fixed-list", lambda r: (r.ref(), r.unsigned())),
    0x6F: ("tuple", lambda r: (r.vector(Reader.ref, ITEM),)),
    0x6E: ("flags", lambda r: (r.vector(Reader.name, LABEL),)),
    0x6D: ("enum", lambda r: (r.vector(Reader.name, LABEL),)),
    0x6B: ("option", lambda r: (r.ref(),)),
    0x6A: ("result", lambda r: (r.optional(), r.optional())),
    0x69: ("own", lambda r: (r.unsigned(),)),
    0x68: ("borrow", lambda r: (r.unsigned(),)),
    0x66: ("stream", lambda r: (r.optional(),)),
    0x65: ("future", lambda r: (r.optional(),)),
    0x63: ("map", lambda r: (r.ref(), r.ref())),
}
