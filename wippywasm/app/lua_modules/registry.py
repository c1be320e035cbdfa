"""Lua's `registry`: entries, snapshots, versions, changes, as far as the caller may. Spec: SPEC sections 2 and 11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.lua_modules.arguments import entry_id
from wippywasm.app.registry import Operation as Change
from wippywasm.app.registry import Registry
from wippywasm.app.registry.changes import delta
from wippywasm.app.registry.plain import raw_of
from wippywasm.app.security import Guard
from wippywasm.app.suggest import did_you_mean_id
from wippywasm.app.words import lua_kind_of
from wippywasm.errors import InvalidError, NotFoundError


class App(Protocol):
    """The part of an app that has a registry."""

    @property
    def registry(self) -> Registry: ...
    @property
    def guard(self) -> Guard: ...


def operations(app: App) -> Mapping[str, Operation]:
    """What the module asks for."""
    module = _Module(app)
    names = ("get", "find", "entries", "versions", "apply", "apply_version", "build_delta")
    return {f"registry.{name}": getattr(module, name) for name in names}


class _Module:
    def __init__(self, app: App) -> None:
        self._app = app

    def get(self, caller: LuaCaller, version: int | None, id: Any) -> Mapping[str, Any]:
        id = entry_id(id)
        self._app.guard.check("registry.get", id)
        try:
            return self._app.registry.get(id, version)
        except NotFoundError:
            seen = [entry["id"] for entry in self.entries(caller, version)]
            raise NotFoundError(f"there is no entry '{id}'", hint=did_you_mean_id(id, seen)) from None

    def find(self, _: LuaCaller, version: int | None, criteria: Any) -> list[Mapping[str, Any]]:
        return self._visible(self._app.registry.find(criteria, version))

    def entries(self, _: LuaCaller, version: int | None, namespace: str | None = None) -> list[Mapping[str, Any]]:
        entries = self._app.registry.entries(version)
        if namespace is not None:
            entries = [entry for entry in entries if entry["id"].partition(":")[0] == namespace]
        return self._visible(entries)

    def versions(self, _: LuaCaller) -> list[int]:
        """The numbers of all versions; the last is the current one."""
        return [version.id for version in self._app.registry.history.all()]

    async def apply(self, _: LuaCaller, operations: Any) -> int:
        changes = [_change(operation) for operation in _list(operations, "operations")]
        self._app.guard.check("registry.apply", "registry")
        return (await self._app.registry.apply(changes)).id

    async def apply_version(self, _: LuaCaller, version: Any) -> bool:
        if not isinstance(version, int):
            raise InvalidError("registry.apply_version takes a version")
        self._app.guard.check("registry.apply_version", str(version))
        await self._app.registry.apply_version(version)
        return True

    def build_delta(self, _: LuaCaller, before: Any, after: Any) -> list[Mapping[str, Any]]:
        tables = [{raw.id: raw for raw in map(self._raw, _list(entries, "entries"))} for entries in (before, after)]
        return [{"kind": op.kind, "entry": op.entry or {"id": op.id}} for op in delta(*tables)]

    def _raw(self, entry: Any) -> Any:
        if not isinstance(entry, Mapping):
            raise InvalidError(f"an entry is {{id, kind, meta, data}}, got {lua_kind_of(entry)}")
        entry_id(entry.get("id"))
        return raw_of(entry, self._app.registry.folder)

    def _visible(self, entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [entry for entry in entries if self._app.guard.shows("registry.get", entry["id"])]


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidError(f"expected an array of {what}, got {lua_kind_of(value)}")
    return value


def _change(operation: Mapping[str, Any]) -> Change:
    entry = operation.get("entry") or {}
    return Change(operation.get("kind", ""), entry_id(entry.get("id")), entry)
