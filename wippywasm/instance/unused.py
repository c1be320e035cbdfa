"""Core modules that no step of a plan instantiates: their code is validated like that of the others.

In: a component's tree, the modules that are compiled anyway. Out: nothing, or the error for what is invalid.

Spec: `Binary.md`, `core:module`: a component with an invalid module is invalid, wherever that is nested.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wippywasm.binary.component import Component, CoreModule, NestedComponent
from wippywasm.errors import BinaryError
from wippywasm.plan.plan import PlanModule


def check_unused(component: Component, planned: Iterable[PlanModule]) -> None:
    """Raises MalformedError or ValidationError, with the offset in the whole file."""
    compiled = {id(m.wasm) for m in planned}
    for module in _modules_in(component):
        if id(module.wasm) not in compiled:
            from wippywasm.engine.refusals import check_valid  # loads wasmtime, whatever the engine

            try:
                check_valid(bytes(module.wasm))
            except BinaryError as error:
                raise error.moved(module.offset) from None


def _modules_in(component: Component) -> Iterator[CoreModule]:
    for definition in component.definitions:
        if isinstance(definition, CoreModule):
            yield definition
        elif isinstance(definition, NestedComponent):
            yield from _modules_in(definition.component)
