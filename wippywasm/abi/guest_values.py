"""The parts of lifting that generated code leaves to functions: texts, and values that are rare.

In: memory and numbers that generated code has checked for bounds. Out: Python values.

Spec: `CanonicalABI.md`, "Loading".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

SMALL = 64
"""Strings of fewer bytes are read by a `struct` of their own, which is quicker than a slice."""
SLICES: tuple[Callable[..., tuple[bytes]], ...] = tuple(struct.Struct(f"{n}s").unpack_from for n in range(SMALL))
_I32 = struct.Struct("<i")
_U32 = struct.Struct("<I")
_F32 = struct.Struct("<f")
_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")


def flags_of(bits: int, names: tuple[Any, ...]) -> set[Any]:
    """The names of the set bits; bits without a name are ignored."""
    return {name for i, name in enumerate(names) if bits >> i & 1}


def object_of(cls: type, attributes: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """The object of a record's class with these attributes, made without its `__init__`."""
    made: Any = object.__new__(cls)
    for attribute, value in zip(attributes, values):
        setattr(made, attribute, value)
    return made


def f32_of_i32(bits: int) -> Any:
    """`f32.reinterpret_i32`, of the low 32 bits."""
    return _F32.unpack(_U32.pack(bits & 0xFFFF_FFFF))[0]


def f64_of_i64(bits: int) -> Any:
    """`f64.reinterpret_i64`, of a signed i64."""
    return _F64.unpack(_I64.pack(bits))[0]


def i32_of_f32(value: float) -> Any:
    """`i32.reinterpret_f32`, signed."""
    return _I32.unpack(_F32.pack(value))[0]


def i64_of_f64(value: float) -> Any:
    """`i64.reinterpret_f64`, signed."""
    return _I64.unpack(_F64.pack(value))[0]
