"""What both directions of a call share: parameters and results as spilled or flat values, allocation, handles.

In: types. Out: lines of generated code around the ones that check, write and read values.

Spec: `CanonicalABI.md`, "Lifting and Lowering Values".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from wippywasm.abi import traps
from wippywasm.abi.allocation import allocate, allocate_in_steps, check_area, look
from wippywasm.abi.flat import evaluate, lift_flat, lower_flat
from wippywasm.abi.load import Fetch, prepare
from wippywasm.abi.needs import Needs
from wippywasm.abi.pacing import TaskAllowance
from wippywasm.abi.shapes import contains, is_list, weight
from wippywasm.abi.source import Source
from wippywasm.abi.state import Allowance
from wippywasm.abi.store import Run, store
from wippywasm.layout import alignment, elem_size, field_offsets
from wippywasm.model import TupleType, ValType

MOST_UNCOUNTED = 4
"""Values of so few parts need not be counted, if no list is among them."""


def write_allocation(w: Source, yields: bool = False) -> None:
    """Phase two, and a fresh view of the memory; `inst` may not be left meanwhile. It may be left to somebody else.

    From one call to the next, `end` is a size that the memory has at least.
    """
    boundary = w.constant(w.side.boundary, "BOUNDARY")
    w.line("inst.may_leave = False")
    if yields:
        w.constants["partial"] = partial
        w.line(f"check = partial({w.use(look)}, view, {boundary})")
        w.line(f"at_once = partial({w.use(allocate)}, realloc, batch, req, view, end, {boundary})")
        w.line("pointers = yield core_realloc, req, check, at_once")
        w.line("m = view()")
    else:
        function = f"await {w.use(allocate_in_steps)}" if w.side.stepwise else w.use(allocate)
        w.line(f"pointers, m = {function}(realloc, batch, req, view, end, {boundary})")
    w.line("inst.may_leave = True")
    w.line("end = len(m)")
    w.line("nxt = iter(pointers).__next__")


def write_scope(w: Source, counted: Sequence[ValType], handles: bool) -> None:
    """What a call keeps count in: its handles, or only what values of these types refer to."""
    w.counts = handles or has_lists(counted) or sum(map(weight, counted)) > MOST_UNCOUNTED
    if handles:
        w.line("cx = new_scope()")
    elif w.counts:
        w.line(f"cx = {w.use(TaskAllowance if w.side.stepwise else Allowance)}(inst)")
    else:
        w.line("cx = None")


def has_lists(types: Sequence[ValType]) -> bool:
    """Whether values of these types may be long."""
    return any(contains(t, is_list) for t in types)


def write_known_end(w: Source, needs: Needs) -> None:
    """Where `end` is kept for a function that allocates; nothing is known of the memory yet."""
    if needs.allocates:
        w.line("end = 0")


def write_keeps_end(w: Source, needs: Needs) -> None:
    """Let a function keep what it learns of the memory's size."""
    if needs.allocates:
        w.line("nonlocal end")


def write_view(w: Source) -> None:
    w.line("m = view()")
    w.line("end = len(m)")


def write_area(w: Source, types: Sequence[ValType], atoms: Sequence[list[str]], pointer: str) -> None:
    """Write values to spilled parameters or results at an unsigned pointer that has been checked."""
    run = Run(w, p=pointer)
    for t, row, at in zip(types, atoms, field_offsets(tuple(types))):
        store(w, t, iter(row), at, run)
    run.flush()


def write_flat(w: Source, types: Sequence[ValType], atoms: Sequence[list[str]]) -> list[str]:
    """Lower values flat; the expressions for the core values."""
    return [x for t, row in zip(types, atoms) for x in lower_flat(w, t, iter(row))]


def read_area(w: Source, types: Sequence[ValType], pointer: str) -> list[str]:
    """Check a pointer to spilled parameters or results, and read them; the expressions for the values."""
    area = TupleType(tuple(types))
    w.line(f"p = {pointer} & 0xffffffff")
    write_area_check(w, area)
    fetch = Fetch(w)
    builds = [prepare(w, t, at, fetch, 0) for t, at in zip(types, field_offsets(tuple(types)))]
    fetch.flush()
    return [evaluate(w, build()) for build in builds]


def write_area_check(w: Source, area: TupleType, looks: bool = False) -> None:
    """Trap where `p` can't point to that; `looks` tells that `end` may be out of date."""
    align, size = alignment(area), elem_size(area)
    misaligned = f"p & {align - 1} or " if align > 1 else ""
    trap = f"{w.use(check_area)}(view, p, {align}, {size})" if looks else f"{w.use(traps.bad_area)}(p, {align})"
    w.line(f"if {misaligned}p + {size} > end: {trap}")


def read_flat(w: Source, types: Sequence[ValType], values: Iterator[str]) -> list[str]:
    """Lift core values; the expressions for the values."""
    return [evaluate(w, lift_flat(w, t, values)) for t in types]
