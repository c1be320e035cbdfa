"""References as value types, and which of them stand for others.

In: heap types as they print. Out: `CoreReference`, a value type that knows what it refers to; whether one value type
matches another.

Spec: WebAssembly core, `valid/matching` (heap types, reference types, value types).
"""

from __future__ import annotations

from wippywasm.core import CoreHeapType, CoreValType

ABSTRACT_HEAP = {
    0x70: "func",
    0x6F: "extern",
    0x6E: "any",
    0x6D: "eq",
    0x6C: "i31",
    0x6B: "struct",
    0x6A: "array",
    0x69: "exn",
    0x68: "cont",
    0x71: "none",
    0x72: "noextern",
    0x73: "nofunc",
    0x74: "noexn",
    0x75: "nocont",
}
BOTTOM_NAMES = {
    "none": "nullref",
    "noextern": "nullexternref",
    "nofunc": "nullfuncref",
    "noexn": "nullexnref",
    "nocont": "nullcontref",
}
_ABOVE = {"eq": "any", "i31": "eq", "struct": "eq", "array": "eq"}


def _abstract(name: str, shared: bool = False) -> CoreHeapType:
    above = _ABOVE.get(name)
    return CoreHeapType(f"(shared {name})" if shared else name, None if above is None else _abstract(above, shared))


HEAPS = {heap.name: heap for name in ABSTRACT_HEAP.values() for heap in (_abstract(name), _abstract(name, shared=True))}
"""The abstract heap types."""


class CoreReference(str):
    """A reference type, which is its text."""

    __slots__ = ("heap", "nullable")
    heap: CoreHeapType
    nullable: bool


def reference(nullable: bool, heap: CoreHeapType) -> CoreReference:
    """The type of references to `heap`; null ones to abstract types print in short."""
    if nullable and heap.name in HEAPS and not heap.name.startswith("("):
        text = BOTTOM_NAMES.get(heap.name, f"{heap.name}ref")
    else:
        text = f"(ref {'null ' * nullable}{heap.name})"
    made = CoreReference(text)
    made.heap, made.nullable = heap, nullable
    return made


def matches(actual: CoreValType, expected: CoreValType) -> bool:
    """Whether a value of type `actual` may stand where `expected` is wanted."""
    if actual == expected:
        return True
    if not isinstance(actual, CoreReference) or not isinstance(expected, CoreReference):
        return False
    return actual.nullable <= expected.nullable and _heap_matches(actual.heap, expected.heap)


def _heap_matches(actual: CoreHeapType, expected: CoreHeapType) -> bool:
    if actual.is_below(expected):
        return True
    *_, top = expected.line()
    return top.name == _TOPS.get(actual.name)


_TOPS = {
    _abstract(bottom, shared).name: _abstract(top, shared).name
    for bottom, top in [("none", "any"), *[(f"no{top}", top) for top in ("extern", "func", "exn", "cont")]]
    for shared in (False, True)
}
"""The top of the hierarchy of which each of these is below all others."""
