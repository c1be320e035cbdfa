"""Who makes the workers of an entry.

In: a loaded app. Out: for each function the factory that its pool calls. Spec: SPEC section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wippywasm.app.loading import LoadedApp
from wippywasm.app.pools import Worker, WorkerFactory

if TYPE_CHECKING:
    from wippywasm.app.functions.lua_host import AppLuaHost
    from wippywasm.app.functions.terminal import Terminal
    from wippywasm.app.functions.wasm_hosts import WasmHosts
    from wippywasm.app.programs.wasm import WasmProgram


class Factories:
    """The factories of one app; Lua workers talk to `host`."""

    def __init__(self, loaded: LoadedApp, host: AppLuaHost) -> None:
        self._loaded = loaded
        self._host = host
        self._hosts: WasmHosts | None = None

    def of(self, id: str) -> WorkerFactory:
        """The factory of a function's workers."""
        program = self._loaded.wasm.get(id)
        return self._wasm(program) if program is not None else self._lua(id)

    async def command(self, id: str, terminal: Terminal) -> Worker:
        """A worker of wasm that has a terminal, for one call."""
        from wippywasm.app.functions.wasm_worker import CommandWorker, new_wasm_worker

        program = self._loaded.wasm[id]
        linked, wasi = self._wasm_hosts().link_command(program, terminal)
        return CommandWorker(await new_wasm_worker(program, linked), wasi)

    def _wasm_hosts(self) -> WasmHosts:
        from wippywasm.app.functions.wasm_hosts import WasmHosts

        if self._hosts is None:
            self._hosts = WasmHosts(self._loaded.entries, self._loaded.folder, self._host)
        return self._hosts

    def _wasm(self, program: WasmProgram) -> WorkerFactory:
        from wippywasm.app.functions.wasm_worker import new_wasm_worker

        hosts = self._wasm_hosts()
        if not (program.entry.data.get("pool") or {}).get("worker_class"):
            hosts.link(program)  # what can't be linked is told at the start, not at the first call

        async def make() -> Worker:
            return await new_wasm_worker(program, hosts.link(program))

        return make

    def close(self) -> None:
        """Let go of what guests were given, once there are none."""
        if self._hosts is not None:
            self._hosts.close()

    def _lua(self, id: str) -> WorkerFactory:
        from wippywasm.app.lua.worker import LuaWorker

        program = self._loaded.lua[id]

        async def make() -> Worker:
            return LuaWorker(program, self._host)

        return make
