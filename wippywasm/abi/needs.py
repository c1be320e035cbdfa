"""What the types of a function make its code do, in either direction.

In: a function type. Out: facts that the generators and the checks at binding share.

Spec: `CanonicalABI.md`, "Flattening" and the validation of `canon lift` and `canon lower`.
"""

from __future__ import annotations

from wippywasm.abi.options import Binding
from wippywasm.abi.parts import contains, is_handle, types_of
from wippywasm.abi.remembered import of_functions
from wippywasm.abi.shapes import is_scalar
from wippywasm.errors import InvalidError
from wippywasm.layout import (
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    flatten_functype,
    flatten_type,
    flatten_types,
    needs_memory,
)
from wippywasm.model import FuncType


class Needs:
    """Facts about a function; `context` is `lift` or `lower`."""

    def __init__(self, ft: FuncType, context: str) -> None:
        self.params = [p.type for p in ft.params]
        self.results = [] if ft.result is None else [ft.result]
        self.core = flatten_functype(ft, context)
        self.spilled = len(flatten_types(tuple(self.params))) > MAX_FLAT_PARAMS
        """Parameters are in memory."""
        self.returned = ft.result is not None and len(flatten_type(ft.result)) > MAX_FLAT_RESULTS
        """The result is in memory."""
        self.plain = all(is_scalar(t) for t in self.params)
        self.handles = contains(types_of(ft), is_handle)
        points = any(map(needs_memory, self.params))
        self.reads = self.spilled or points
        """Parameters take memory, of their own or what they point to."""
        self.allocates = self.reads if context == "lift" else any(map(needs_memory, self.results))
        """The guest's `realloc` is called."""

    def check(self, binding: Binding, name: str) -> None:
        """Refuse a binding that lacks what the function's types need."""
        if (self.reads or self.returned) and binding.memory is None:
            raise InvalidError(f"function {name} needs a memory, and its module exports none as `memory`")
        if self.allocates and binding.realloc is None:
            raise InvalidError(f"function {name} needs a `realloc`, and its module exports none as `cabi_realloc`")


@of_functions(4096)
def needs_of(ft: FuncType, context: str) -> Needs:
    """The facts about a function type, remembered."""
    return Needs(ft, context)
