"""Processes as a part of an app, from its start to its end.

In: loaded entries, what Lua may ask, security. Out: open hosts, running services; at the end nothing of them is left.
Spec: SPEC sections 2 and 9.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wippywasm.app.context import Context
from wippywasm.app.loading import LoadedApp
from wippywasm.app.parts import Prepared
from wippywasm.app.processes.actions import Actions
from wippywasm.app.processes.clock import Clock
from wippywasm.app.processes.command import Command
from wippywasm.app.processes.frames import Frames
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.programs import Programs
from wippywasm.app.processes.service import Service
from wippywasm.app.processes.services import Services
from wippywasm.app.security.identity import read_identity
from wippywasm.app.security.policies import Policies
from wippywasm.dataclass import dataclass

if TYPE_CHECKING:
    from wippywasm.app.functions.lua_host import AppLuaHost
    from wippywasm.app.security import Security


class ProcessPart:
    """Belongs to one run of an app, and to its event loop."""

    def __init__(
        self,
        host: AppLuaHost,
        security: Security,
        clock: Clock | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._programs = Programs(host, security)
        self._services = Services(random)
        self.processes = Processes(self._programs, clock)
        self.actions = Actions(self.processes, security.guard)
        self.frames = Frames(self.processes)

    @property
    def services(self) -> Mapping[str, Service]:
        """Every service that was started, by id, in the order in which they were."""
        return self._services.running

    async def prepare(self, loaded: LoadedApp, changed: Collection[str]) -> Prepared:
        """Get ready for other entries; raises NotFoundError for a group that no policy is in."""
        return _Change(self, loaded, frozenset(changed), _contexts(loaded))

    def commit(self, change: _Change) -> None:
        """Start processes by other entries from now on; services that changed are stopped, and started again."""
        self._programs.commit(change.loaded)
        entries = change.loaded.entries.values()
        self.processes.open_hosts(entries)
        self.processes.tell_outdated(change.changed)
        self._services.commit(entries, change.contexts, change.changed, self.processes)

    async def start(self) -> None:
        """Start the services; raises what one fails with that has to start."""
        await self._services.start()

    def start_command(self, id: str, args: Sequence[Any], words: Sequence[str]) -> Command:
        """Run a process on the app's terminal, with `words` after its name; raises what `Processes.spawn` raises."""
        return Command(self.processes, id, args, words)

    async def stop(self, *, at_once: bool = False) -> None:
        """Stop the services in order, unless it is to be `at_once`, then end all processes; nothing of them is left."""
        if at_once:
            self.kill_all()
        await self._services.stop()
        await self.processes.close()
        self._programs.close()

    def kill_all(self) -> None:
        """End every process now."""
        for process in self.processes.table.processes():
            self.processes.kill(process, "was ended: the app stops at once")


@dataclass(frozen=True)
class _Change:
    """`contexts` has whom each service acts as."""

    part: ProcessPart
    loaded: LoadedApp
    changed: frozenset[str]
    contexts: Mapping[str, Context]

    def commit(self) -> None:
        self.part.commit(self)

    def discard(self) -> None:
        return


def _contexts(loaded: LoadedApp) -> dict[str, Context]:
    entries = loaded.entries.values()
    declared = {e.id: (e.data.get("lifecycle") or {}).get("security") for e in entries if e.kind == "process.service"}
    policies = Policies(entries) if any(declared.values()) else Policies()
    return {id: read_identity(field or {}, policies).assumed(Context()) for id, field in declared.items()}
