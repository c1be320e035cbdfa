"""The programs that processes run, and whom they run as.

In: a loaded app. Out: a worker for each process, made when it starts. Spec: SPEC sections 3, 9 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wippywasm.app.context import Context
from wippywasm.app.entry import Entry
from wippywasm.app.env.build import NOTHING
from wippywasm.app.functions.factories import Factories
from wippywasm.app.loading import LoadedApp
from wippywasm.app.pools.worker import Worker, WorkerFactory
from wippywasm.app.security import check_given

if TYPE_CHECKING:
    from wippywasm.app.functions.lua_host import AppLuaHost
    from wippywasm.app.functions.terminal import Terminal
    from wippywasm.app.lua.program import LuaProgram
    from wippywasm.app.processes.host import Host
    from wippywasm.app.security import Security


class Programs:
    """The programs of one running app; what they share is made once."""

    def __init__(self, host: AppLuaHost, security: Security) -> None:
        self._host = host
        self._security = security
        self._entries: Mapping[str, Entry] = {}
        self._environment = NOTHING
        self._lua: Mapping[str, LuaProgram] = {}
        self._factories: list[Factories] = []
        self._known: dict[str, WorkerFactory] = {}

    def commit(self, loaded: LoadedApp) -> None:
        """Run the programs of `loaded` from now on; processes that run keep what they have."""
        self._entries, self._lua = loaded.entries, loaded.lua
        self._environment = loaded.environment
        self._factories.append(Factories(loaded, self._host))
        self._known = {}

    @property
    def entries(self) -> Mapping[str, Entry]:
        return self._entries

    def context_of(self, id: str, declared: Context) -> Context:
        """The context that a process runs in, of what was declared when it was started."""
        return self._security.context_of(id, declared)

    async def new_worker(self, id: str, host: Host, terminal: Terminal | None = None) -> Worker:
        """A new instance of a process's program, in the context that it runs in; raises what making one raises."""
        check_given(self._security.guard, self._entries[id], self._environment)
        program = self._lua.get(id)
        if program is not None:
            return self._lua_worker(program, host)
        if terminal is not None:
            return await self._factories[-1].command(id, terminal)
        factory = self._known.get(id)
        if factory is None:
            factory = self._known[id] = self._factories[-1].of(id)
        return await factory()

    def _lua_worker(self, program: LuaProgram, host: Host) -> Worker:
        from wippywasm.app.lua.limits import PROCESS_LIMITS
        from wippywasm.app.lua.worker import LuaWorker

        return LuaWorker(program, self._host, PROCESS_LIMITS, host.threads)

    def close(self) -> None:
        """Let go of what guests were given, once there are none."""
        while self._factories:
            self._factories.pop().close()
