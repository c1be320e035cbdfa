"""The first eight bytes: is it a core module or a component?

In: a `Reader` at the start. Out: `"module"` or `"component"`, or `MalformedError` that tells what the bytes are.
Spec: component-model `Binary.md`, component definitions.
"""

from __future__ import annotations

from typing import Literal

from wippywasm.binary.reader import Reader, view_of
from wippywasm.errors import MalformedError

MAGIC = b"\0asm"
CORE_VERSION = 1
COMPONENT_VERSION = 0x0D

Kind = Literal["module", "component"]


def read_preamble(reader: Reader) -> Kind:
    """Read magic, version and layer."""
    start = reader.pos
    magic = bytes(reader.data[start : min(start + 4, reader.end)])
    if magic != MAGIC:
        kind = "unexpected end of the bytes" if MAGIC.startswith(magic) else "magic header not detected"
        raise MalformedError(f"{kind}: not WebAssembly", start, hint="a binary starts with the bytes 00 61 73 6d")
    reader.pos += 4
    head = bytes(reader.slice(4))
    version, layer = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:], "little")
    if layer == 0 and version == CORE_VERSION:
        return "module"
    if layer == 1 and version == COMPONENT_VERSION:
        return "component"
    raise MalformedError(
        f"unknown binary version {version:#x} and layer {layer:#x}", start + 4, hint=_hint(version, layer)
    )


def _hint(version: int, layer: int) -> str:
    if layer == 1:
        return f"components of version {COMPONENT_VERSION:#x} are supported; rebuild it with current tools"
    return "core modules are of version 0x1 and layer 0x0"


def sniff(data: bytes | memoryview) -> Kind:
    """Tell a core module from a component; `MalformedError` where it is neither."""
    return read_preamble(Reader(view_of(data)))
