"""What the adapters share about imports: names, kinds, and which import is at fault when an engine refuses a link.

In: a module's imports and the items offered. Out: `LinkError` naming the import.
Spec: WebAssembly core, `valid/matching`.
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.core import (
    CoreExternType,
    CoreFuncType,
    CoreGlobalType,
    CoreImport,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
    Limits,
)
from wippywasm.errors import LinkError, counted

_KINDS = {
    CoreFuncType: "function",
    CoreMemoryType: "memory",
    CoreTableType: "table",
    CoreGlobalType: "global",
    CoreTagType: "tag",
}


def import_name(item: CoreImport) -> str:
    """`module#name`, as an import is called in messages."""
    return f"{item.module}#{item.name}"


def check_count(imports: Sequence[CoreImport], items: Sequence[object]) -> None:
    """Refuse too few or too many items."""
    if len(items) < len(imports):
        missing = import_name(imports[len(items)])
        raise LinkError(f"nothing is given for the import {missing}", missing)
    if len(items) > len(imports):
        raise LinkError(f"{len(items)} items are given for {counted(len(imports), 'import')}", "")


def foreign(item: CoreImport) -> LinkError:
    """The item offered for this import belongs to another store."""
    name = import_name(item)
    return LinkError(f"the item given for {name} belongs to another store", name)


def mismatch(imports: Sequence[CoreImport], types: Sequence[CoreExternType], message: str) -> LinkError:
    """The error for a link that the engine refused with `message`: names the first import that does not fit."""
    for item, offered in zip(imports, types, strict=True):
        if not _fits(item.type, offered):
            name = import_name(item)
            return LinkError(f"the import {name} needs {describe(item.type)}, got {describe(offered)}", name)
    return LinkError(f"the imports do not fit: {message}", import_name(imports[0]) if imports else "")


def describe(type: CoreExternType) -> str:
    """A type of an import in a few words."""
    match type:
        case CoreFuncType(params=params, results=results):
            return f"a function ({', '.join(params)}) -> ({', '.join(results)})"
        case CoreMemoryType(limits=limits):
            flags = " shared" * type.shared + " 64-bit" * type.is_64
            return f"a{flags} memory of {_bounds(limits)} pages"
        case CoreTableType(element=element, limits=limits):
            return f"a table of {_bounds(limits)} {element}"
        case CoreGlobalType(value=value, mutable=mutable):
            return f"a {'mutable' if mutable else 'constant'} global {value}"
        case _:
            return f"a {_KINDS[type.__class__]}"


def _bounds(limits: Limits) -> str:
    return f"{limits.minimum} to {'any number of' if limits.maximum is None else limits.maximum}"


def _fits(wanted: CoreExternType, offered: CoreExternType) -> bool:
    match wanted, offered:
        case CoreMemoryType(), CoreMemoryType():
            same = (wanted.shared, wanted.is_64, wanted.page_size_log2)
            return same == (offered.shared, offered.is_64, offered.page_size_log2) and _within(
                wanted.limits, offered.limits
            )
        case CoreTableType(), CoreTableType():
            same_kind = (wanted.element, wanted.is_64) == (offered.element, offered.is_64)
            return same_kind and _within(wanted.limits, offered.limits)
        case _:
            return wanted == offered


def _within(wanted: Limits, offered: Limits) -> bool:
    if offered.minimum < wanted.minimum:
        return False
    return wanted.maximum is None or (offered.maximum is not None and offered.maximum <= wanted.maximum)
