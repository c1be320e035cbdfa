"""Decoded component (or core module with signatures) → one flat list of steps.

In: `binary.component.Component`, or a core module's outside and its WIT signatures. Out: `Plan`, pure data: everything
about an instantiation that does not depend on a store, made once and run for each instance.
"""

from __future__ import annotations

from wippywasm.plan.component import Closure, plan_component
from wippywasm.plan.core_module import plan_core_module
from wippywasm.plan.describe import describe, describe_func, describe_type
from wippywasm.plan.dump import dump
from wippywasm.plan.plan import HostComponent, HostFunction, HostResource, HostType, Plan

__all__ = [
    "Closure",
    "HostComponent",
    "HostFunction",
    "HostResource",
    "HostType",
    "Plan",
    "describe",
    "describe_func",
    "describe_type",
    "dump",
    "plan_component",
    "plan_core_module",
]
