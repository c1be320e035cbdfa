"""A worker that runs one wasm function in an instance of its own.

In: a program. Out: calls. The guest runs in the caller's task. Spec: SPEC sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wippywasm.app.programs.wasm import WasmProgram
from wippywasm.errors import InvalidError, PermissionDeniedError, ValueMismatchError, WitError
from wippywasm.instance.grants import grants
from wippywasm.instance.guest import Guest
from wippywasm.instance.limits import Limits
from wippywasm.model import FuncType
from wippywasm.plan.describe import describe_func

_STORE_LIMITS = ("max_memory_mb", "max_table_elements", "max_instances")


class WasmWorker:
    """One instance. `declared` are the host imports that its entry declares."""

    def __init__(self, guest: Guest, function: str, declared: Sequence[str] = ()) -> None:
        self._guest = guest
        self._function = guest.func(function)
        self._declared = declared

    async def call(self, args: Sequence[Any]) -> Any:
        try:
            return self._function(*args)
        except PermissionDeniedError as error:
            self._explain(error)
            raise

    def _explain(self, error: PermissionDeniedError) -> None:
        """Where the entry does declare the import, telling its author to declare it would be no help."""
        wanted = error.details.get("import", "")
        if any(grants(name, wanted) for name in self._declared):
            error.hint = "it is declared, but there is no host for it yet"

    def usable_after(self, error: BaseException) -> bool:
        """After the guest's own `err`, and after a value that was refused before the guest ran."""
        return isinstance(error, WitError | ValueMismatchError)

    def close(self) -> None:
        self._guest.close()


async def new_wasm_worker(program: WasmProgram) -> WasmWorker:
    """A worker with a new instance; raises what instantiation raises."""
    settings = program.entry.data.get("limits") or {}
    limits = Limits(**{name: settings[name] for name in _STORE_LIMITS if name in settings})
    guest = program.linked.instantiate(limits=limits)
    return WasmWorker(guest, program.function, program.entry.data.get("imports") or ())


def check_arity(id: str, type: FuncType, args: Sequence[Any]) -> None:
    """Raise `InvalidError` with the signature for a wrong number of arguments."""
    count = len(type.params)
    if len(args) != count:
        raise InvalidError(
            f"{id} takes {count} argument{'s' * (count != 1)}, got {len(args)}", hint=f"it is {describe_func(type)}"
        )
