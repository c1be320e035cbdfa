"""The table of an app's entries, and its changes.

In: operations. Out: versions. A change is checked as a whole app is, with all problems at once, then prepared by every
part of the running app, and then takes place in one step; where anything refuses it, everything is as it was.
Spec: SPEC section 2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from wippywasm.app.definition.raw import RawEntry
from wippywasm.app.ids import check_id
from wippywasm.app.loading import LoadedApp, Loader, read_definitions
from wippywasm.app.registry.changes import Changes, Operation, applied
from wippywasm.app.registry.find import find
from wippywasm.app.registry.plain import plain
from wippywasm.app.registry.versions import History, Version
from wippywasm.app.report import Report
from wippywasm.app.suggest import did_you_mean_id
from wippywasm.errors import InvalidError, NotFoundError

T = TypeVar("T")
Running = Callable[[], LoadedApp]
"""What the app runs by, which the app alone keeps."""
Install = Callable[[LoadedApp], Awaitable[None]]
"""Has the app run by what was loaded; raises where a part of it can't."""


class Registry:
    """The registry of one app. Changes are made one after the other, on the app's event loop."""

    def __init__(self, running: Running, overrides: Sequence[str], install: Install) -> None:
        self._running = running
        self._overrides = overrides
        self._install = install
        self._files = running().raw
        self._lock = asyncio.Lock()
        self.history = History(running().raw)

    @property
    def folder(self) -> Path:
        """The app folder."""
        return self._running().folder

    @property
    def current(self) -> Version:
        """The version that the app runs by."""
        return self.history.current

    def get(self, id: str, version: int | None = None) -> Mapping[str, Any]:
        """An entry as `{id, kind, meta, data}`, with its placeholders; raises NotFoundError, InvalidError."""
        check_id(id)
        entries = self._table(version)
        if id not in entries:
            raise NotFoundError(f"there is no entry '{id}'", hint=did_you_mean_id(id, entries))
        return plain(entries[id])

    def entries(self, version: int | None = None) -> list[Mapping[str, Any]]:
        """Every entry."""
        return [plain(entry) for entry in self._table(version).values()]

    def find(self, criteria: Mapping[str, Any], version: int | None = None) -> list[Mapping[str, Any]]:
        """The entries that fit all of `criteria`, such as `{".kind": "function.*", "meta.type": "test"}`."""
        return find(self.entries(version), criteria)

    def changes(self) -> Changes:
        """Operations to be gathered and applied together."""
        return Changes(self.apply)

    async def apply(self, operations: Iterable[Operation]) -> Version:
        """Apply operations together, and give the new version.

        Raises AlreadyExistsError or NotFoundError for an operation that does not fit, DefinitionError with every
        problem that the app would have, and what a part of the running app has against it.
        """
        operations = list(operations)
        if not operations:
            raise InvalidError("there are no changes to apply")
        async with self._lock:
            entries = applied(self.current.entries, operations, self._running().folder)
            return await self._take(entries, await self._load(entries, Report()))

    async def apply_version(self, id: int) -> Version:
        """Go back, or forth, to the entries of a version; gives a new version that has them."""
        async with self._lock:
            entries = self.history.get(id).entries
            return await self._take(entries, await self._load(entries, Report()))

    async def reload(self) -> Version | None:
        """Read the definition files again; None where nothing is other. What was changed otherwise stays."""
        async with self._lock:
            report = Report()
            raw = await self._aside(lambda: read_definitions(self._running().folder, self._overrides, report))
            files = {entry.id: entry for entry in raw}
            table = {id: entry for id, entry in self.current.entries.items() if id in files or id not in self._files}
            table |= {id: entry for id, entry in files.items() if entry != self._files.get(id)}
            loaded = await self._load(table, report)
            version = None if loaded.entries == self._running().entries else await self._take(table, loaded)
            self._files = files
            return version

    async def _load(self, entries: Mapping[str, RawEntry], report: Report) -> LoadedApp:
        old = self._running()
        loader = Loader(old.folder, old.engine, old.settings, report, before=old)
        return await self._aside(lambda: loader.load(list(entries.values())))

    async def _take(self, entries: Mapping[str, RawEntry], loaded: LoadedApp) -> Version:
        await self._install(loaded)
        return self.history.add(entries)

    async def _aside(self, work: Callable[[], T]) -> T:
        """Read and compile beside the event loop, unless the engine's objects belong to its thread."""
        if not self._running().engine.thread_bound:
            return await asyncio.to_thread(work)
        await asyncio.sleep(0)  # whoever makes one change after the other lets calls run between them
        return work()

    def _table(self, version: int | None) -> Mapping[str, RawEntry]:
        return (self.current if version is None else self.history.get(version)).entries
