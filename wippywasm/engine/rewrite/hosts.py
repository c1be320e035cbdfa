"""The host's functions behind a rewritten module: their types, and how they get into the table that it exports.

In: the functions' types. Out: their binary form, and a small module that puts them in the table.
"""

from __future__ import annotations

from functools import lru_cache

from wippywasm.core import CoreFuncType
from wippywasm.engine.wat import wat2wasm
from wippywasm.leb128 import unsigned

TICK = CoreFuncType((), ("i32",))
_CODES = {"i32": b"\x7f", "i64": b"\x7e"}


def binary_type(type: CoreFuncType) -> bytes:
    """A function type as an item of a type section."""
    return b"\x60" + _types(type.params) + _types(type.results)


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


def _signature(type: CoreFuncType) -> str:
    params = f"(param {' '.join(type.params)})" if type.params else ""
    return f"{params} (result {' '.join(type.results)})" if type.results else params
