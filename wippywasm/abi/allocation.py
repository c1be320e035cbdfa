"""Phase two of lowering: the guest's `realloc` is asked for all memory that a value needs.

In: requests `alignment << 32 | size`. Out: the pointers, unsigned, in the same order, and a fresh view of the memory.
As in the specification, a pointer is checked when `realloc` has returned it, before the next call: that memory grows
there later makes it no better. Memories never shrink, so a size seen earlier (`end`) spares most looks.

Spec: `CanonicalABI.md`, "Storing", where it calls `allocate`.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from wippywasm.abi.options import Batch
from wippywasm.abi.traps import Boundary, bad_area, bad_realloc

MIN_BATCH = 3
"""Fewer allocations than this are made one by one."""
_M32 = 0xFFFF_FFFF

View = Callable[[], memoryview]


def allocate(
    realloc: Callable[..., int], batch: Batch | None, requests: list[int], view: View, end: int, boundary: Boundary
) -> tuple[Sequence[int], memoryview]:
    """Traps at the first pointer that is not aligned, or whose memory is not all there."""
    pointers: Sequence[int]
    if batch is not None and len(requests) >= MIN_BATCH:
        pointers = batch(array("Q", requests), end, partial(look, view, boundary))
    else:
        pointers = made = []
        for r in requests:
            size = r & _M32
            pointer = realloc(0, 0, r >> 32, size) & _M32
            if pointer + size > end or pointer & ((r >> 32) - 1):
                end = look(view, boundary, r, pointer)
            made.append(pointer)
    return pointers, view()


async def allocate_in_steps(
    realloc: Callable[..., Awaitable[int]],
    batch: Callable[..., Awaitable[Sequence[int]]] | None,
    requests: list[int],
    view: View,
    end: int,
    boundary: Boundary,
) -> tuple[Sequence[int], memoryview]:
    """`allocate` where the guest is called step by step."""
    pointers: Sequence[int]
    if batch is not None and len(requests) >= MIN_BATCH:
        pointers = await batch(array("Q", requests), end, partial(look, view, boundary))
    else:
        pointers = made = []
        for r in requests:
            size = r & _M32
            pointer = await realloc(0, 0, r >> 32, size) & _M32
            if pointer + size > end or pointer & ((r >> 32) - 1):
                end = look(view, boundary, r, pointer)
            made.append(pointer)
    return pointers, view()


def look(view: View, boundary: Boundary, request: int, pointer: int) -> int:
    """The size of the memory now; traps where it does not have what was asked for there."""
    end, align = len(view()), request >> 32
    if pointer & (align - 1) or pointer + (request & _M32) > end:
        bad_realloc(pointer, align, boundary)
    return end


def check_area(view: View, pointer: int, align: int, size: int) -> None:
    """Trap where a pointer for spilled results can't be one, as the memory is now."""
    if pointer & (align - 1) or pointer + size > len(view()):
        bad_area(pointer, align)
