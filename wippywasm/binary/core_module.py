"""Core module bytes → what linking and introspection need of it: imports, exports, index spaces, custom sections.

In: the bytes of a module, or its span of a larger file. Out: `CoreModuleInfo`. Code, elements and data are passed over
unread, so the cost does not grow with them; they are validated by the engine that compiles them.

Spec: WebAssembly core, `binary/modules`; `appendix/custom` for names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from functools import cached_property

from wippywasm.binary.component import CustomSection, ModuleType
from wippywasm.binary.const_expr import skip_const_expr
from wippywasm.binary.core_custom import read_module_name
from wippywasm.binary.core_types import CoreTypeReader, CoreTypes
from wippywasm.binary.limits import (
    CORE_EXPORT,
    CORE_FUNCTION_ROOM,
    CORE_FUNCTIONS_AT_ONCE,
    CORE_GLOBAL,
    CORE_IMPORT,
    CORE_MEMORY,
    CORE_TAG,
    CORE_TYPE,
    CUSTOM_SECTION,
    SECTION,
    budget_of,
)
from wippywasm.binary.preamble import read_preamble
from wippywasm.binary.reader import Reader, view_of
from wippywasm.budget import Budget, Cost
from wippywasm.core import (
    CoreExport,
    CoreExternType,
    CoreFuncType,
    CoreGlobalType,
    CoreImport,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
)
from wippywasm.dataclass import dataclass
from wippywasm.errors import MalformedError, ValidationError

CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA, DATA_COUNT, TAG = range(14)
ORDER = {
    section: place
    for place, section in enumerate(
        (TYPE, IMPORT, FUNCTION, TABLE, MEMORY, TAG, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE, DATA)
    )
}


@dataclass(frozen=True)
class CoreModuleInfo:
    """The outside of a core module. Index spaces hold imported items first, as the specification numbers them."""

    imports: tuple[CoreImport, ...]
    exports: tuple[CoreExport, ...]
    customs: tuple[CustomSection, ...] = ()
    functions: tuple[CoreFuncType, ...] = field(default=(), repr=False)
    tables: tuple[CoreTableType, ...] = ()
    memories: tuple[CoreMemoryType, ...] = ()
    globals: tuple[CoreGlobalType, ...] = field(default=(), repr=False)
    tags: tuple[CoreTagType, ...] = ()
    start: int | None = None
    type_count: int = 0

    @cached_property
    def type(self) -> ModuleType:
        """Imports and exports as a module type of the component model."""
        return ModuleType(self.imports, self.exports)

    @cached_property
    def module_name(self) -> str | None:
        """The module's own name, from the name section."""
        return read_module_name(self.customs)


def parse(
    data: bytes | memoryview, *, start: int = 0, end: int | None = None, budget: Budget | None = None
) -> CoreModuleInfo:
    """Read the outside of the core module at `data[start:end]`; `budget` is that of the file it is a part of.

    Raises `MalformedError` where the bytes break the grammar and `ValidationError` where the parts read break a rule,
    with offsets that count from the start of `data`.
    """
    reader = Reader(view_of(data), start, end)
    if read_preamble(reader) != "module":
        raise MalformedError("expected a core module, found a component", start)
    return _ModuleParser(reader, budget or budget_of(reader.left)).run()


class _ModuleParser:
    """The state of one `parse`: index spaces as far as they have been read."""

    def __init__(self, reader: Reader, budget: Budget) -> None:
        self.reader = reader
        self.budget = budget
        self.space = CoreTypes()
        self.imports: list[CoreImport] = []
        self.exports: list[CoreExport] = []
        self.customs: list[CustomSection] = []
        self.functions: list[CoreFuncType] = []
        self.tables: list[CoreTableType] = []
        self.memories: list[CoreMemoryType] = []
        self.globals: list[CoreGlobalType] = []
        self.tags: list[CoreTagType] = []
        self.start: int | None = None
        self.defined_functions = 0
        self.bodies = 0

    def run(self) -> CoreModuleInfo:
        handlers = self._handlers()
        last = -1
        reader = self.reader
        while reader.pos < reader.end:
            offset = reader.pos
            section = reader.byte()
            body = reader.sub(reader.u32())
            self.budget.spend(SECTION, offset)
            last = check_section_order(section, last, offset)
            handler = handlers.get(section)
            if handler is not None:
                if section not in (CUSTOM, CODE):
                    self.budget.grant(body.left)
                handler(body)
                body.expect_end(f"section {section}")
        if self.bodies != self.defined_functions:
            raise MalformedError("function and code section have inconsistent lengths", reader.end)
        return self._info()

    def _handlers(self) -> dict[int, Callable[[Reader], None]]:
        return {
            CUSTOM: self._custom,
            TYPE: self._types,
            IMPORT: self._imports,
            FUNCTION: self._functions,
            TABLE: self._tables,
            MEMORY: self._memories,
            GLOBAL: self._globals,
            TAG: self._tags,
            EXPORT: self._exports,
            START: self._start,
            CODE: self._code,
        }

    def _info(self) -> CoreModuleInfo:
        return CoreModuleInfo(
            tuple(self.imports),
            tuple(self.exports),
            tuple(self.customs),
            tuple(self.functions),
            tuple(self.tables),
            tuple(self.memories),
            tuple(self.globals),
            tuple(self.tags),
            self.start,
            len(self.space.types),
        )

    # ---- sections --------------------------------------------------------------------------------------------------

    def _count(self, body: Reader, what: str, cost: Cost) -> int:
        count = body.count(what)
        self.budget.define(cost, body.pos, count)
        return count

    def _custom(self, body: Reader) -> None:
        self.budget.define(CUSTOM_SECTION, body.pos)
        self.customs.append(read_custom(body))

    def _types(self, body: Reader) -> None:
        types = CoreTypeReader(body, self.space, self.budget)
        for _ in range(self._count(body, "types", CORE_TYPE)):
            types.rec_type()

    def _imports(self, body: Reader) -> None:
        types = CoreTypeReader(body, self.space, self.budget)
        for _ in range(self._count(body, "imports", CORE_IMPORT)):
            found = types.import_()
            self.imports.append(found)
            self._append(found.type)

    def _append(self, item: CoreExternType) -> None:
        match item:
            case CoreFuncType():
                self.functions.append(item)
            case CoreTableType():
                self.tables.append(item)
            case CoreMemoryType():
                self.memories.append(item)
            case CoreGlobalType():
                self.globals.append(item)
            case CoreTagType():
                self.tags.append(item)

    def _functions(self, body: Reader) -> None:
        self.defined_functions = count = body.count("functions")
        self.budget.spend(count // CORE_FUNCTIONS_AT_ONCE, body.pos)
        self.budget.take(count * CORE_FUNCTION_ROOM, body.pos)
        indices: Sequence[int] = bytes(body.data[body.pos : body.pos + count])
        if max(indices, default=0) < 0x80:
            body.pos += count  # each is one byte
        else:
            self.budget.spend(count, body.pos)
            indices = [body.u32() for _ in range(count)]
        types = {index: self.space.func(index, body.pos) for index in set(indices)}
        self.functions += map(types.__getitem__, indices)

    def _tables(self, body: Reader) -> None:
        types = CoreTypeReader(body, self.space, self.budget)
        for _ in range(self._count(body, "tables", CORE_MEMORY)):
            initialised = body.peek() == 0x40
            if initialised and bytes(body.slice(2)) != b"\x40\x00":
                raise body.malformed("malformed table")
            self.tables.append(types.table_type())
            if initialised:
                skip_const_expr(body, self.budget)

    def _memories(self, body: Reader) -> None:
        types = CoreTypeReader(body, self.space, self.budget)
        self.memories += [types.memory_type() for _ in range(self._count(body, "memories", CORE_MEMORY))]

    def _globals(self, body: Reader) -> None:
        types = CoreTypeReader(body, self.space, self.budget)
        for _ in range(self._count(body, "globals", CORE_GLOBAL)):
            self.globals.append(types.global_type())
            skip_const_expr(body, self.budget)

    def _tags(self, body: Reader) -> None:
        types = CoreTypeReader(body, self.space, self.budget)
        self.tags += [types.tag_type() for _ in range(self._count(body, "tags", CORE_TAG))]

    def _exports(self, body: Reader) -> None:
        spaces = (self.functions, self.tables, self.memories, self.globals, self.tags)
        names: set[str] = set()
        for _ in range(self._count(body, "exports", CORE_EXPORT)):
            offset = body.pos
            name, kind, index = body.name(), body.byte(), body.u32()
            if kind >= len(spaces):
                raise MalformedError(f"malformed export kind {kind:#04x}", offset)
            if index >= len(spaces[kind]):
                raise ValidationError(f"export `{name}`: index {index} is out of bounds", offset)
            if name in names:
                raise ValidationError(f"duplicate export name `{name}` already defined", offset)
            names.add(name)
            self.exports.append(CoreExport(name, spaces[kind][index]))

    def _start(self, body: Reader) -> None:
        self.start = body.u32()

    def _code(self, body: Reader) -> None:
        self.bodies = body.u32()
        body.pos = body.end


def check_section_order(section: int, last: int, offset: int) -> int:
    """The place of the latest section; `MalformedError` where it comes twice, out of order, or is unknown."""
    if section == CUSTOM:
        return last
    place = ORDER.get(section)
    if place is None:
        raise MalformedError(f"malformed section id: {section}", offset)
    if place <= last:
        raise MalformedError(f"section {section} is out of order: unexpected content after last section", offset)
    return place


def read_custom(body: Reader) -> CustomSection:
    """The custom section that fills `body`."""
    offset = body.pos
    name = body.name()
    return CustomSection(name, body.slice(body.left), offset)
