"""What a rewritten module has of the host: its functions, in the table that it exports, and perhaps tables.

In: types. Out: their binary form; small modules that put the functions in the table, and that make tables.
"""

from __future__ import annotations

from functools import lru_cache

from wippywasm.core import CoreFuncType, CoreTableType
from wippywasm.engine.wat import wat2wasm
from wippywasm.leb128 import unsigned

TICK = CoreFuncType((), ("i32",))
_CODES = {"i32": b"\x7f", "i64": b"\x7e", "funcref": b"\x70", "externref": b"\x6f"}


def binary_type(type: CoreFuncType) -> bytes:
    """A function type as an item of a type section."""
    return b"\x60" + _types(type.params) + _types(type.results)


def binary_table(type: CoreTableType) -> bytes:
    """A table type of 32 bits, as in a table section or an import."""
    bounds = [n for n in (type.limits.minimum, type.limits.maximum) if n is not None]
    return _CODES[str(type.element)] + bytes([len(bounds) - 1]) + b"".join(map(unsigned, bounds))


def _types(names: tuple[str, ...]) -> bytes:
    return unsigned(len(names)) + b"".join(map(_CODES.__getitem__, names))


@lru_cache(maxsize=8)
def placing_module(types: tuple[CoreFuncType, ...]) -> bytes:
    """Imports a table and functions of these types, and puts the functions in the table."""
    count = len(types)
    functions = " ".join(f'(import "host" "{k}" (func $f{k} {_signature(t)}))' for k, t in enumerate(types))
    names = " ".join(f"$f{k}" for k in range(count))
    return wat2wasm(
        f'(module $tick (import "guest" "table" (table {count} {count} funcref)) {functions}'
        f" (elem (i32.const 0) {names}))"
    )


@lru_cache(maxsize=8)
def table_module(types: tuple[CoreTableType, ...]) -> bytes:
    """Exports tables of these types as `0`, `1`, …"""
    bounds = [f"{t.limits.minimum} {'' if t.limits.maximum is None else t.limits.maximum}" for t in types]
    tables = [f'(table (export "{k}") {b} {t.element})' for k, (t, b) in enumerate(zip(types, bounds, strict=True))]
    return wat2wasm(f"(module $tables {' '.join(tables)})")


def _signature(type: CoreFuncType) -> str:
    params = f"(param {' '.join(type.params)})" if type.params else ""
    return f"{params} (result {' '.join(type.results)})" if type.results else params
