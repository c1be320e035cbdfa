"""Handles that move between the tables of two instances, as the specification moves them: by the handle that lends, or
that has left the one table while it has not arrived in the other.

Spec: `CanonicalABI.md`, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.
"""

from __future__ import annotations

from wippywasm.abi.handles import get_handle, lent_to, receive, send
from wippywasm.abi.reference_context import LiftLowerContext
from wippywasm.abi.state import ResourceHandle, Subtask, Task
from wippywasm.model import BorrowType, OwnType, resource_of


def lift_own(cx: LiftLowerContext, i: int, t: OwnType) -> ResourceHandle:
    rt = cx.resources[resource_of(t.resource)]
    return send(cx.inst, i, rt, cx.moving)


def lift_borrow(cx: LiftLowerContext, i: int, t: BorrowType) -> ResourceHandle:
    assert isinstance(cx.borrow_scope, Subtask)
    h = get_handle(cx.inst, i, cx.resources[resource_of(t.resource)])
    cx.borrow_scope.add_lender(h)
    return h


def lower_own(cx: LiftLowerContext, h: ResourceHandle, t: OwnType) -> int:
    rt = cx.resources[resource_of(t.resource)]
    cx.moving.append((h, rt))
    return receive(cx.inst, h, rt)


def lower_borrow(cx: LiftLowerContext, lender: ResourceHandle, t: BorrowType) -> int:
    assert isinstance(cx.borrow_scope, Task)
    rt = cx.resources[resource_of(t.resource)]
    if cx.inst is rt.impl:
        return lender.rep  # type: ignore[no-any-return]
    rep = lent_to(cx.borrow_scope, lender, rt)
    cx.borrow_scope.num_borrows += 1
    return cx.inst.handles.add(ResourceHandle(rt, rep, own=False, borrow_scope=cx.borrow_scope))
