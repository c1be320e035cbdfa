"""Decoded component (or core module with signatures) → one flat list of steps.

In: `binary.component.Component`, or a core module's outside and its WIT signatures. Out: `Plan`, pure data: everything
about an instantiation that does not depend on a store, made once and run for each instance.
"""

from __future__ import annotations

from wippywasm.plan.component import plan_component
from wippywasm.plan.core_module import plan_core_module
from wippywasm.plan.describe import describe, describe_func
from wippywasm.plan.dump import dump
from wippywasm.plan.plan import HostFunction, HostResource, Plan

__all__ = [
    "HostFunction",
    "HostResource",
    "Plan",
    "describe",
    "describe_func",
    "dump",
    "plan_component",
    "plan_core_module",
]
