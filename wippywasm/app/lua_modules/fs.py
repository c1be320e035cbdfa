"""Lua's `fs`: the folders of `fs.directory` entries, which no path leaves.

In: ids of entries, paths, bytes. Out: bytes, facts; open folders and files stay here, and are closed with the call.
What moves many bytes is done in a thread. An argument that is missing is nil, as in Lua. Spec: SPEC section 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from wippywasm.app.entry import Entry
from wippywasm.app.ids import check_id
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.programs.folders import folder_of
from wippywasm.app.security import Guard
from wippywasm.errors import InvalidError, NotFoundError, with_article

_VOLUMES = ("readfile", "writefile", "exists", "stat", "mkdir", "remove", "list", "chdir", "pwd", "open")
_FILES = ("read", "write", "seek", "stat", "sync", "close")
_ON_HANDLES = (*(f"fs.{name}" for name in _VOLUMES), *(f"fs.file_{name}" for name in _FILES))


class App(Protocol):
    """The part of an app that has folders."""

    @property
    def entries(self) -> Mapping[str, Entry]: ...
    @property
    def folder(self) -> Path: ...
    @property
    def guard(self) -> Guard: ...


def operations(app: App) -> Mapping[str, Operation]:
    """What the module asks for."""
    return {"fs.get": _Opener(app).get, **{name: _later(name) for name in _ON_HANDLES}}


def _later(name: str) -> Operation:
    """An operation of `volume_operations`, which is loaded at its first use."""

    async def operation(caller: LuaCaller, *args: Any) -> Any:
        from wippywasm.app.lua_modules.volume_operations import OPERATIONS

        return await OPERATIONS[name](caller, *args)

    return operation


class _Opener:
    def __init__(self, app: App) -> None:
        self._app = app

    def get(self, caller: LuaCaller, id: Any) -> int:
        if not isinstance(id, str) or not id:
            raise InvalidError("fs.get takes the id of an fs.directory entry")
        id = id if ":" in id else f"{caller.id.partition(':')[0]}:{id}"
        check_id(id)
        entry = self._app.entries.get(id)
        if entry is None:
            raise NotFoundError(f"there is no entry '{id}'")
        if entry.kind != "fs.directory":
            raise InvalidError(f"'{id}' is {with_article(entry.kind)}, not a folder")
        self._app.guard.check("fs.get", id)
        from wippywasm.app.lua_modules.volumes import Volume

        return caller.handles.add(Volume(id, folder_of(entry, self._app.folder)))
