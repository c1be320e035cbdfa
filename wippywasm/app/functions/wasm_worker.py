"""A worker that runs one wasm function in an instance of its own.

In: a program. Out: calls. The guest runs in the caller's task. Spec: SPEC sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wippywasm.app.programs.wasm import WasmProgram, limits_of
from wippywasm.instance.guest import Guest
from wippywasm.instance.linked_component import LinkedComponent

if TYPE_CHECKING:
    from wippywasm.wasi import Wasi


class WasmWorker:
    """One instance. It yields to the event loop where it waits, and where it computes for long."""

    def __init__(self, guest: Guest, function: str) -> None:
        self._guest = guest
        self._name = function

    async def call(self, args: Sequence[Any]) -> Any:
        return await self._guest.call_async(self._name, *args)

    def usable_after(self, error: BaseException) -> bool:
        """Whatever was raised before the guest ran, or is its own `err`, leaves it as it was."""
        return self._guest.usable

    def close(self) -> None:
        self._guest.close()


async def new_wasm_worker(program: WasmProgram, linked: LinkedComponent) -> WasmWorker:
    """A worker with a new instance; raises what instantiation raises."""
    guest = await linked.instantiate_async(limits=limits_of(program.entry))
    return WasmWorker(guest, program.function)


class CommandWorker:
    """A worker whose output has all gone out when its call is over."""

    def __init__(self, worker: WasmWorker, wasi: Wasi) -> None:
        self._worker = worker
        self._wasi = wasi

    async def call(self, args: Sequence[Any]) -> Any:
        try:
            result = await self._worker.call(args)
        except Exception:
            await self._wasi.drain()
            raise
        await self._wasi.drain()
        return result

    def usable_after(self, error: BaseException) -> bool:
        return False

    def close(self) -> None:
        self._worker.close()
