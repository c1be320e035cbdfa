"""Lua's `fs`: the folders of `fs.directory` entries, which no path leaves.

In: ids of entries, paths, bytes. Out: bytes, facts; open folders and files stay here, and are closed with the call.
What moves many bytes is done in a thread. An argument that is missing is nil, as in Lua. Spec: SPEC section 11.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from wippywasm.app.entry import Entry
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.lua_modules.volumes import MAX_WHOLE, OpenFile, Volume
from wippywasm.app.programs.folders import folder_of
from wippywasm.app.security import Guard
from wippywasm.errors import InvalidError, NotFoundError, with_article

READ_BYTES = 4096
"""What a read without a size gives at most."""


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
    return {"fs.get": _Opener(app).get, **_VOLUME, **_FILE}


class _Opener:
    def __init__(self, app: App) -> None:
        self._app = app

    def get(self, caller: LuaCaller, id: Any) -> int:
        if not isinstance(id, str) or not id:
            raise InvalidError("fs.get takes the id of an fs.directory entry")
        id = id if ":" in id else f"{caller.id.partition(':')[0]}:{id}"
        entry = self._app.entries.get(id)
        if entry is None:
            raise NotFoundError(f"there is no entry '{id}'")
        if entry.kind != "fs.directory":
            raise InvalidError(f"'{id}' is {with_article(entry.kind)}, not a folder")
        self._app.guard.check("fs.get", id)
        return caller.handles.add(Volume(id, folder_of(entry, self._app.folder)))


def _of(kind: type[Any], do: Callable[..., Any]) -> Operation:
    """An operation on an object that the program holds; it gets as many arguments as it takes."""
    count = len(inspect.signature(do).parameters) - 2

    async def operation(caller: LuaCaller, number: int, *args: Any) -> Any:
        given = (*args, *[None] * count)[:count]
        result = do(caller, caller.handles.get(number, kind), *given)
        return await result if inspect.isawaitable(result) else result

    return operation


def _path(path: Any) -> str:
    if not isinstance(path, str) or not path:
        raise InvalidError("a path is text, and not empty")
    return path


def _bytes(data: Any) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, str | int | float) and not isinstance(data, bool):
        return str(data).encode("utf-8", "surrogatepass")
    raise InvalidError("what is written to a file is text")


def _open(caller: LuaCaller, volume: Volume, path: Any, mode: Any) -> int:
    return caller.handles.add(volume.open(_path(path), mode or "r"))


def _write(_: LuaCaller, volume: Volume, path: Any, data: Any, mode: Any) -> Any:
    return volume.write(_path(path), _bytes(data), mode or "w")


async def _close(caller: LuaCaller, number: int) -> bool:
    await caller.handles.drop(number)
    return True


_VOLUME: Mapping[str, Operation] = {
    "fs.readfile": _of(Volume, lambda _, volume, path: volume.read(_path(path))),
    "fs.writefile": _of(
        Volume, lambda _, volume, path, data, mode: volume.write(_path(path), _bytes(data), mode or "w")
    ),
    "fs.exists": _of(Volume, lambda _, volume, path: volume.exists(_path(path))),
    "fs.stat": _of(Volume, lambda _, volume, path: volume.stat(_path(path))),
    "fs.mkdir": _of(Volume, lambda _, volume, path: volume.mkdir(_path(path))),
    "fs.remove": _of(Volume, lambda _, volume, path: volume.remove(_path(path))),
    "fs.list": _of(Volume, lambda _, volume, path: volume.list(_path(path))),
    "fs.chdir": _of(Volume, lambda _, volume, path: volume.chdir(_path(path))),
    "fs.pwd": _of(Volume, lambda _, volume: volume.cwd),
    "fs.open": _of(Volume, _open),
}


def _size(size: Any) -> int:
    if size is None:
        return READ_BYTES
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= MAX_WHOLE:
        raise InvalidError(f"a size is a whole number from 1 to {MAX_WHOLE}")
    return size


def _offset(offset: Any) -> int:
    if offset is None:
        return 0
    if not isinstance(offset, int) or isinstance(offset, bool):
        raise InvalidError("an offset is a whole number")
    return offset


_FILE: Mapping[str, Operation] = {
    "fs.file_read": _of(OpenFile, lambda _, file, size: file.read(_size(size))),
    "fs.file_write": _of(OpenFile, lambda _, file, data: file.write(_bytes(data))),
    "fs.file_seek": _of(OpenFile, lambda _, file, whence, offset: file.seek(whence or "set", _offset(offset))),
    "fs.file_stat": _of(OpenFile, lambda _, file: file.stat()),
    "fs.file_sync": _of(OpenFile, lambda _, file: file.sync()),
    "fs.file_close": _close,
}
