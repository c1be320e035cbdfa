"""The sections of a module → those of the rewritten one.

In: the bytes of a valid module. Out: the bytes of the rewritten module, and what it
takes to speak of the original where the rewritten one trapped: its name, for which the rewritten one has a mark of its
own, and the offsets of its code.

Spec: WebAssembly core, `binary/modules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from wippywasm.binary import core_module
from wippywasm.binary.component import CustomSection
from wippywasm.binary.core_custom import MODULE_SUBSECTION, read_module_name
from wippywasm.binary.core_module import CODE, CUSTOM, EXPORT, GLOBAL, IMPORT, ORDER, TYPE, CoreModuleInfo
from wippywasm.binary.core_module import START as START_SECTION
from wippywasm.binary.core_module import TABLE as TABLE_SECTION
from wippywasm.core import CoreFuncType, CoreTableType, Limits
from wippywasm.dataclass import dataclass
from wippywasm.engine.rewrite.code import Checks, rewrite_code
from wippywasm.engine.rewrite.growth import Questions
from wippywasm.engine.rewrite.hosts import TICK, binary_table, binary_type
from wippywasm.engine.rewrite.leb import append, read_u32, sized, skip
from wippywasm.engine.rewrite.notes import GLOBALS, NOTED, Notes
from wippywasm.engine.rewrite.offsets import Offsets
from wippywasm.engine.rewrite.origin import Origin
from wippywasm.leb128 import signed, unsigned

TABLE = "wippy:tick"
"""The export that has the table of the host's functions."""
START = "wippy:start"
"""The export that has what was the start function, where there is one."""
TABLES = "wippy:tables"
"""The module name of the tables that it imports instead of defining them."""
FIRST_COUNT = 10_000
_PREAMBLE = 8
_I32 = b"\x7f"
_ZERO = b"\x7e\1\x42\0\x0b"
"""A global of 64 bits."""
_TABLE, _GLOBAL = 1, 3


@dataclass(frozen=True, eq=False)
class Rewritten:
    """A rewritten module; `functions` are the types of the host's functions that belong in its table.

    `tables` are its last imports, `0`, `1`, … of `TABLES`: new ones, which nothing else has.
    """

    wasm: bytes
    origin: Origin
    functions: tuple[CoreFuncType, ...]
    tables: tuple[CoreTableType, ...] = ()


def rewrite(wasm: bytes, info: CoreModuleInfo | None = None) -> Rewritten:
    """The module with checks, which asks the host before it grows anything.

    `info` is its outside, if somebody has read it.

    Where it imports tables it imports all: in wasmer, for which this is, a `call_indirect` through a table that a
    module defines reads elsewhere if the module imports another one.

    Raises UnsupportedFeatureError for instructions that are not known.
    """
    info = info or core_module.parse(wasm)
    file = _File(wasm)
    sections, offsets = file.sections, Offsets()
    tick = b"\x41\0\x11" + unsigned(info.type_count) + unsigned(len(info.tables))
    checks = Checks(len(info.globals), len(info.globals) + 1, tick)
    questions = Questions(info, 1, info.type_count + 1, len(info.tables))
    if CODE in sections:
        sections[CODE], offsets = rewrite_code(sections[CODE], checks, questions)
    for first in (FIRST_COUNT, 0):
        sections[GLOBAL] = append(sections.get(GLOBAL), _I32 + b"\1\x41" + signed(first) + b"\x0b")
    functions = (TICK, *questions.functions)
    _add_hosts(sections, info, functions)
    imported = sum(isinstance(item.type, CoreTableType) for item in info.imports)
    tables = (*info.tables[imported:], _table_of(functions)) if imported else ()
    if tables:
        del sections[TABLE_SECTION]
    for k, type in enumerate(tables):
        place = sized(TABLES.encode()) + sized(str(k).encode())
        sections[IMPORT] = append(sections[IMPORT], place + b"\1" + binary_table(type))
    return _joined(_mark(b"checked", wasm), wasm, file, offsets, functions, tables)


def ask_for_growth(wasm: bytes) -> Rewritten | None:
    """The module without checks, which asks the host before it grows anything; None where it grows nothing.

    Raises UnsupportedFeatureError for instructions that are not known.
    """
    info = core_module.parse(wasm)
    file = _File(wasm)
    if CODE not in file.sections:
        return None
    questions = Questions(info, 0, info.type_count, len(info.tables))
    file.sections[CODE], offsets = rewrite_code(file.sections[CODE], None, questions)
    if not questions.functions:
        return None
    _add_hosts(file.sections, info, questions.functions)
    return _joined(_mark(b"asking", wasm), wasm, file, offsets, questions.functions)


def note_growth(wasm: bytes, info: CoreModuleInfo | None = None) -> Rewritten | None:
    """The module, which notes where a growth was refused (`NOTED`); None where it grows nothing.

    `info` is its outside, if somebody has read it. Raises UnsupportedFeatureError for instructions that are not known.
    """
    info = info or core_module.parse(wasm)
    file = _File(wasm)
    notes = Notes(info)
    if CODE not in file.sections:
        return None
    file.sections[CODE], offsets = rewrite_code(file.sections[CODE], None, notes)
    if not notes.found:
        return None
    for _ in range(GLOBALS):
        file.sections[GLOBAL] = append(file.sections.get(GLOBAL), _ZERO)
    for name, number in NOTED.items():
        file.sections[EXPORT] = append(file.sections.get(EXPORT), _export(name, _GLOBAL, len(info.globals) + number))
    _export_start(file.sections, info)
    return _joined(noted_mark(wasm), wasm, file, offsets)


def noted_mark(wasm: bytes | memoryview) -> str:
    """The name of the module that `note_growth` makes of this one."""
    return _mark(b"noted", wasm)


def _mark(way: bytes, wasm: bytes | memoryview) -> str:
    digest = sha256(way)
    digest.update(wasm)
    return "wippy:" + digest.hexdigest()[:24]


def _add_hosts(sections: dict[int, bytes], info: CoreModuleInfo, functions: Sequence[CoreFuncType]) -> None:
    """Append the types of the host's functions and their table, and leave the start function to the host."""
    for type in dict.fromkeys(functions):
        sections[TYPE] = append(sections.get(TYPE), binary_type(type))
    sections[TABLE_SECTION] = append(sections.get(TABLE_SECTION), binary_table(_table_of(functions)))
    sections[EXPORT] = append(sections.get(EXPORT), _export(TABLE, _TABLE, len(info.tables)))
    _export_start(sections, info)


def _export_start(sections: dict[int, bytes], info: CoreModuleInfo) -> None:
    if sections.pop(START_SECTION, None) is not None and info.start is not None:
        sections[EXPORT] = append(sections[EXPORT], _export(START, 0, info.start))


def _table_of(functions: Sequence[CoreFuncType]) -> CoreTableType:
    return CoreTableType("funcref", Limits(len(functions), len(functions)))


class _File:
    """The contents of the sections by number, where the code starts, and what the custom sections tell of names."""

    def __init__(self, wasm: bytes) -> None:
        self.sections: dict[int, bytes] = {}
        self.code = 0
        self.names = b""
        """The subsections of the name section, the module's own name left out."""
        self.name: str | None = None
        pos = _PREAMBLE
        while pos < len(wasm):
            number = wasm[pos]
            size, pos = read_u32(wasm, pos + 1)
            content = wasm[pos : pos + size]
            if number == CODE:
                self.code = pos
            if number != CUSTOM:
                self.sections[number] = content
            elif content[skip(content, 0) :].startswith(b"name") and content[0] == len("name"):
                self._read_names(content[1 + len("name") :])
            pos += size

    def _read_names(self, data: bytes) -> None:
        self.name = self.name or read_module_name([CustomSection("name", memoryview(data), 0)])
        pos = 0
        try:
            while pos < len(data):
                size, start = read_u32(data, pos + 1)
                if start + size > len(data):
                    return
                self.names += data[pos : start + size] if data[pos] != MODULE_SUBSECTION else b""
                pos = start + size
        except IndexError:
            return  # it ends in the middle: no name section makes a module invalid


def _joined(
    mark: str,
    wasm: bytes,
    file: _File,
    offsets: Offsets,
    functions: tuple[CoreFuncType, ...] = (),
    tables: tuple[CoreTableType, ...] = (),
) -> Rewritten:
    out = bytearray(wasm[:_PREAMBLE])
    for number in sorted(file.sections, key=ORDER.__getitem__):
        content = file.sections[number]
        out += bytes([number]) + sized(content)
        if number == CODE:
            offsets.place(len(out) - len(content), file.code)
    names = bytes([MODULE_SUBSECTION]) + sized(sized(mark.encode())) + file.names
    out += bytes([CUSTOM]) + sized(sized(b"name") + names)
    return Rewritten(bytes(out), Origin(mark, file.name, offsets), functions, tables)


def _export(name: str, kind: int, index: int) -> bytes:
    return sized(name.encode()) + bytes([kind]) + unsigned(index)
