"""Types and functions to the declarations of a component or instance type.

In: `TypeDef`s and functions of one interface or world. Out: bytes of declarations, and the type indices in them.
Spec: `Binary.md`, type definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wippywasm import model
from wippywasm.errors import InvalidError
from wippywasm.leb128 import signed, unsigned
from wippywasm.model import ResourceType, ValType
from wippywasm.wit.borrows import Borrows
from wippywasm.wit.names import StrongNames, utf8
from wippywasm.wit.resolved import Function, Interface, TypeDef

MAX_FLAGS = 32
PRIMITIVE_CODES = {
    "bool": 0x7F,
    "s8": 0x7E,
    "u8": 0x7D,
    "s16": 0x7C,
    "u16": 0x7B,
    "s32": 0x7A,
    "u32": 0x79,
    "s64": 0x78,
    "u64": 0x77,
    "f32": 0x76,
    "f64": 0x75,
    "char": 0x74,
    "string": 0x73,
    "error-context": 0x64,
}


def name_bytes(name: str) -> bytes:
    data = utf8(name)
    return unsigned(len(data)) + data


def vector(items: Iterable[bytes]) -> bytes:
    parts = list(items)
    return unsigned(len(parts)) + b"".join(parts)


def extern_name(name: str, *, implements: str | None = None, external_id: str | None = None) -> bytes:
    """A name with its attributes."""
    attributes = []
    if implements is not None:
        attributes.append(b"\x00" + name_bytes(implements))
    if external_id is not None:
        attributes.append(b"\x02" + name_bytes(external_id))
    if not attributes:
        return b"\x00" + name_bytes(name)
    return b"\x02" + name_bytes(name) + unsigned(len(attributes)) + b"".join(attributes)


class Declarations:
    """The declarations of a component or instance type, and how many types they make."""

    def __init__(self) -> None:
        self.declarations: list[bytes] = []
        self._names: dict[bytes, StrongNames] = {}
        self.types = 0

    def add(self, declaration: bytes) -> None:
        self.declarations.append(declaration)

    def claim(self, direction: bytes, name: str) -> None:
        """Takes a name for an import or export. Raises InvalidError for one that the binary form can't have."""
        if fault := self._names.setdefault(direction, StrongNames()).fault(name) or package_fault(name):
            raise InvalidError(f"{fault}; the binary form refuses that", hint="give it another name")

    def add_type(self, declaration: bytes) -> int:
        """Adds a declaration that makes a type; its index."""
        self.add(declaration)
        self.types += 1
        return self.types - 1

    def define(self, definition: bytes) -> int:
        return self.add_type(b"\x01" + definition)

    def alias_type(self, instance: int, name: str) -> int:
        """The type `name` of an instance."""
        return self.add_type(b"\x02\x03\x00" + unsigned(instance) + name_bytes(name))

    def alias_outer_type(self, index: int) -> int:
        """A type of the component type around this one."""
        return self.add_type(b"\x02\x03\x02" + unsigned(1) + unsigned(index))

    def component(self) -> bytes:
        return b"\x41" + vector(self.declarations)

    def instance(self) -> bytes:
        return b"\x42" + vector(self.declarations)


def package_fault(name: str) -> str | None:
    """What is wrong with the package in the full name of an interface, which WIT lets be in upper case."""
    package = name.partition("/")[0] if ":" in name else ""
    return f"package `{package}` has upper case letters" if package != package.lower() else None


def _check_bounds(t: ValType, borrows: Borrows) -> None:
    """WIT has types that the binary form does not. Raises InvalidError."""
    if fault := borrows.fault(t):
        raise InvalidError(f"{fault}: it has no binary form", hint="use another type")
    match t:
        case model.RecordType(fields=()):
            raise InvalidError("a record without fields has no binary form", hint="give it a field")
        case model.TupleType(items=()):
            raise InvalidError("a tuple without types has no binary form", hint="give it a type")
        case model.FlagsType(names=names) if not 0 < len(names) <= MAX_FLAGS:
            raise InvalidError(f"flags with {len(names)} names have no binary form", hint=f"use 1 to {MAX_FLAGS}")
        case model.ListType(length=0):
            raise InvalidError("a list of length 0 has no binary form", hint="make it longer")


class TypeEncoder:
    """Encodes each type once. `foreign` gives the index of a type that another interface than `owner` defines."""

    def __init__(self, declarations: Declarations, owner: Interface | None, foreign: Callable[[TypeDef], int]) -> None:
        self.declarations = declarations
        self.owner = owner
        self.foreign = foreign
        self._indices: dict[TypeDef, int] = {}
        self._anonymous: dict[ValType, int] = {}
        self._functions: dict[model.FuncType, int] = {}
        self._borrows = Borrows()

    def named(self, t: TypeDef, direction: bytes = b"\x04") -> int:
        """Defines a type and exports it under its name, or imports it by `direction`."""
        if t in self._indices:
            return self._indices[t]
        self.declarations.claim(direction, t.name or "")
        name = direction + extern_name(t.name or "", external_id=t.external_id) + b"\x03"
        if isinstance(t.kind, ResourceType):
            index = self.declarations.add_type(name + b"\x01")
        else:
            index = self.declarations.add_type(name + b"\x00" + unsigned(self._defined(t.kind)))
        self._indices[t] = index
        return index

    def _defined(self, kind: ValType) -> int:
        """The index of what a name stands for; a primitive needs one of its own here."""
        if isinstance(kind, TypeDef):
            return self._index(kind)
        return self.declarations.define(self._definition(kind))

    def _index(self, t: TypeDef) -> int:
        known = self._indices.get(t)
        if known is not None:
            return known
        if isinstance(t.owner, Interface) and t.owner is not self.owner:
            index = self.foreign(t)
        elif t.name is not None:
            index = self.named(t)
        else:
            assert isinstance(t.kind, ValType)
            if t.kind not in self._anonymous:
                self._anonymous[t.kind] = self._defined(t.kind)
            index = self._anonymous[t.kind]
        self._indices[t] = index
        return index

    def value(self, t: ValType) -> bytes:
        """A type where a value type is."""
        if isinstance(t, TypeDef):
            return signed(self._index(t))
        assert isinstance(t, model.Prim)
        return bytes([PRIMITIVE_CODES[t.name]])

    def optional(self, t: ValType | None) -> bytes:
        return b"\x00" if t is None else b"\x01" + self.value(t)

    def _definition(self, t: ValType) -> bytes:
        _check_bounds(t, self._borrows)
        match t:
            case model.Prim():
                return self.value(t)
            case model.RecordType(fields=members):
                return b"\x72" + vector(name_bytes(m.name) + self.value(m.type) for m in members)
            case model.VariantType(cases=cases):
                return b"\x71" + vector(name_bytes(c.name) + self.optional(c.type) + b"\x00" for c in cases)
            case model.EnumType(names=names):
                return b"\x6d" + vector(map(name_bytes, names))
            case model.FlagsType(names=names):
                return b"\x6e" + vector(map(name_bytes, names))
            case model.OwnType(resource=TypeDef() as resource):
                return b"\x69" + unsigned(self._index(resource))
            case model.BorrowType(resource=TypeDef() as resource):
                return b"\x68" + unsigned(self._index(resource))
            case _:
                return self._generic(t)

    def _generic(self, t: ValType) -> bytes:
        match t:
            case model.ListType(element=element, length=None):
                return b"\x70" + self.value(element)
            case model.ListType(element=element, length=int(length)):
                return b"\x67" + self.value(element) + unsigned(length)
            case model.TupleType(items=items):
                return b"\x6f" + vector(map(self.value, items))
            case model.OptionType(type=inner):
                return b"\x6b" + self.value(inner)
            case model.ResultType(ok=ok, err=err):
                return b"\x6a" + self.optional(ok) + self.optional(err)
            case model.MapType(key=key, value=value):
                return b"\x63" + self.value(key) + self.value(value)
            case model.StreamType(element=element):
                return b"\x66" + self.optional(element)
            case model.FutureType(element=element):
                return b"\x65" + self.optional(element)
        raise TypeError(f"not a type of a WIT package: {t!r}")

    def function(self, function: Function) -> int:
        """The index of a function's type."""
        t = function.type
        if t not in self._functions:
            params = vector([name_bytes(p.name) + self.value(p.type) for p in t.params])
            result = b"\x01\x00" if t.result is None else b"\x00" + self.value(t.result)
            self._functions[t] = self.declarations.define((b"\x43" if t.is_async else b"\x40") + params + result)
        return self._functions[t]
