"""`wippywasm.compose`: components as a user has them to one component.

In: paths, bytes, texts or loaded components. Out: a loaded `Component`; its `wasm` are the bytes of the composition.
Spec: SPEC section 14.
"""

from __future__ import annotations

import os
from typing import TypeAlias

from wippywasm import engine as engines
from wippywasm.binary import decode, sniff
from wippywasm.composition.plugging import plug
from wippywasm.composition.wiring import Part
from wippywasm.engine.port import Engine
from wippywasm.errors import InvalidError
from wippywasm.instance.component import Component
from wippywasm.instance.load import is_wat, load, read_source

Source: TypeAlias = "str | bytes | bytearray | memoryview | os.PathLike[str] | Component"
"""What `wippywasm.load` takes, or what it gave."""


def compose(socket: Source, *plugs: Source, engine: str | Engine | None = None) -> Component:
    """The component that `socket` is with the exports of `plugs` for its imports.

    It exports what `socket` does, and imports what no plug supplies. Each plug supplies `socket` and the plugs before
    it; an export stands for an import of its name, or of a compatible older version. `component.wasm` has the bytes,
    for a file. Raises InvalidError where a plug is of no use or does not fit, and as `load` does.
    """
    chosen = engines.get(engine) if engine is None or isinstance(engine, str) else engine
    wasm = composed([read_part(source, place) for place, source in enumerate((socket, *plugs))])
    return load(wasm, engine=chosen)


def composed(parts: list[Part]) -> bytes:
    """The bytes of the composition of the first part with the others; raises InvalidError."""
    if len(parts) < 2:
        raise InvalidError("nothing to compose: give a plug", hint="compose(socket, plug, …)")
    return plug(parts)


def read_part(source: Source, place: int) -> Part:
    """A component, and what messages call it: its path, where it has one."""
    if isinstance(source, Component):
        label, wasm = _label(place), source.wasm
    else:
        is_path = isinstance(source, os.PathLike) or (isinstance(source, str) and not is_wat(source))
        label, wasm = str(source) if is_path else _label(place), read_source(source)
    return part_of(wasm, label)


def part_of(wasm: bytes | memoryview, label: str) -> Part:
    """Raises InvalidError for a core module, and BinaryError for what is no component."""
    if sniff(wasm) == "module":
        hint = "make it a component first: the tools of its language do, or 'wasm-tools component new'"
        raise InvalidError(f"{label} is a core module, and only components can be composed", hint=hint)
    return Part(label, decode(wasm))


def _label(place: int) -> str:
    return f"plug {place}" if place else "the socket"
