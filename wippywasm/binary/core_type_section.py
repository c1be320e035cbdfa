"""Bytes → core types as components define them: function types and their like, and core module types.

In: a `Reader` at a `core:type`, the scope that it joins. Out: the scope's core type index space, grown.
Spec: component-model `Binary.md`, type definitions (`core:deftype`, `core:moduletype`).
"""

from __future__ import annotations

from wippywasm.binary.component import CoreTypeDefinition, ModuleType
from wippywasm.binary.core_types import CoreTypeReader, CoreTypes
from wippywasm.binary.limits import CORE_EXPORT, CORE_IMPORT, CORE_MODULE_TYPE, CORE_TAG, CORE_TYPE
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import COMPONENT, Scope, at
from wippywasm.core import CoreExport, CoreImport
from wippywasm.errors import MalformedError, ValidationError

MODULE_TYPE = 0x50
IMPORT_DECL, TYPE_DECL, ALIAS_DECL, EXPORT_DECL = range(4)
TYPE_SORT, OUTER = 0x10, 0x01
_DECLARED = {IMPORT_DECL: CORE_IMPORT, TYPE_DECL: CORE_TYPE, EXPORT_DECL: CORE_EXPORT}


def read_core_type(scope: Scope, reader: Reader) -> None:
    """Read a core type definition into the scope. One definition may be a group of several types."""
    offset = reader.pos
    before = len(scope.core_types.types)
    code = reader.peek()
    if code == MODULE_TYPE:
        reader.pos += 1
        scope.context.budget.define(CORE_MODULE_TYPE, offset)
        scope.core_types.add(ModuleTypeReader(scope, reader).read(), "(module)")
    else:
        reader.pos += code == 0x00
        if code == 0x00 and reader.peek() != MODULE_TYPE:
            raise reader.bad_byte(reader.peek(), "a core type", reader.pos)
        CoreTypeReader(reader, scope.core_types, scope.context.budget).rec_type()
    if scope.kind == COMPONENT:
        for type in scope.core_types.types[before:]:
            scope.define(CoreTypeDefinition(offset, type))


class ModuleTypeReader:
    """Reads the declarations of one core module type; its types are an index space of their own."""

    def __init__(self, scope: Scope, reader: Reader) -> None:
        self.scope = scope
        self.reader = reader
        self.space = CoreTypes()
        self.types = CoreTypeReader(reader, self.space, scope.context.budget)
        self.imports: list[CoreImport] = []
        self.exports: dict[str, CoreExport] = {}

    def read(self) -> ModuleType:
        reader = self.reader
        count = reader.count("declarations")
        budget = self.scope.context.budget
        for _ in range(count):
            offset = reader.pos
            kind = reader.byte()
            budget.define(_DECLARED.get(kind, CORE_TAG), offset)
            if kind == IMPORT_DECL:
                self.imports.append(self.types.import_())
            elif kind == TYPE_DECL:
                self._type(offset)
            elif kind == ALIAS_DECL:
                self._alias()
            elif kind == EXPORT_DECL:
                self._export(offset)
            else:
                raise reader.bad_byte(kind, "a declaration of a core module type", offset)
        check_import_names(self.imports, reader.pos)
        return ModuleType(tuple(self.imports), tuple(self.exports.values()))

    def _type(self, offset: int) -> None:
        """What looks like a module type is a subtype here, since module types are not nested."""
        is_either = self.reader.peek() == MODULE_TYPE
        try:
            self.types.rec_type()
        except MalformedError as error:
            if not is_either:
                raise
            raise ValidationError(f"{error.message}: a core module type can't define module types", offset) from None

    def _alias(self) -> None:
        reader = self.reader
        offset = reader.pos
        sort = reader.byte()
        if sort != TYPE_SORT:
            raise reader.bad_byte(sort, "the sort of an outer alias", offset)
        target = reader.byte()
        if target != OUTER:
            raise reader.bad_byte(target, "the target of an outer alias", offset + 1)
        count, index = reader.u32(), reader.u32()
        space = self.space if count == 0 else self.scope.outer(count - 1, offset).core_types
        type = at(space.types, index, "type", offset)
        if isinstance(type, ModuleType):
            raise ValidationError("a core module type can't alias module types", offset)
        self.space.alias(space, index)

    def _export(self, offset: int) -> None:
        name, type = self.reader.name(), self.types.extern_type()
        if name in self.exports:
            raise ValidationError(f"export name `{name}` already defined", offset)
        self.exports[name] = CoreExport(name, type)


def check_import_names(imports: list[CoreImport] | tuple[CoreImport, ...], offset: int) -> None:
    """Two imports of one name can't be told apart by what instantiates the module."""
    seen: set[tuple[str, str]] = set()
    for found in imports:
        if (found.module, found.name) in seen:
            raise ValidationError(f"duplicate import name `{found.module}:{found.name}`", offset)
        seen.add((found.module, found.name))
