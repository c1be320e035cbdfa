"""What Lua asks of folders and files that it has open: see `fs`.

In: handles, paths, bytes. Out: bytes, facts. An argument that is missing is nil, as in Lua. Loaded when a program first
opens a folder, since the descriptors are those of WASI.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.lua_modules.volumes import MAX_WHOLE, OpenFile, Volume
from wippywasm.errors import InvalidError

READ_BYTES = 4096
"""What a read without a size gives at most."""


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
    return caller.handles.add(volume.open(_path(path), "r" if mode is None else mode))


def _write(_: LuaCaller, volume: Volume, path: Any, data: Any, mode: Any) -> Any:
    return volume.write(_path(path), _bytes(data), "w" if mode is None else mode)


async def _close(caller: LuaCaller, number: int, *_: Any) -> bool:
    await caller.handles.drop(number)
    return True


_VOLUME: Mapping[str, Operation] = {
    "fs.readfile": _of(Volume, lambda _, volume, path: volume.read(_path(path))),
    "fs.writefile": _of(
        Volume,
        lambda _, volume, path, data, mode: volume.write(_path(path), _bytes(data), "w" if mode is None else mode),
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
    "fs.file_seek": _of(
        OpenFile, lambda _, file, whence, offset: file.seek("set" if whence is None else whence, _offset(offset))
    ),
    "fs.file_stat": _of(OpenFile, lambda _, file: file.stat()),
    "fs.file_sync": _of(OpenFile, lambda _, file: file.sync()),
    "fs.file_close": _close,
}

OPERATIONS: Mapping[str, Operation] = {**_VOLUME, **_FILE}
