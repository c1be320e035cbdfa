"""From `env.*` entries to an environment.

In: valid entries, and the environment that they follow, whose memory is kept. Out: an `Environment`, and problems.
Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from wippywasm.app.entry import Entry
from wippywasm.app.env.environment import Environment, Variable
from wippywasm.app.env.storages import FileStorage, MemoryStorage, OsStorage, RouterStorage, StaticStorage, Storage
from wippywasm.app.report import Report

STORAGES = ("env.storage.os", "env.storage.file", "env.storage.memory", "env.storage.static", "env.storage.router")
MAX_DEPTH = 64
"""Of routers that lead to routers."""
NOTHING = Environment({}, {})


def build_environment(
    entries: Iterable[Entry], app: Path, report: Report, before: Environment = NOTHING
) -> Environment:
    """The variables of all entries; one whose storage has a problem of its own is left out."""
    by_id = {entry.id: entry for entry in entries}
    builder = _Builder(by_id, app, report, before)
    storages = {id: s for id, e in by_id.items() if e.kind in STORAGES and (s := builder.storage(id)) is not None}
    variables = {
        id: v for id, e in by_id.items() if e.kind == "env.variable" and (v := builder.variable(e)) is not None
    }
    return Environment(variables, storages)


class _Builder:
    def __init__(self, entries: Mapping[str, Entry], app: Path, report: Report, before: Environment) -> None:
        self._entries = entries
        self._app = app
        self._report = report
        self._before = before
        self._made: dict[str, Storage | None] = {}
        self._names: dict[str, str] = {}

    def storage(self, id: str, depth: int = 0) -> Storage | None:
        """The storage of an id; None where there is none, or where it leads to itself, which is a problem already."""
        if id not in self._made:
            self._made[id] = None
            entry = self._entries.get(id)
            self._made[id] = None if entry is None else self._make(entry, depth)
        return self._made[id]

    def _make(self, entry: Entry, depth: int) -> Storage | None:
        match entry.kind:
            case "env.storage.os":
                return OsStorage(entry.id)
            case "env.storage.static":
                return StaticStorage(entry.id, entry.data["values"])
            case "env.storage.memory":
                kept = self._before.storages.get(entry.id)
                return kept if isinstance(kept, MemoryStorage) else MemoryStorage()
            case "env.storage.file":
                return self._file(entry)
            case "env.storage.router":
                return self._router(entry, depth)
            case _:
                return None

    def _file(self, entry: Entry) -> Storage | None:
        file = self._app.resolve() / entry.data["file_path"]
        mode: int = entry.data.get("file_mode", 0o644)
        at = entry.at(self._report, "file_path")
        if file.is_dir():
            at.problem(f"'{entry.data['file_path']}' is a folder")
            return None
        if not file.exists() and not entry.data.get("auto_create"):
            at.problem(f"there is no file '{entry.data['file_path']}'", "make it, or set 'auto_create: true'")
            return None
        return FileStorage(entry.id, file, mode)

    def _router(self, entry: Entry, depth: int) -> Storage | None:
        if depth >= MAX_DEPTH:
            entry.at(self._report, "storages").problem(f"routers lead to routers, {MAX_DEPTH} deep")
            return None
        parts = [self.storage(id, depth + 1) for id in entry.data["storages"]]
        return RouterStorage([part for part in parts if part is not None]) if all(parts) else None

    def variable(self, entry: Entry) -> Variable | None:
        name: str | None = entry.data.get("variable")
        storage = self.storage(entry.data["storage"])
        if name is not None:
            first = self._names.setdefault(name, entry.id)
            if first != entry.id:
                entry.at(self._report, "variable").problem(f"'{name}' is the name of '{first}' already", "rename one")
        if storage is None:
            return None
        data = entry.data
        return Variable(entry.id, name or entry.name, storage, name, data.get("default"), bool(data.get("readonly")))


def make_files(entries: Iterable[Entry], app: Path) -> None:
    """Make the files of storages with `auto_create`, with their modes."""
    for entry in entries:
        if entry.kind != "env.storage.file" or not entry.data.get("auto_create"):
            continue
        file = app.resolve() / entry.data["file_path"]
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=entry.data.get("dir_mode", 0o755))
            file.touch(mode=entry.data.get("file_mode", 0o644))
