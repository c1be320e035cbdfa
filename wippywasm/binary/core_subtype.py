"""Subtyping of core items and core module types.

In: two types. Out: None where the first can stand in for the second, else a sentence on why not.

Spec: WebAssembly core, `valid/matching`; component-model `Explainer.md`, module subtyping.
"""

from __future__ import annotations

from collections.abc import Iterable

from wippywasm.binary.component import ModuleType
from wippywasm.binary.core_heap import CoreReference, matches
from wippywasm.binary.core_types import print_func
from wippywasm.binary.limits import CORE_ITEM, CORE_PARTS_AT_ONCE, SUPERTYPES_AT_ONCE
from wippywasm.core import (
    CoreExport,
    CoreExternType,
    CoreFuncType,
    CoreGlobalType,
    CoreImport,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
    Limits,
)

_KINDS: dict[type[object], str] = {
    CoreFuncType: "func",
    CoreTableType: "table",
    CoreMemoryType: "memory",
    CoreGlobalType: "global",
    CoreTagType: "tag",
}


def core_sort(type: CoreExternType) -> str:
    """The core sort of an item of this type, `core func` and so on."""
    return f"core {_KINDS[type.__class__]}"


def core_mismatch(actual: CoreExternType, expected: CoreExternType) -> str | None:
    """Why an item of type `actual` can't be imported as `expected`."""
    match actual, expected:
        case CoreFuncType(), CoreFuncType():
            return _func_mismatch(actual, expected)
        case CoreTableType(), CoreTableType():
            return _table_mismatch(actual, expected)
        case CoreMemoryType(), CoreMemoryType():
            return _memory_mismatch(actual, expected)
        case CoreGlobalType(), CoreGlobalType():
            return _global_mismatch(actual, expected)
        case CoreTagType(), CoreTagType():
            return _tag_mismatch(actual, expected)
        case _:
            return f"expected {_KINDS[type(expected)]}, found {_KINDS[type(actual)]}"


def comparison(items: Iterable[CoreImport | CoreExport]) -> int:
    """The work of looking for items among others, and comparing them with those."""
    return sum([CORE_ITEM + _of_type(item.type) for item in items])


def _of_type(t: CoreExternType) -> int:
    match t:
        case CoreGlobalType(value=CoreReference(heap=heap)):
            return heap.depth // SUPERTYPES_AT_ONCE
        case CoreTagType(type=func):
            return 2 * _of_type(func)
        case CoreFuncType(params=params, results=results, declared=declared):
            above = 0 if declared is None else declared.depth
            return (len(params) + len(results)) // CORE_PARTS_AT_ONCE + above // SUPERTYPES_AT_ONCE
    return 0


def _func_mismatch(actual: CoreFuncType, expected: CoreFuncType) -> str | None:
    """Function types match by what they are declared as, not by what their parameters would allow."""
    if actual.declared is None or expected.declared is None:
        fits = actual == expected and actual.declared is expected.declared
    else:
        fits = actual.declared.is_below(expected.declared)
    return None if fits else f"expected: {print_func(expected)}, found: {print_func(actual)}"


def _tag_mismatch(actual: CoreTagType, expected: CoreTagType) -> str | None:
    return _func_mismatch(actual.type, expected.type) or _func_mismatch(expected.type, actual.type)


def _table_mismatch(actual: CoreTableType, expected: CoreTableType) -> str | None:
    if actual.element != expected.element:
        return f"expected table element type {expected.element}, found {actual.element}"
    if actual.is_64 != expected.is_64:
        return "mismatch in the index type used for tables"
    return None if limits_match(actual.limits, expected.limits) else "mismatch in table limits"


def _memory_mismatch(actual: CoreMemoryType, expected: CoreMemoryType) -> str | None:
    if actual.shared != expected.shared:
        return "mismatch in the shared flag for memories"
    if actual.is_64 != expected.is_64:
        return "mismatch in the index type used for memories"
    if actual.page_size_log2 != expected.page_size_log2:
        return "mismatch in the page size of memories"
    return None if limits_match(actual.limits, expected.limits) else "mismatch in memory limits"


def _global_mismatch(actual: CoreGlobalType, expected: CoreGlobalType) -> str | None:
    if actual.mutable != expected.mutable:
        return "mismatch in the mutability of globals"
    fits = actual.value == expected.value if expected.mutable else matches(actual.value, expected.value)
    if not fits:
        return f"expected global type {expected.value}, found {actual.value}"
    return None


def limits_match(actual: Limits, expected: Limits) -> bool:
    """Is the first range within the second?"""
    if actual.minimum < expected.minimum:
        return False
    if expected.maximum is None:
        return True
    return actual.maximum is not None and actual.maximum <= expected.maximum


def module_mismatch(actual: ModuleType, expected: ModuleType) -> str | None:
    """Why a module of type `actual` can't stand in for `expected`: it may import less and export more."""
    given = {(i.module, i.name): i.type for i in expected.imports}
    for wanted in actual.imports:
        place = f"import `{wanted.module}::{wanted.name}`"
        supplied = given.get((wanted.module, wanted.name))
        if supplied is None:
            return f"missing expected {place}"
        why = core_mismatch(supplied, wanted.type)
        if why is not None:
            return f"type mismatch in {place}: {why}"
    exported = {e.name: e.type for e in actual.exports}
    for export in expected.exports:
        found = exported.get(export.name)
        if found is None:
            return f"missing expected export `{export.name}`"
        why = core_mismatch(found, export.type)
        if why is not None:
            return f"type mismatch in export `{export.name}`: {why}"
    return None
