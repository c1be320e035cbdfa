"""Stores on wasmtime in which memories, or tables, have a bound on all of them together.

In: limits that have one. Out: a store that instantiates modules which grow something as rewritten ones (`rewrite`),
with the host's functions put in place. wasmtime's own limiter knows a bound on each only, and none on shared memories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wippywasm.engine import rewrite
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.growth import Allowance
from wippywasm.engine.port import StoreLimits
from wippywasm.engine.wasmtime_modules import WasmtimeInstance, WasmtimeModule
from wippywasm.engine.wasmtime_store import WasmtimeStore
from wippywasm.errors import BinaryError, InvalidError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_engine import WasmtimeEngine


class Asking:
    """What a module asks with: its rewritten one, and how many of the answers belong in its table."""

    __slots__ = ("answers", "module")

    def __init__(self, module: WasmtimeModule, rewritten: rewrite.Rewritten) -> None:
        self.module = module
        self.answers = len(rewritten.functions)


def asking(engine: WasmtimeEngine, module: WasmtimeModule) -> Asking | None:
    """The module that asks before it grows; None for one that grows nothing. InvalidError where there is no such."""
    rewritten = rewrite.ask_for_growth(bytes(module.wasm))
    if rewritten is None:
        return None
    try:
        return Asking(engine.compile_asking(rewritten), rewritten)
    except BinaryError as error:
        raise InvalidError(
            f"the growth of this module can't be bounded: {error.message}",
            hint="it is at a bound of the engine; leave out max_memory_mb and max_table_elements",
        ) from error


class AskingStore(WasmtimeStore):
    """A store whose modules ask before they grow."""

    def __init__(self, engine: WasmtimeEngine, limits: StoreLimits) -> None:
        super().__init__(engine, limits)
        self._allowance = Allowance(limits, self.bounds.refused)
        self._answers: list[capi.Block] = []
        """Values for tables: items would lead back here."""

    @staticmethod
    def _elements(limits: StoreLimits) -> int | None:
        """Room for the table of answers, too, where the guest's own ask."""
        if limits.table_growth is None or limits.table_elements is None:
            return limits.table_elements
        return max(limits.table_elements, len(rewrite.FUNCTIONS))

    def _new_instance(self, module: WasmtimeModule, imports: Any, pointer: Any) -> str:
        found = self.engine.asking(module)
        if found is None:
            return super()._new_instance(module, imports, pointer)
        error = super()._new_instance(found.module, imports, pointer)
        if not error:
            self._rewritten += ((found.module, pointer),)
            self._begin(WasmtimeInstance(self, found.module, pointer), found.answers)
        return error

    def _begin(self, instance: WasmtimeInstance, count: int) -> None:
        """Put so many answers in place, then do what the module does at its start."""
        while len(self._answers) < count:
            self._answers.append(self._answer(len(self._answers)))
        table = instance.export(rewrite.TABLE).handle
        for index, answer in enumerate(self._answers[:count]):
            error = capi.table_set(self.context, table, index, answer.pointer)
            assert not error
        if rewrite.START in instance.lookups:
            instance.export(rewrite.START).call()

    def _answer(self, index: int) -> capi.Block:
        function = self.host_func(rewrite.FUNCTIONS[index], self._allowance.functions[index])
        value = capi.block(capi.VAL_SIZE)
        value.view()[0] = capi.FUNCREF
        value.view(capi.VAL_OF)[:16] = function.extern.view(capi.EXTERN_OF)[:16]
        return value
