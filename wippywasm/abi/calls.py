"""What both directions of a call share: parameters and results as spilled or flat values, allocation, handles.

In: types. Out: lines of generated code around the ones that check, write and read values.

Spec: `CanonicalABI.md`, "Lifting and Lowering Values".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

from wippywasm.abi import traps
from wippywasm.abi.allocation import allocate, allocate_in_steps, check_area, look
from wippywasm.abi.bounds import check_values, is_dense
from wippywasm.abi.flat import evaluate, lift_flat, lower_flat
from wippywasm.abi.gather import gather, gather_groups
from wippywasm.abi.load import Fetch, prepare, prepare_groups
from wippywasm.abi.needs import Needs
from wippywasm.abi.pacing import TaskAllowance
from wippywasm.abi.parts import contains, is_handle, may_be_long
from wippywasm.abi.shapes import WIDE_LEVEL, groups_of, weight
from wippywasm.abi.source import COMPONENT_SIDE, Side, Source
from wippywasm.abi.state import Allowance
from wippywasm.abi.store import Run, store_fields
from wippywasm.errors import TimedOutError, UnsupportedFeatureError
from wippywasm.layout import alignment, elem_size, field_offsets
from wippywasm.model import TupleType, ValType

MOST_UNCOUNTED = 4
"""Values of so few parts need not be counted, if no list is among them."""


ENDS = (TimedOutError, UnsupportedFeatureError)
"""What is not for want of values that fit."""


def source_of(label: str, needs: Needs, string_encoding: str, side: Side) -> Source:
    """The source for a function. UnsupportedFeatureError where there can't be one."""
    types = needs.params + needs.results
    check_values(types)
    return Source(label, string_encoding, side, is_dense(types))


def ends(w: Source) -> str:
    """The name of the errors after which values are not tried again."""
    return w.constant(ENDS, "ENDS")


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
    return any(map(may_be_long, types))


def gives_handles(w: Source, needs: Needs) -> bool:
    """Whether one component gives handles to another in the result."""
    return w.side is COMPONENT_SIDE and contains(needs.results, is_handle)


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


def top_level(w: Source) -> int:
    """The level of parameters and results."""
    return WIDE_LEVEL if w.dense else 0


def gather_all(w: Source, types: Sequence[ValType], values: Sequence[str]) -> list[list[str]]:
    """Check the values in some variables; the names of the atoms of each, or of groups of them."""
    if groups := groups_of(types):
        lists = [f"[{', '.join(values[g.start : g.stop])}]" for g in groups]
        return [[row] for row in gather_groups(w, groups, lists)]
    return [gather(w, t, v, top_level(w)) for t, v in zip(types, values)]


def write_area(w: Source, types: Sequence[ValType], atoms: Sequence[list[str]], pointer: str) -> None:
    """Write values to spilled parameters or results at an unsigned pointer that has been checked."""
    run = Run(w, p=pointer)
    store_fields(w, tuple(types), chain.from_iterable(atoms), 0, run, top_level(w))
    run.flush()


def write_flat(w: Source, types: Sequence[ValType], atoms: Sequence[list[str]]) -> list[str]:
    """Lower values flat; the expressions for the core values."""
    return [x for t, row in zip(types, atoms) for x in lower_flat(w, t, iter(row), top_level(w))]


def read_area(w: Source, types: Sequence[ValType], pointer: str) -> list[str]:
    """Check a pointer to spilled parameters or results, and read them; the expressions for the values, of which that
    for a group has a star."""
    area = TupleType(tuple(types))
    w.line(f"p = {pointer} & 0xffffffff")
    write_area_check(w, area)
    fetch = Fetch(w)
    if groups := groups_of(types):
        return [build() for build in prepare_groups(w, groups, 0, fetch)]
    builds = [prepare(w, t, at, fetch, top_level(w)) for t, at in zip(types, field_offsets(area.items))]
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
    return [evaluate(w, lift_flat(w, t, values, top_level(w))) for t in types]
