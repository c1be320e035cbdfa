"""Bytes → sorts, by their names in the text format.

Spec: component-model `Binary.md`, instance definitions (`sort`, `core:sort`).
"""

from __future__ import annotations

from wippywasm.binary.reader import Reader

CORE_SORTS = {
    0x00: "core func",
    0x01: "core table",
    0x02: "core memory",
    0x03: "core global",
    0x04: "core tag",
    0x10: "core type",
    0x11: "core module",
    0x12: "core instance",
}
SORTS = {0x01: "func", 0x02: "value", 0x03: "type", 0x04: "component", 0x05: "instance"}
CORE_PREFIX = 0x00


def read_core_sort(reader: Reader) -> str:
    offset = reader.pos
    code = reader.byte()
    if code not in CORE_SORTS:
        raise reader.bad_byte(code, "a core sort", offset)
    return CORE_SORTS[code]


def read_sort(reader: Reader) -> str:
    offset = reader.pos
    code = reader.byte()
    if code == CORE_PREFIX:
        return read_core_sort(reader)
    if code not in SORTS:
        raise reader.bad_byte(code, "a sort", offset)
    return SORTS[code]
