"""The canonical ABI: component functions as Python functions over Python values, and back.

`lift` and `lower` compile a function type to Python code and bind it to an instance; `layout` knows sizes; `state`
keeps what the specification keeps per instance; `reference` interprets the specification, to compare with.

Spec: component-model `CanonicalABI.md`.
"""

from wippywasm.abi.lift import Lifted, PreparedLift, lift, prepare_lift
from wippywasm.abi.lower import lower
from wippywasm.abi.options import Batch, Binding, Options
from wippywasm.abi.resource_builtins import resource_drop, resource_new, resource_rep
from wippywasm.abi.resources import GuestResource, Resource
from wippywasm.abi.state import ComponentInstance, ResourceHandle, RuntimeResource, Table, Task

__all__ = [
    "Batch",
    "Binding",
    "ComponentInstance",
    "GuestResource",
    "Lifted",
    "Options",
    "PreparedLift",
    "Resource",
    "ResourceHandle",
    "RuntimeResource",
    "Table",
    "Task",
    "lift",
    "lower",
    "prepare_lift",
    "resource_drop",
    "resource_new",
    "resource_rep",
]
