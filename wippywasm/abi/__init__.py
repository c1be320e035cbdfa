"""The canonical ABI: component functions as Python functions over Python values, and back.

`lift` and `lower` compile a function type to Python code and bind it to an instance; `layout` knows sizes; `state`
keeps what the specification keeps per instance; `reference` interprets the specification, to compare with.

Spec: component-model `CanonicalABI.md`.
"""

from wippywasm.abi.lift import lift, lift_stepwise
from wippywasm.abi.lower import lower
from wippywasm.abi.options import Batch, Binding, Options
from wippywasm.abi.resources import Resource, resource_drop, resource_new, resource_rep
from wippywasm.abi.state import ComponentInstance, ResourceHandle, RuntimeResource, Table, Task

__all__ = [
    "Batch",
    "Binding",
    "ComponentInstance",
    "Options",
    "Resource",
    "ResourceHandle",
    "RuntimeResource",
    "Table",
    "Task",
    "lift",
    "lift_stepwise",
    "lower",
    "resource_drop",
    "resource_new",
    "resource_rep",
]
