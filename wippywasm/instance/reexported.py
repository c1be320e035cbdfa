"""Host functions that a component exports as they are: Python calls Python, by the rules of any call.

In: a host function with its type. Out: a callable that takes and gives what any exported function does. Values cross
as through a guest that only passes them on, with a memory of its own for each call: they are checked and brought into
form, handles change hands, and what was lent is given back.

Spec: `CanonicalABI.md`, `canon_lift` over `canon_lower`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from wippywasm import abi
from wippywasm.abi.destroying import drop_owned
from wippywasm.abi.needs import needs_of
from wippywasm.abi.options import Binding, Options
from wippywasm.abi.state import ComponentInstance, RuntimeResource
from wippywasm.abi.waiting import Finish, Park
from wippywasm.core import CoreFuncType
from wippywasm.dataclass import dataclass
from wippywasm.delivery import passed_on
from wippywasm.layout import alignment, elem_size
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan import mangle


@dataclass(frozen=True, eq=False)
class HostExport:
    """What the caller of the export sees (`lifted`), and the host's function as `abi.lower` calls it, with its type.

    `name` is that of the import, since what that returns is checked as the import's.
    """

    lifted: abi.PreparedLift
    type: FuncType
    name: str
    function: Callable[..., Any]
    resources: Mapping[ResourceType, RuntimeResource]


def reexported(export: HostExport, guest: ComponentInstance, park: Park) -> Callable[..., Any]:
    """The function as Python calls it; `park` waits for awaitables. `guest` is the root instance of who exports it.

    Where the call fails, what was on its way is dropped: there is no guest that ends.
    """

    def call(*args: Any, **named: Any) -> Any:
        memory = _Memory()
        binding = memory.binding(export)
        core = _passing_on(export, binding, memory, park)
        try:
            with passed_on(binding.instance, guest):
                return export.lifted.code(core, binding, None)(*args, **named)
        except BaseException:
            drop_owned(binding.instance)
            raise

    return call


def stepwise_reexported(export: HostExport) -> Callable[..., Awaitable[Any]]:
    """The function for calls by a task, which awaits awaitables."""

    async def call(*args: Any, **named: Any) -> Any:
        memory = _Memory()
        binding = memory.binding(export)
        core = _passing_on(export, binding, memory, _Parked)
        stepwise = replace(binding, realloc=_Core(mangle.REALLOC_TYPE, _later(memory.allocate)))
        return await export.lifted.code(_Core(core.type, _later(core.call)), stepwise, None)(*args, **named)

    return call


class _Parked:
    """What is left of a call when its awaitable has been awaited."""

    def __init__(self, awaitable: Awaitable[Any], finish: Finish, steps: Any = None) -> None:
        self.awaitable = awaitable
        self.finish = finish


def _later(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any) -> Any:
        value = function(*args)
        return value.finish(await value.awaitable) if value.__class__ is _Parked else value

    return call


@dataclass(frozen=True)
class _Core:
    """A core function that is none of wasm."""

    type: CoreFuncType
    call: Callable[..., Any]


class _Memory:
    """The memory of one call: what is allocated is never freed, the whole goes with the call."""

    def __init__(self) -> None:
        self._bytes = bytearray(8)  # no pointer is null

    def view(self) -> memoryview:
        return memoryview(self._bytes)

    def allocate(self, _: int, __: int, align: int, size: int) -> int:
        """`realloc` of nothing."""
        start = -(-len(self._bytes) // align) * align
        grown = bytearray(start + size)
        grown[: len(self._bytes)] = self._bytes
        self._bytes = grown
        return start

    def binding(self, export: HostExport) -> Binding:
        """An instance that owns this memory."""
        memory: Any = self
        return Binding(ComponentInstance(), memory, _Core(mangle.REALLOC_TYPE, self.allocate), None, export.resources)


def _passing_on(export: HostExport, binding: Binding, memory: _Memory, park: Park) -> _Core:
    """The core function of a guest that calls the host with what it was given, and returns what it gets."""
    needs = needs_of(export.type, "lift")
    _, lowered = abi.lower(export.type, export.function, Options(), binding, name=export.name, park=park)

    def call(*args: Any) -> Any:
        area = memory.allocate(0, 0, alignment(needs.results[0]), elem_size(needs.results[0])) if needs.returned else 0
        done = lowered(*args, area) if needs.returned else lowered(*args)
        if done.__class__ is not _Parked:
            return end(area, done)
        return _Parked(done.awaitable, lambda value: end(area, done.finish(value)))

    def end(area: int, result: Any) -> Any:
        _drop_borrows(binding.instance)
        return area if needs.returned else result

    return _Core(needs.core, call)


def _drop_borrows(instance: ComponentInstance) -> None:
    """Give back what was lent, as a guest has to before it returns."""
    for index, handle in enumerate(instance.handles.array):
        if handle is not None and handle.borrow_scope is not None:
            instance.handles.remove(index)
            handle.borrow_scope.num_borrows -= 1
