"""The services of an app: started in the order of what they require, stopped in the other.

In: `process.service` entries. Out: running services; at the end none. Spec: SPEC section 9.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from wippywasm.app.context import Context
from wippywasm.app.entry import Entry
from wippywasm.app.lifecycle import Lifecycle, in_start_order, lifecycle_of
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.request import Start
from wippywasm.app.processes.service import Service
from wippywasm.errors import WippyError

KIND = "process.service"
log = logging.getLogger("wippywasm.services")


class Services:
    """`random` gives numbers from 0 to 1, for the jitter of delays."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._entries: Mapping[str, Entry] = {}
        self._lifecycles: dict[str, Lifecycle] = {}
        self._make: dict[str, Callable[[], Service]] = {}
        self._running: dict[str, Service] = {}
        self._is_started = False
        self._changes: asyncio.Task[None] | None = None

    @property
    def running(self) -> Mapping[str, Service]:
        """Every service that was started, in the order in which they were."""
        return MappingProxyType(self._running)

    def commit(
        self,
        entries: Iterable[Entry],
        contexts: Mapping[str, Context],
        changed: Collection[str],
        processes: Processes,
    ) -> None:
        """Know these services from now on. Those that run and are in `changed` stop, then what is to run starts."""
        services = {entry.id: entry for entry in entries if entry.kind == KIND}
        stale = [id for id in self._running if self._is_stale(id, services.get(id), changed)]
        self._entries = services
        self._lifecycles = {id: lifecycle_of(entry) for id, entry in services.items()}
        self._make = {id: self._maker(entry, contexts[id], processes) for id, entry in services.items()}
        if self._is_started:
            self._changes = asyncio.ensure_future(self._change(stale, self._changes))

    def _is_stale(self, id: str, entry: Entry | None, changed: Collection[str]) -> bool:
        """Whether a service has to stop: not for other code alone where its process is told of it, and takes it up."""
        if entry is None or id not in changed:
            return entry is None
        process, before = self._running[id].process, self._entries.get(id)
        others = {reference.id for reference in entry.references} - {entry.data["process"]}
        is_same = before is not None and before.data == entry.data and others.isdisjoint(changed)
        return not (is_same and process is not None and process.is_upgradable)

    def _maker(self, entry: Entry, context: Context, processes: Processes) -> Callable[[], Service]:
        input: Sequence[Any] = _plain(entry.data.get("input") or ())
        start = Start(entry.data["process"], entry.data["host"], input, context=context)
        lifecycle = self._lifecycles[entry.id]
        return lambda: Service(entry.id, start, lifecycle, processes, self._random)

    async def _change(self, stale: Sequence[str], before: asyncio.Task[None] | None) -> None:
        """Bring what runs in line with the entries, after the last such change."""
        if before is not None:
            await asyncio.wait([before])
        await self._stop(stale)
        try:
            await self._start()
        except WippyError as error:
            log.error("a service did not start: %s", error)

    async def start(self) -> None:
        """Start those with `auto_start` and what they require; where one fails that has to start, raises its error."""
        self._is_started = True
        await self._start()

    async def _start(self) -> None:
        wanted = [id for id, lifecycle in self._lifecycles.items() if lifecycle.auto_start]
        order = [id for id in in_start_order(wanted, self._lifecycles) if id not in self._running]
        started: dict[str, asyncio.Task[None]] = {}
        for id in order:
            self._running[id] = self._make[id]()
            before = [started[other] for other in self._lifecycles[id].requires if other in started]
            started[id] = asyncio.ensure_future(_start(self._running[id], before))
        try:
            await asyncio.gather(*started.values())
        finally:
            for task in started.values():
                task.cancel()
            await asyncio.gather(*started.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Stop all, each after those that require it."""
        if self._changes is not None:
            self._changes.cancel()
            await asyncio.gather(self._changes, return_exceptions=True)
        await self._stop(list(self._running))

    async def _stop(self, ids: Sequence[str]) -> None:
        stopped: dict[str, asyncio.Task[None]] = {}
        services = [self._running[id] for id in reversed(self._running) if id in ids]
        for service in services:
            service.retire()
        for service in services:
            after = [task for id, task in stopped.items() if service.id in self._running[id].lifecycle.requires]
            stopped[service.id] = asyncio.ensure_future(_stop(service, after))
        await asyncio.gather(*stopped.values())
        for service in services:
            del self._running[service.id]


async def _start(service: Service, before: Sequence[asyncio.Task[None]]) -> None:
    if before:
        await asyncio.gather(*(asyncio.shield(task) for task in before))
    try:
        await service.start()
    except WippyError as error:
        if not service.lifecycle.is_optional:
            error.details.setdefault("entry", service.id)
            raise
        log.warning("%s did not start, and the app does without it: %s", service.id, error)


async def _stop(service: Service, after: Sequence[asyncio.Task[None]]) -> None:
    if after:
        await asyncio.wait(after)
    await service.stop()


def _plain(value: Any) -> Any:
    """Values of an entry, as plain values that Lua and wasm take."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
