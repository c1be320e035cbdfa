"""A guest that is Python: a memory, a `realloc` that bumps a pointer, functions over core values.

In: what a test wants the guest to do. Out: objects of the engine's port.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wippywasm.abi import Binding, ComponentInstance, RuntimeResource
from wippywasm.core import CoreFuncType, CoreMemoryType, Limits
from wippywasm.model import ResourceType

PAGE = 65536


class FakeMemory:
    """A linear memory; every `view` is fresh."""

    def __init__(self, size: int = PAGE) -> None:
        self.bytes = bytearray(size)
        self.type = CoreMemoryType(Limits(size // PAGE))

    def view(self) -> memoryview:
        return memoryview(self.bytes)

    def size(self) -> int:
        return len(self.bytes) // PAGE

    def grow(self, pages: int) -> int:
        before = self.size()
        self.bytes = self.bytes + bytes(pages * PAGE)
        return before


class FakeFunc:
    """A core function that is a Python function."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call
        self.type = CoreFuncType()


class FakeGuest:
    """A component instance with memory. `calls` records every `realloc` as (old, old size, alignment, size)."""

    def __init__(self, instance: ComponentInstance | None = None, *, size: int = PAGE) -> None:
        self.instance = instance or ComponentInstance()
        self.memory = FakeMemory(size)
        self.calls: list[tuple[int, int, int, int]] = []
        self.top = 4096
        self.resources: dict[ResourceType, RuntimeResource] = {}

    def realloc(self, old: int, old_size: int, align: int, size: int) -> int:
        self.calls.append((old, old_size, align, size))
        if old and size <= old_size:
            return old
        pointer = (self.top + align - 1) & -align
        self.top = pointer + size
        while self.top > len(self.memory.bytes):
            self.memory.grow(1)
        self.memory.bytes[pointer : pointer + old_size] = self.memory.bytes[old : old + old_size]
        return pointer

    def binding(self, *, realloc: Callable[..., int] | None = None, post_return: FakeFunc | None = None) -> Binding:
        return Binding(self.instance, self.memory, FakeFunc(realloc or self.realloc), post_return, self.resources)
