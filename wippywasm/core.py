"""Core WebAssembly's own types, as far as linking and the canonical ABI need them.

In: field values. Out: immutable types with structural equality.
Spec: WebAssembly core, `syntax/types`.
"""

from __future__ import annotations

from typing import TypeAlias

from wippywasm.dataclass import dataclass

CoreValType: TypeAlias = str
"""`i32`, `i64`, `f32`, `f64`, `v128`, `funcref`, `externref`, or any other reference type as it prints."""


@dataclass(frozen=True, slots=True)
class CoreFuncType:
    params: tuple[CoreValType, ...] = ()
    results: tuple[CoreValType, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a memory (in pages) or table (in elements); `maximum` None is unbounded."""

    minimum: int
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class CoreMemoryType:
    limits: Limits
    shared: bool = False
    is_64: bool = False
    page_size_log2: int = 16


@dataclass(frozen=True, slots=True)
class CoreTableType:
    element: CoreValType
    limits: Limits
    is_64: bool = False


@dataclass(frozen=True, slots=True)
class CoreGlobalType:
    value: CoreValType
    mutable: bool


@dataclass(frozen=True, slots=True)
class CoreTagType:
    type: CoreFuncType


CoreExternType: TypeAlias = CoreFuncType | CoreMemoryType | CoreTableType | CoreGlobalType | CoreTagType


@dataclass(frozen=True, slots=True)
class CoreImport:
    module: str
    name: str
    type: CoreExternType


@dataclass(frozen=True, slots=True)
class CoreExport:
    name: str
    type: CoreExternType
