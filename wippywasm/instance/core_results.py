"""What a Python function gives for a core import: values of the types that the module declares.

In: what it returned, or what that gave once it was awaited. Out: numbers as the engine port has them; one
ValueMismatchError where it is something else, the same on each engine.

Spec: WebAssembly core, `syntax/types` (result types).
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

from wippywasm.abi.fit import refuse
from wippywasm.core import CoreFuncType, CoreImport

_BITS = {"i32": 32, "i64": 64}


def core_results(wanted: CoreImport) -> Callable[[Any], Any]:
    """What makes core results of the value of a function for that import; where it has none, any value will do."""
    assert isinstance(wanted.type, CoreFuncType)
    types = wanted.type.results
    what = f"result of {wanted.module}#{wanted.name}"
    if not types:
        return lambda value: None
    if len(types) == 1:
        return _check(types[0], what)
    checks = [_check(t, f"{what}[{k}]") for k, t in enumerate(types)]

    def several(value: Any) -> Any:
        if not isinstance(value, tuple | list) or len(value) != len(checks):
            refuse(f"a tuple of {len(checks)} values", value, what)
        return tuple([check(v) for check, v in zip(checks, value)])

    return several


def _check(type: str, path: str) -> Callable[[Any], Any]:
    bits = _BITS.get(type)
    if bits is not None:
        return _integer(bits, path)
    return _float(type, path) if type in ("f32", "f64") else lambda value: value  # a reference, which engines refuse


def _integer(bits: int, path: str) -> Callable[[Any], int]:
    """Signed; an unsigned number stands for the signed one of its bits."""
    half = 1 << (bits - 1)

    def check(value: Any) -> int:
        if value.__class__ is int and -half <= value < half:
            return value
        try:
            number = index(value)
        except TypeError:
            refuse(f"i{bits}", value, path)
        if not -half <= number < 2 * half:
            refuse(f"i{bits}", value, path)
        return number if number < half else number - 2 * half

    return check


def _float(type: str, path: str) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if not isinstance(value, int | float):
            refuse(type, value, path)
        try:
            return float(value)
        except OverflowError:
            refuse(type, value, path)

    return check
