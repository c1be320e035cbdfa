"""The processes of an app, from its start to its end.

In: a loaded app, what its Lua may ask. Out: running hosts and services; at the end nothing of them is left.
Spec: SPEC section 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wippywasm.app.loading import LoadedApp
from wippywasm.app.processes.actions import Actions
from wippywasm.app.processes.clock import Clock
from wippywasm.app.processes.command import Command
from wippywasm.app.processes.frames import Frames
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.programs import Programs
from wippywasm.app.processes.world import Guard

if TYPE_CHECKING:
    from wippywasm.app.functions.lua_host import AppLuaHost


class ProcessPart:
    """Belongs to one run of an app, and to its event loop."""

    def __init__(self, loaded: LoadedApp, host: AppLuaHost, guard: Guard, clock: Clock | None = None) -> None:
        self._programs = Programs(loaded, host)
        self.processes = Processes(self._programs, clock)
        self.actions = Actions(self.processes, guard)
        self.frames = Frames(self.processes)

    async def start(self) -> None:
        """Open the hosts."""
        self.processes.open_hosts(self._programs.entries.values())

    def start_command(self, id: str, args: Sequence[Any], words: Sequence[str]) -> Command:
        """Run a process on the app's terminal, with `words` after its name; raises what `Processes.spawn` raises."""
        return Command(self.processes, id, args, words)

    async def stop(self) -> None:
        """End all processes, and wait until nothing of them is left."""
        await self.processes.close()
        self._programs.close()
