"""What lifting and lowering happen in: an instance, its memory and `realloc`, the call whose handles are borrowed.

Spec: `CanonicalABI.md`, "Lifting and Lowering Context".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.abi.options import Binding
from wippywasm.abi.state import Allowance, ComponentInstance, Moving, RuntimeResource, Subtask, Task
from wippywasm.abi.traps import HOST, Boundary, bad_realloc
from wippywasm.model import ResourceType


class LiftLowerContext:
    """The specification's `cx`; `boundary` has the words for traps."""

    def __init__(
        self,
        binding: Binding,
        string_encoding: str,
        borrow_scope: Task | Subtask | None = None,
        boundary: Boundary = HOST,
    ) -> None:
        self.binding = binding
        self.inst: ComponentInstance = binding.instance
        self.string_encoding = string_encoding
        self.borrow_scope = borrow_scope
        self.boundary = boundary
        self.allowance = Allowance(self.inst)
        self.moving: Moving = []
        """Owned handles on their way from its instance or to it, with the types that they have there."""
        self.resources: Mapping[ResourceType, RuntimeResource] = binding.resources

    def view(self) -> memoryview:
        memory: Any = self.binding.memory
        view: memoryview = memory.view()
        return view

    def memory_size(self) -> int:
        return len(self.view())

    def read(self, ptr: int, size: int) -> bytes:
        return self.view()[ptr : ptr + size].tobytes()

    def write(self, ptr: int, data: bytes) -> None:
        self.view()[ptr : ptr + len(data)] = data

    def allocate(self, alignment: int, byte_length: int) -> int:
        return self.reallocate(0, 0, alignment, byte_length)

    def reallocate(self, old: int, old_byte_length: int, alignment: int, new_byte_length: int) -> int:
        """Ask the guest for memory; the pointer is checked for alignment and bounds."""
        realloc: Any = self.binding.realloc
        assert self.inst.may_leave
        self.inst.may_leave = False
        signed = old if old < 0x8000_0000 else old - 0x1_0000_0000
        ptr: int = realloc.call(signed, old_byte_length, alignment, new_byte_length) & 0xFFFF_FFFF
        self.inst.may_leave = True
        if ptr & (alignment - 1) or ptr + new_byte_length > self.memory_size():
            bad_realloc(ptr, alignment, self.boundary)
        return ptr
