"""Modules that stand between a guest and host functions that may wait: no frame of Python lives across a fiber switch.

In: the types of the host functions. Out: the binary of a module that imports their halves and exports the functions.
A shim calls the host's `begin`; where that says that it waits, it calls `suspend`, and then `finish` for the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.engine.wat import wat2wasm

SHIM = "wippywasm-shim"
"""The name of these modules: their frames are no guest's."""


def begin_type(type: CoreFuncType) -> CoreFuncType:
    """The type of the host's half of a function that may wait: one more result tells whether it does."""
    return CoreFuncType(type.params, (*type.results, "i32"))


def result_types(types: Sequence[CoreFuncType]) -> list[tuple[CoreValType, ...]]:
    """The kinds of results of shims of these types, each of which takes a `finish`."""
    return list(dict.fromkeys(t.results for t in types))


@lru_cache(maxsize=256)
def shim_module(types: tuple[CoreFuncType, ...]) -> bytes:
    """Imports each function's `begin`, a `finish` for each kind of results, `suspend`; exports the functions."""
    finishers = result_types(types)
    lines = [f"(module ${SHIM}"]
    lines += [f'(import "begin" "{k}" (func $begin{k} {_signature(begin_type(t))}))' for k, t in enumerate(types)]
    lines += [
        f'(import "finish" "{k}" (func $finish{k} {_signature(CoreFuncType((), r))}))' for k, r in enumerate(finishers)
    ]
    lines.append('(import "fiber" "suspend" (func $suspend))')
    lines += [_shim(k, t, finishers.index(t.results)) for k, t in enumerate(types)]
    return wat2wasm("\n".join([*lines, ")"]))


def _shim(index: int, type: CoreFuncType, finisher: int) -> str:
    arguments = " ".join(f"local.get {k}" for k in range(len(type.params)))
    results = " ".join(type.results)
    block = f"(param {results}) (result {results})" if results else ""
    return (
        f'(func (export "{index}") {_signature(type)} {arguments} call $begin{index} '
        f"if {block} {'drop ' * len(type.results)}call $suspend call $finish{finisher} end)"
    )


def _signature(type: CoreFuncType) -> str:
    params = f"(param {' '.join(type.params)})" if type.params else ""
    return f"{params} (result {' '.join(type.results)})" if type.results else params
