"""Core modules that Python supplies for a component's imports of modules.

In: the declared module type, and bytes. Out: the bytes with their own type, checked against the declared one.

Spec: `Explainer.md` (module types, subtyping).
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from wippywasm.binary import core_module
from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.binary.core_subtype import module_mismatch
from wippywasm.dataclass import dataclass
from wippywasm.errors import BinaryError, LinkError
from wippywasm.plan.items import ImportedModule


@dataclass(frozen=True, eq=False)
class LinkedModule:
    """A core module with its own imports, which may be fewer than the declared ones, and in another order.

    `told` is what errors call it.
    """

    wasm: bytes | memoryview = field(repr=False)
    info: CoreModuleInfo = field(repr=False)
    told: str


def link_module(wanted: ImportedModule, given: Any) -> LinkedModule:
    """The module given for an import, as bytes or as a loaded core module; raises LinkError where it does not fit.

    Raises BinaryError for bytes that are no module.
    """
    name = "#".join(wanted.path)
    wasm = getattr(given, "wasm", given)
    if getattr(given, "kind", None) == "component":
        raise LinkError(f"import {name!r} is a core module, and a component is none", wanted.path[0])
    if not isinstance(wasm, bytes | bytearray | memoryview):
        raise LinkError(f"import {name!r} is a core module: give its bytes, or a loaded one", wanted.path[0])
    wasm = bytes(wasm) if isinstance(wasm, bytearray) else wasm
    told = f"the core module given for import {name!r}"
    try:
        info = core_module.parse(wasm)
    except BinaryError as error:
        raise error.of_file(told) from None
    why = module_mismatch(info.type, wanted.type)
    if why is not None:
        raise LinkError(f"{told} does not fit: {why}", wanted.path[0])
    return LinkedModule(wasm, info, told)
