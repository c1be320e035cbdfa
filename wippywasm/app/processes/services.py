"""The services of an app: started in the order of what they require, stopped in the other.

In: `process.service` entries. Out: running services; at the end none. Spec: SPEC section 9.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from wippywasm.app.context import Context
from wippywasm.app.entry import Entry
from wippywasm.app.lifecycle import in_start_order, lifecycle_of
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.request import Start
from wippywasm.app.processes.service import Service
from wippywasm.errors import WippyError

KIND = "process.service"
log = logging.getLogger("wippywasm.services")


class Services:
    """`identity` says whom a service acts as, by its entry."""

    def __init__(
        self,
        processes: Processes,
        entries: Iterable[Entry],
        identity: Callable[[Entry], Context],
        random: Callable[[], float] = random.random,
    ) -> None:
        self._processes = processes
        self._entries = {entry.id: entry for entry in entries if entry.kind == KIND}
        self._lifecycles = {id: lifecycle_of(entry) for id, entry in self._entries.items()}
        self._identity = identity
        self._random = random
        self._services: dict[str, Service] = {}

    @property
    def running(self) -> Mapping[str, Service]:
        """Every service that was started, in the order in which they were."""
        return MappingProxyType(self._services)

    async def start(self) -> None:
        """Start those with `auto_start` and what they require; where one fails that has to start, raises its error."""
        wanted = [id for id, lifecycle in self._lifecycles.items() if lifecycle.auto_start]
        order = in_start_order(wanted, self._lifecycles)
        self._services = {id: self._make(id) for id in order}
        started: dict[str, asyncio.Task[None]] = {}
        for id in order:
            before = [started[other] for other in self._lifecycles[id].requires if other in started]
            started[id] = asyncio.ensure_future(self._start(self._services[id], before))
        try:
            await asyncio.gather(*started.values())
        except BaseException:
            for task in started.values():
                task.cancel()
            await asyncio.gather(*started.values(), return_exceptions=True)
            raise

    def _make(self, id: str) -> Service:
        entry = self._entries[id]
        input: Sequence[Any] = entry.data.get("input") or ()
        start = Start(entry.data["process"], entry.data["host"], _plain(input), context=self._identity(entry))
        return Service(id, start, self._lifecycles[id], self._processes, self._random)

    async def _start(self, service: Service, before: Sequence[asyncio.Task[None]]) -> None:
        if before:
            await asyncio.gather(*(asyncio.shield(task) for task in before))
        try:
            await service.start()
        except WippyError as error:
            if not service.lifecycle.is_optional:
                error.details.setdefault("entry", service.id)
                raise
            log.warning("%s did not start, and the app does without it: %s", service.id, error)

    async def stop(self) -> None:
        """Stop all, each after those that require it."""
        stopped: dict[str, asyncio.Task[None]] = {}
        for id in reversed(self._services):
            after = [task for other, task in stopped.items() if id in self._lifecycles[other].requires]
            stopped[id] = asyncio.ensure_future(_stop(self._services[id], after))
        await asyncio.gather(*stopped.values())


async def _stop(service: Service, after: Sequence[asyncio.Task[None]]) -> None:
    if after:
        await asyncio.wait(after)
    await service.stop()


def _plain(value: Any) -> Any:
    """Values of an entry, as plain values that Lua and wasm take."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
