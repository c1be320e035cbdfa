"""Core WebAssembly's own types, as far as linking and the canonical ABI need them.

In: field values. Out: immutable types with structural equality.
Spec: WebAssembly core, `syntax/types`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TypeAlias

from wippywasm.dataclass import dataclass

CoreValType: TypeAlias = str
"""`i32`, `i64`, `f32`, `f64`, `v128`, `funcref`, `externref`, or any other reference type as it prints."""


@dataclass(frozen=True, slots=True, eq=False)
class CoreHeapType:
    """What a reference refers to, by name; `above` is the nearest type that it is a subtype of, `depth` counts those
    that are declared.
    """

    name: str
    above: CoreHeapType | None = None
    depth: int = 0

    def line(self) -> Iterator[CoreHeapType]:
        """Itself and all above it, the nearest first."""
        heap: CoreHeapType | None = self
        while heap is not None:
            yield heap
            heap = heap.above

    def is_below(self, other: CoreHeapType) -> bool:
        """Whether it is the other or a subtype of it."""
        name = other.name
        heap: CoreHeapType | None = self
        while heap is not None and heap.name != name:
            heap = heap.above
        return heap is not None


@dataclass(frozen=True, slots=True)
class CoreFuncType:
    """A function's type. `declared` is for linking only: the definition; None where that is final, without supertypes
    and a group of its own, which is what the type looks like.
    """

    params: tuple[CoreValType, ...] = ()
    results: tuple[CoreValType, ...] = ()
    declared: CoreHeapType | None = field(default=None, compare=False, repr=False)


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
