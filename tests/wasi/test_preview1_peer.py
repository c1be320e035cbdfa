"""The same calls of preview 1 here and in wasmtime's own WASI: the same numbers, the same memory.

Where the two differ on purpose, the call is not in the list: values that no version of preview 1 knows trap there and
are `inval` here; reads and writes here use all of their buffers; a directory's name may end in a slash here when it is
removed; where two things are wrong at once, either may be said.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import wasmtime

import wippywasm
from tests.wasi.wasi_guests import Raw, preview1_module
from wippywasm.wasi import Wasi

READ, WRITE = 2, 64


@contextmanager
def theirs(folder: Path) -> Iterator[Raw]:
    config = wasmtime.WasiConfig()
    config.argv = ["prog", "grüße"]
    config.env = [("NAME", "value"), ("EMPTY", "")]
    config.stdin_file = str(folder / "input")
    config.stdout_file = str(folder / "output")
    config.preopen_dir(str(folder / "mount"), "/data")
    engine = wasmtime.Engine()
    store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
    store.set_wasi(config)
    linker.define_wasi()
    exports = linker.instantiate(store, wasmtime.Module(engine, preview1_module())).exports(store)

    def call(name: str, *args: int) -> Any:
        function = exports[name]
        assert isinstance(function, wasmtime.Func)
        return function(store, *args)

    yield Raw(call)
    store.close()


@contextmanager
def ours(folder: Path) -> Iterator[Raw]:
    component = wippywasm.load(preview1_module(), engine="wasmtime")
    env, mounts = {"NAME": "value", "EMPTY": ""}, {"/data": folder / "mount"}
    with (
        (folder / "input").open("rb") as stdin,
        (folder / "output").open("wb") as stdout,
        Wasi(args=["prog", "grüße"], env=env, stdin=stdin, stdout=stdout, mounts=mounts) as wasi,
        component.instantiate(wasi=wasi) as guest,
    ):
        yield Raw(guest.call)


def prepared(folder: Path) -> Path:
    mount = folder / "mount"
    (mount / "sub").mkdir(parents=True)
    (mount / "file").write_text("hello world")
    (mount / "link").symlink_to("file")
    (folder / "input").write_text("input")
    return folder


class Log:
    """Calls, with what they answered and what they left in memory."""

    def __init__(self, guest: Raw) -> None:
        self.guest = guest
        self.lines: list[tuple[Any, ...]] = []

    def call(self, name: str, *args: int, at: int = 0, size: int = 0) -> int:
        answer: int = self.guest.call(name, *args)
        self.lines.append((name, args, answer, self.guest.read(at, size) if size and not answer else b""))
        return answer

    def path(self, name: str, *before: int, path: str | bytes, after: tuple[int, ...] = (), **seen: int) -> int:
        return self.call(name, *before, *self.guest.path(path), *after, **seen)


def descriptors(log: Log) -> None:
    log.call("args_sizes_get", 0, 4, size=8)
    log.call("args_get", 0, 100, size=8)
    log.call("environ_sizes_get", 0, 4, size=8)
    log.call("environ_get", 0, 100, at=100, size=18)
    for fd in range(5):
        log.call("fd_prestat_get", fd, 64, at=64, size=8)
        log.call("fd_tell", fd, 8, at=8, size=8)
        log.call("fd_seek", fd, 0, 1, 8, at=8, size=8)
        log.call("fd_fdstat_get", fd, 0, at=8, size=16)
        log.call("fd_fdstat_set_flags", fd, 1)
        log.call("fd_fdstat_set_rights", fd, 0, 0)
        log.call("fd_filestat_set_size", fd, 5)
        log.call("fd_filestat_set_times", fd, 0, 0, 0)
        log.call("fd_advise", fd, 0, 0, 0)
        log.call("fd_allocate", fd, 0, 100)
        log.call("fd_sync", fd)
        log.call("fd_datasync", fd)
        log.call("fd_readdir", fd, 0, 0, 0, 200, at=200, size=4)
        log.call("sock_shutdown", fd, 1)
        log.call("sock_accept", fd, 0, 0)
    log.call("fd_prestat_dir_name", 3, 0, 1)
    log.call("fd_prestat_dir_name", 3, 0, 10, size=5)


def streams(log: Log) -> None:
    guest = log.guest
    guest.write(200, b"abcdef")
    one = guest.vector((200, 6))
    for fd in range(5):
        for name in ("fd_read", "fd_write"):
            log.call(name, fd, *one, 16, at=16, size=4)
        for name in ("fd_pread", "fd_pwrite"):
            log.call(name, fd, *one, 2, 16, at=16, size=4)


def files(log: Log) -> None:
    guest = log.guest
    log.path("path_open", 3, 1, path="file", after=(0, READ | WRITE | 1 << 5, 0, 0, 0), size=4)
    log.call("fd_fdstat_get", 4, 0, size=2)
    log.call("fd_fdstat_get", 4, 0, at=8, size=16)
    streams(log)
    for offset, whence in ((-1, 0), (-2, 2), (1 << 62, 1), (0, 0)):
        log.call("fd_seek", 4, offset, whence, 24, at=24, size=8)
    for name in ("fd_sync", "fd_datasync", "fd_tell"):
        log.call(name, 4, *([24] if name == "fd_tell" else []), at=24, size=8)
    for times, flags in ((0, 3), (1, 5), (7, 12), (9, 8 | 4)):
        log.call("fd_filestat_set_times", 4, times, times, flags)
    log.call("fd_filestat_set_size", 4, 8)
    log.call("fd_filestat_get", 4, 0, at=24, size=16)
    for flags in (2, 4, 1, 0):
        log.call("fd_fdstat_set_flags", 4, flags)
    log.call("fd_allocate", 4, 0, 100)
    log.call("fd_advise", 4, 0, 0, 5)
    log.call("fd_renumber", 4, 99)
    log.call("fd_renumber", 99, 4)
    log.call("fd_close", 4)
    log.call("fd_close", 4)
    guest.path("file")


OPENED = [
    *((path, 0, oflags, READ) for path in ("file", "sub", "none", "", ".", "..", "/x", "a/../..") for oflags in (0, 2)),
    *(("link", follow, 2, READ) for follow in (0, 1)),
    *((path, 1, 0, READ | WRITE) for path in ("link", "sub", "file/", "sub/", "file/x")),
    *(("made", 0, oflags, WRITE) for oflags in (0, 1, 5, 8, 9)),
    (b"\xff", 0, 0, READ),
    ("link", 0, 0, READ),
    ("sub/../file", 0, 0, READ),
]


def paths(log: Log) -> None:
    for path, follow, oflags, rights in OPENED:
        if log.path("path_open", 3, follow, path=path, after=(oflags, rights, 0, 0, 0)) == 0:
            log.call("fd_close", log.guest.u32(0))
    for path in ("mk", "mk", "sub", "none/x", "../x"):
        log.path("path_create_directory", 3, path=path)
    for follow in (0, 1):
        log.path("path_filestat_get", 3, follow, path="link", after=(0,), at=24, size=16)
    for path, size in (("link", 100), ("link", 2), ("file", 100), ("none", 100)):
        log.path("path_readlink", 3, path=path, after=(100, size, 200), at=200, size=4)
    second = log.guest.path("other", 2000)
    for path in ("target/x", "/abs", ""):
        log.call("path_symlink", *log.guest.path(path), 3, *second)
    third = log.guest.path("third", 2000)
    for follow, path in ((1, "file"), (0, "file"), (0, "file"), (0, "none")):
        log.path("path_link", 3, follow, path=path, after=(3, *third))
    for path in ("third", "sub", "none"):
        log.path("path_unlink_file", 3, path=path)
    for path in ("file", "mk", "none"):
        log.path("path_remove_directory", 3, path=path)
    moved = log.guest.path("sub/moved", 2000)
    for path in ("file", "file", "sub"):
        log.path("path_rename", 3, path=path, after=(3, *moved))
    log.path("path_filestat_set_times", 3, 0, path="sub", after=(5, 6, 5))
    for fd in (0, 9):
        log.path("path_unlink_file", fd, path="x")


def appending(log: Log) -> None:
    log.guest.write(200, b"abcdef")
    one = log.guest.vector((200, 6))
    log.path("path_open", 3, 1, path="file", after=(0, READ | WRITE | 1 << 5, 0, 1, 0), size=4)
    for at in (0, 3, 99):
        log.call("fd_pwrite", 4, *one, at, 16, at=16, size=4)
        log.call("fd_tell", 4, 24, at=24, size=8)
    log.call("fd_pread", 4, *log.guest.vector((400, 99)), 0, 16, at=400, size=40)
    log.call("fd_fdstat_set_flags", 4, 0)
    log.call("fd_pwrite", 4, *one, 1, 16, at=16, size=4)
    log.call("fd_pread", 4, *log.guest.vector((400, 99)), 0, 16, at=400, size=40)
    log.path("path_open", 3, 1, path="file", after=(0, READ, 0, 0, 0), size=4)
    for size in (0, 5, 100):
        log.call("fd_filestat_set_size", 5, size)
    for path in ("file/", "link/", "sub/", "none/"):
        log.path("path_readlink", 3, path=path, after=(100, 100, 200), at=200, size=4)


def subscription(userdata: int, tag: int, subject: int, timeout: int = 0, flags: int = 0) -> bytes:
    return struct.pack("<QB7xI4xQ8xH6x", userdata, tag, subject, timeout, flags)


POLLED = [
    [subscription(7, 0, 1, 1000)],
    [subscription(7, 0, 0, 1000)],
    [subscription(7, 0, 0, 1000, 1)],
    [subscription(1, 0, 1, 10**12), subscription(2, 2, 1)],
    [subscription(1, 0, 1, 10**12), subscription(3, 1, 0)],
    *([subscription(3, tag, fd)] for tag in (1, 2) for fd in (0, 1, 3, 99)),
    [subscription(3, 0, 2, 5)],
]


def polling(log: Log) -> None:
    for asked in POLLED:
        log.guest.write(4096, b"".join(asked))
        log.guest.write(8192, bytes(64))
        log.call("poll_oneoff", 4096, 8192, len(asked), 16, at=16, size=4)
        log.lines.append((log.guest.read(8192, 32 * len(asked)),))
    log.call("poll_oneoff", 0, 0, 0, 16)


def listing(log: Log) -> None:
    log.path("path_open", 3, 0, path="sub", after=(2, READ, 0, 0, 0), size=4)
    log.call("fd_fdstat_get", 4, 0, size=4)
    log.call("fd_fdstat_get", 4, 0, at=8, size=16)
    for size, cookie in ((100, 0), (30, 0), (100, 1), (100, 2), (100, 9), (10, 0)):
        log.call("fd_readdir", 4, 400, size, cookie, 200, at=200, size=4)
    log.call("fd_prestat_get", 4, 0)


@pytest.mark.parametrize("program", [descriptors, streams, files, appending, paths, polling, listing])
def test_both_answer_alike(program: Callable[[Log], None], tmp_path: Path) -> None:
    logs = []
    for name, make in (("theirs", theirs), ("ours", ours)):
        (tmp_path / name).mkdir()
        with make(prepared(tmp_path / name)) as guest:
            log = Log(guest)
            program(log)
        tree = sorted((str(p.relative_to(tmp_path / name)), p.is_dir()) for p in (tmp_path / name).rglob("*"))
        logs.append([*log.lines, (tree, (tmp_path / name / "output").read_bytes())])
    assert len(logs[0]) > 5
    different = [(expected, found) for expected, found in zip(*logs, strict=True) if found != expected]
    assert different == []
