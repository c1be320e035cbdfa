"""The programs that processes run.

In: a loaded app. Out: a worker for each process, made when it starts. Spec: SPEC sections 3 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wippywasm.app.entry import Entry
from wippywasm.app.functions.factories import Factories
from wippywasm.app.loading import LoadedApp
from wippywasm.app.pools.worker import Worker, WorkerFactory

if TYPE_CHECKING:
    from wippywasm.app.functions.lua_host import AppLuaHost
    from wippywasm.app.functions.terminal import Terminal


class Programs:
    """The programs of one running app; what they share is made once."""

    def __init__(self, loaded: LoadedApp, host: AppLuaHost) -> None:
        self._loaded = loaded
        self._factories = Factories(loaded, host)
        self._known: dict[str, WorkerFactory] = {}

    @property
    def entries(self) -> Mapping[str, Entry]:
        return self._loaded.entries

    async def new_worker(self, id: str, terminal: Terminal | None = None) -> Worker:
        """A new instance of a process's program; raises what making one raises."""
        if terminal is not None:
            return await self._factories.command(id, terminal)
        factory = self._known.get(id)
        if factory is None:
            factory = self._known[id] = self._factories.of(id)
        return await factory()

    def close(self) -> None:
        """Let go of what guests were given, once there are none."""
        self._factories.close()
