"""Preview 1 as programs see it: numbers, memory, files, polling; and what a bad pointer does."""

from __future__ import annotations

import contextlib
import os
import random
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wasi.conftest import Load
from tests.wasi.wasi_guests import Raw, preview1_module
from wippywasm.errors import GuestExit, LinkError, PermissionDeniedError, Trap
from wippywasm.wasi import Capture, FakeClock, HostDirectory, MemoryDirectory, Wasi
from wippywasm.wasi.preview1.codes import ERRNO
from wippywasm.wasi.preview1.signatures import SIGNATURES

Start = Callable[..., Raw]
OK = 0


@pytest.fixture
def start(load: Load) -> Iterator[Start]:
    """Starts a guest that can do nothing but call preview 1."""
    guests: list[Any] = []

    def start(**options: Any) -> Raw:
        wasi = Wasi(**{"stdout": None, "stderr": None, **options})
        guests.append(load(preview1_module()).instantiate(wasi.imports(["wasi1"])))
        return Raw(guests[-1].call)

    yield start
    for guest in guests:
        guest.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("hello world")
    (tmp_path / "sub").mkdir()
    return tmp_path


def opened(guest: Raw, path: str, *, rights: int = 2 | 64, oflags: int = 0, fdflags: int = 0) -> int:
    assert guest.call("path_open", 3, 0, *guest.path(path), oflags, rights, 0, fdflags, 0) == OK
    return guest.u32(0)


# ---- what a program starts with


def test_arguments_and_environment(start: Start) -> None:
    guest = start(args=["prog", "grüße", ""], env={"A": "1", "B": "x=y"})
    assert guest.call("args_sizes_get", 0, 4) == OK
    assert (guest.u32(0), guest.u32(4)) == (3, 5 + 8 + 1)
    assert guest.call("args_get", 16, 100) == OK
    assert [guest.u32(16 + 4 * i) for i in range(3)] == [100, 105, 113]
    assert guest.read(100, 14) == "prog\0grüße\0\0".encode()
    assert guest.call("environ_sizes_get", 0, 4) == OK
    assert (guest.u32(0), guest.u32(4)) == (2, 4 + 6)
    assert guest.call("environ_get", 16, 200) == OK
    assert guest.read(guest.u32(20), 6) == b"B=x=y\0"


def test_clocks_and_random(start: Start) -> None:
    guest = start(clock=FakeClock(monotonic=5, wall=2**60), random=9)
    for id, now in ((0, 2**60), (1, 5)):
        assert guest.call("clock_time_get", id, 1, 8) == OK
        assert guest.u64(8) == now
        assert guest.call("clock_res_get", id, 8) == OK
        assert guest.u64(8) == 1
    assert guest.call("clock_time_get", 2, 1, 8) == ERRNO["badf"]
    assert guest.call("clock_res_get", 77, 8) == ERRNO["inval"]
    assert guest.call("random_get", 8, 20) == OK
    assert guest.read(8, 20) == random.Random(9).randbytes(20)
    guest.call("memory_grow", 300)
    assert guest.call("random_get", 8, (1 << 24) + 1) == ERRNO["inval"]


@pytest.mark.parametrize("code", [0, 1, 77, -1])
def test_exit_codes(start: Start, code: int) -> None:
    with pytest.raises(GuestExit) as ended:
        start().call("proc_exit", code)
    assert ended.value.code == code & 0xFFFF_FFFF


def test_what_is_not_there(start: Start) -> None:
    guest = start()
    assert guest.call("proc_raise", 9) == ERRNO["notsup"]
    assert guest.call("sched_yield") == OK
    assert guest.call("sock_accept", 0, 0, 0) == ERRNO["notsock"]
    assert guest.call("sock_recv", 1, 0, 0, 0, 0, 0) == ERRNO["notsock"]
    assert guest.call("sock_send", 2, 0, 0, 0, 0) == ERRNO["notsock"]
    assert guest.call("sock_shutdown", 3, 0) == ERRNO["badf"]


# ---- streams


def test_standard_streams(start: Start) -> None:
    out, err = Capture(), Capture()
    guest = start(stdin=b"some input", stdout=out, stderr=err)
    assert guest.call("fd_read", 0, *guest.vector((100, 4), (200, 2)), 16) == OK
    assert (guest.u32(16), guest.read(100, 4), guest.read(200, 2)) == (6, b"some", b" i")
    assert guest.call("fd_read", 0, *guest.vector((100, 100)), 16) == OK
    assert guest.u32(16) == 4
    assert guest.call("fd_read", 0, *guest.vector((100, 100)), 16) == OK
    assert guest.u32(16) == 0
    guest.write(300, b"outerr")
    assert guest.call("fd_write", 1, *guest.vector((300, 3)), 16) == OK
    assert guest.call("fd_write", 2, *guest.vector((303, 2), (0, 0), (305, 1)), 16) == OK
    assert (out.data, err.data, guest.u32(16)) == (b"out", b"err", 3)


def test_a_closed_stream_is_gone(start: Start) -> None:
    guest = start()
    assert guest.call("fd_close", 1) == OK
    assert guest.call("fd_close", 1) == ERRNO["badf"]
    assert guest.call("fd_write", 1, 0, 0, 16) == ERRNO["badf"]


def test_output_that_fails_is_an_error_and_no_trap(start: Start) -> None:
    guest = start(stdout=Capture(limit=4))
    guest.write(300, b"123456")
    assert guest.call("fd_write", 1, *guest.vector((300, 4)), 16) == OK
    assert guest.call("fd_write", 1, *guest.vector((300, 1)), 16) == ERRNO["nospc"]


def test_reading_waits_for_a_pipe(start: Start) -> None:
    r, w = os.pipe()
    try:
        with open(r, "rb", buffering=0) as file:
            guest = start(stdin=file)
            threading.Timer(0.02, os.write, (w, b"abc")).start()
            assert guest.call("fd_read", 0, *guest.vector((100, 100)), 16) == OK
            assert guest.read(100, guest.u32(16)) == b"abc"
    finally:
        os.close(w)


# ---- files


def test_a_file_from_open_to_close(start: Start, folder: Path) -> None:
    guest = start(mounts={"/data": folder})
    assert guest.call("fd_prestat_get", 3, 0) == OK
    assert (guest.u32(0), guest.u32(4)) == (0, 5)
    assert guest.call("fd_prestat_dir_name", 3, 0, 5) == OK
    assert guest.read(0, 5) == b"/data"
    assert guest.call("fd_prestat_dir_name", 3, 0, 4) == ERRNO["nametoolong"]
    fd = opened(guest, "file")
    assert fd == 4
    assert guest.call("fd_read", fd, *guest.vector((100, 4), (200, 3)), 16) == OK
    assert (guest.read(100, 4), guest.read(200, 3), guest.u32(16)) == (b"hell", b"o w", 7)
    assert guest.call("fd_tell", fd, 8) == OK
    assert guest.u64(8) == 7
    assert guest.call("fd_seek", fd, -1, 2, 8) == OK
    guest.write(300, b"D!")
    assert guest.call("fd_write", fd, *guest.vector((300, 2)), 16) == OK
    assert guest.call("fd_pwrite", fd, *guest.vector((300, 1)), 0, 16) == OK
    assert guest.call("fd_pread", fd, *guest.vector((400, 99)), 6, 16) == OK
    assert guest.read(400, guest.u32(16)) == b"worlD!"
    assert guest.call("fd_sync", fd) == guest.call("fd_datasync", fd) == OK
    assert guest.call("fd_close", fd) == OK
    assert (folder / "file").read_text() == "Dello worlD!"


def test_positions(start: Start, folder: Path) -> None:
    guest = start(mounts={"/d": folder})
    fd = opened(guest, "file")
    assert guest.call("fd_seek", fd, -1, 0, 8) == ERRNO["inval"]
    assert guest.call("fd_seek", fd, 2**63 - 1, 0, 8) == OK
    assert guest.call("fd_seek", fd, 1, 1, 8) == ERRNO["inval"]
    assert guest.call("fd_seek", fd, 0, 9, 8) == ERRNO["inval"]
    assert guest.call("fd_seek", 0, 0, 0, 8) == guest.call("fd_tell", 1, 8) == ERRNO["spipe"]
    assert guest.call("fd_seek", 3, 0, 0, 8) == ERRNO["badf"]
    assert guest.call("fd_pread", 0, 40, 1, 0, 8) == guest.call("fd_pwrite", 1, 40, 1, 0, 8) == ERRNO["spipe"]


def test_appending(start: Start, folder: Path) -> None:
    guest = start(mounts={"/d": folder})
    fd = opened(guest, "file", fdflags=1)
    guest.write(300, b"++")
    assert guest.call("fd_write", fd, *guest.vector((300, 2)), 16) == OK
    assert guest.call("fd_tell", fd, 8) == OK
    assert guest.u64(8) == 13
    assert guest.call("fd_fdstat_set_flags", fd, 0) == OK
    assert guest.call("fd_seek", fd, 0, 0, 8) == OK
    assert guest.call("fd_write", fd, *guest.vector((300, 1)), 16) == OK
    assert (folder / "file").read_text() == "+ello world++"
    assert guest.call("fd_fdstat_set_flags", fd, 16) == ERRNO["inval"]


def test_stat_and_times(start: Start, folder: Path) -> None:
    guest = start(mounts={"/d": folder})
    fd = opened(guest, "file")
    assert guest.call("fd_filestat_set_times", fd, 1_000, 2_000, 1 | 4) == OK
    assert guest.call("fd_filestat_set_times", fd, 1_000, 2_000, 1 | 2) == ERRNO["inval"]
    assert guest.call("fd_filestat_get", fd, 0) == OK
    _, inode, kind, links, size, accessed, modified, _ = struct.unpack("<QQB7xQQQQQ", guest.read(0, 64))
    assert (kind, links, size, accessed, modified) == (4, 1, 11, 1_000, 2_000)
    assert inode == (folder / "file").stat().st_ino
    assert guest.call("fd_filestat_set_size", fd, 3) == OK
    assert guest.call("path_filestat_get", 3, 0, *guest.path("file"), 0) == OK
    assert guest.u64(32) == 3
    assert guest.call("path_filestat_set_times", 3, 0, *guest.path("file"), 0, 7_000, 4) == OK
    assert (folder / "file").stat().st_mtime_ns == 7_000
    assert guest.call("fd_advise", fd, 0, 0, 3) == OK
    assert guest.call("fd_advise", fd, 0, 0, 6) == ERRNO["inval"]
    assert guest.call("fd_allocate", fd, 0, 100) == ERRNO["notsup"]


def test_paths(start: Start, folder: Path) -> None:
    guest = start(mounts={"/d": folder})
    assert guest.call("path_create_directory", 3, *guest.path("new")) == OK
    assert guest.call("path_create_directory", 3, *guest.path("new")) == ERRNO["exist"]
    assert guest.call("path_rename", 3, *guest.path("file"), 3, *guest.path("new/moved", 2000)) == OK
    assert guest.call("path_link", 3, 0, *guest.path("new/moved"), 3, *guest.path("other", 2000)) == OK
    assert guest.call("path_link", 3, 1, *guest.path("other"), 3, *guest.path("third", 2000)) == ERRNO["inval"]
    assert guest.call("path_symlink", *guest.path("other"), 3, *guest.path("link", 2000)) == OK
    assert guest.call("path_readlink", 3, *guest.path("link"), 100, 3, 8) == OK
    assert (guest.read(100, 3), guest.u32(8)) == (b"oth", 3)
    assert guest.call("path_open", 3, 0, *guest.path("link"), 0, 2, 0, 0, 0) == ERRNO["loop"]
    assert guest.call("path_open", 3, 1, *guest.path("link"), 0, 2, 0, 0, 0) == OK
    assert guest.call("path_unlink_file", 3, *guest.path("other")) == OK
    assert guest.call("path_unlink_file", 3, *guest.path("new")) == ERRNO["isdir"]
    assert guest.call("path_remove_directory", 3, *guest.path("new")) == ERRNO["notempty"]
    assert guest.call("path_open", 3, 0, *guest.path("../x"), 0, 2, 0, 0, 0) == ERRNO["perm"]
    assert guest.call("path_open", 3, 0, *guest.path(b"\xff"), 0, 2, 0, 0, 0) == ERRNO["ilseq"]
    assert guest.call("path_open", 3, 0, *guest.path("x"), 16, 2, 0, 0, 0) == ERRNO["inval"]
    assert guest.call("path_open", 0, 0, *guest.path("x"), 0, 2, 0, 0, 0) == ERRNO["badf"]
    assert sorted(p.name for p in folder.iterdir()) == ["link", "new", "sub"]


def test_nothing_changes_in_a_read_only_mount(start: Start, folder: Path) -> None:
    guest = start(mounts={"/d": HostDirectory(folder, read_only=True)})
    assert guest.call("path_open", 3, 0, *guest.path("file"), 0, 64, 0, 0, 0) == ERRNO["rofs"]
    assert guest.call("path_unlink_file", 3, *guest.path("file")) == ERRNO["rofs"]


def entries(data: bytes) -> list[tuple[int, str]]:
    found, at = [], 0
    while at + 24 <= len(data):
        following, _, length, _ = struct.unpack_from("<QQIB", data, at)
        name = data[at + 24 : at + 24 + length]
        if len(name) == length:
            found.append((following, name.decode()))
        at += 24 + length
    return found


@pytest.mark.parametrize("size", [40, 64, 200, 4096])
def test_listing_by_cookies(start: Start, folder: Path, size: int) -> None:
    names = {"file", "sub", *(f"entry-{i:03}" for i in range(30))}
    for name in names - {"file", "sub"}:
        (folder / name).touch()
    guest = start(mounts={"/d": folder})
    found, cookie = list[str](), 0
    while True:
        assert guest.call("fd_readdir", 3, 4096, size, cookie, 8) == OK
        used = guest.u32(8)
        part = entries(guest.read(4096, used))
        found += [name for _, name in part]
        cookie = part[-1][0] if part else cookie
        if used < size:
            break
    assert sorted(found) == sorted([*names, ".", ".."])
    assert guest.call("fd_readdir", 3, 4096, size, 1, 8) == OK
    assert entries(guest.read(4096, guest.u32(8)))[0] == (2, "..")


def test_a_large_directory_is_read_beside_the_event_loop(start: Start, folder: Path) -> None:
    for i in range(20):
        (folder / f"{i:02}{'x' * 200}").touch()
    guest = start(mounts={"/d": folder})
    assert guest.call("memory_grow", 4) == 2
    assert guest.call("fd_readdir", 3, 0x20000, 0x40000, 0, 8) == OK
    assert len(entries(guest.read(0x20000, guest.u32(8)))) == 24
    assert guest.call("fd_readdir", 3, 4096, 100, -1, 8) == OK
    assert guest.u32(8) == 0


def test_renumbering(start: Start, folder: Path) -> None:
    guest = start(mounts={"/d": folder})
    first, second = opened(guest, "file"), opened(guest, "file")
    assert guest.call("fd_seek", first, 3, 0, 8) == OK
    assert guest.call("fd_renumber", first, 99) == ERRNO["badf"]
    assert guest.call("fd_renumber", first, second) == OK
    assert guest.call("fd_tell", first, 8) == ERRNO["badf"]
    assert guest.call("fd_tell", second, 8) == OK
    assert guest.u64(8) == 3
    assert opened(guest, "file") == first


def test_descriptors_run_out(start: Start) -> None:
    guest = start(mounts={"/m": MemoryDirectory()})
    opened(guest, "f", oflags=1)
    codes = {guest.call("path_open", 3, 0, *guest.path("f"), 0, 2, 0, 0, 0) for _ in range(5000)}
    assert len(codes) == 2
    assert codes <= {OK, ERRNO["nfile"], ERRNO["dquot"]}


# ---- polling


def subscription(userdata: int, tag: int, subject: int, timeout: int = 0, flags: int = 0) -> bytes:
    return struct.pack("<QB7xI4xQ8xH6x", userdata, tag, subject, timeout, flags)


def polled(guest: Raw, *subscriptions: bytes) -> list[tuple[int, int, int, int]]:
    guest.write(4096, b"".join(subscriptions))
    assert guest.call("poll_oneoff", 4096, 8192, len(subscriptions), 16) == OK
    count = guest.u32(16)
    return [struct.unpack("<QHB5xQ8x", guest.read(8192 + 32 * i, 32)) for i in range(count)]


def test_polling_clocks(start: Start) -> None:
    clock = FakeClock(monotonic=1_000, wall=10**18)
    guest = start(clock=clock)
    assert polled(guest, subscription(7, 0, 1, 500), subscription(8, 0, 1, 900)) == [(7, 0, 0, 0)]
    assert clock.monotonic() == 1_500
    assert polled(guest, subscription(1, 0, 0, 10**18 + 5_000, 1)) == [(1, 0, 0, 0)]
    assert clock.wall() == 10**18 + 5_000
    assert polled(guest, subscription(2, 0, 1, 0, 1), subscription(3, 0, 0, 3, 1)) == [(2, 0, 0, 0), (3, 0, 0, 0)]


def test_polling_streams_and_files(start: Start, folder: Path) -> None:
    guest = start(mounts={"/d": folder}, stdin=b"x")
    fd = opened(guest, "file")
    sleep = subscription(1, 0, 1, 10**15)
    assert polled(guest, sleep, subscription(2, 1, 0), subscription(3, 2, 1)) == [(2, 0, 1, 1), (3, 0, 2, 1)]
    assert polled(guest, subscription(4, 1, fd)) == [(4, 0, 1, 11)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (subscription(1, 1, 1), "badf"),
        (subscription(1, 2, 0), "badf"),
        (subscription(1, 1, 3), "badf"),
        (subscription(1, 3, 0), "inval"),
        (subscription(1, 0, 2), "inval"),
        (subscription(1, 0, 1, 0, 2), "inval"),
    ],
)
def test_polling_what_can_not_be_waited_for(start: Start, wrong: bytes, code: str) -> None:
    guest = start()
    guest.write(4096, wrong)
    assert guest.call("poll_oneoff", 4096, 8192, 1, 16) == ERRNO[code]
    assert guest.call("poll_oneoff", 4096, 8192, 0, 16) == ERRNO["inval"]
    assert guest.call("poll_oneoff", 4096, 8192, 5000, 16) == ERRNO["inval"]


# ---- hostile guests

BAD = 0x1FFF0  # sixteen bytes before the end of the memory


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("random_get", (BAD, 17)),
        ("random_get", (-1, -1)),
        ("random_get", (0, -1)),
        ("args_sizes_get", (0, BAD + 16)),
        ("args_sizes_get", (2, 4)),
        ("clock_time_get", (0, 0, -8)),
        ("clock_time_get", (0, 0, 4)),
        ("fd_fdstat_get", (0, BAD)),
        ("fd_filestat_get", (0, -64)),
        ("fd_read", (0, -8, 2, 16)),
        ("fd_read", (0, 0, 0x2000_0000, 16)),
        ("fd_read", (0, 0, -1, 16)),
        ("fd_read", (0, 41, 1, 16)),
        ("fd_write", (1, 0, 0, 0x2_0000)),
        ("fd_readdir", (3, BAD, 17, 0, 16)),
        ("path_open", (3, 0, -1, -1, 0, 2, 0, 0, 0)),
        ("path_readlink", (3, 0, 1, BAD, 0x7FFF_FFFF, 0)),
        ("poll_oneoff", (-48, 8192, 2, 16)),
        ("poll_oneoff", (4096, BAD, 1, 16)),
    ],
)
def test_pointers_outside_of_the_memory_trap(start: Start, name: str, args: tuple[int, ...]) -> None:
    with pytest.raises(Trap, match=r"outside of the memory|not aligned"):
        start(args=["x"]).call(name, *args)


def test_buffers_that_lie_outside_trap(start: Start) -> None:
    guest = start(stdin=b"abc")
    with pytest.raises(Trap, match="outside"):
        guest.call("fd_read", 0, *guest.vector((100, 1), (0xFFFF_FFFF, 2)), 16)


def test_lists_of_buffers_are_used_as_far_as_is_sensible(start: Start) -> None:
    guest = start(stdout=None)
    guest.write(40, struct.pack("<II", 0, 0x10000) * 1500)
    assert guest.call("fd_write", 1, 40, 1500, 16) == OK
    assert guest.u32(16) == 1 << 20


def test_numbers_that_are_no_descriptors(start: Start) -> None:
    guest = start()
    for name, type in SIGNATURES.items():
        if name.startswith("fd_") and name != "fd_renumber":
            args = [0x7000_0000 if i == 0 else 0 for i in range(len(type.params))]
            assert guest.call(name, *args) == ERRNO["badf"], name


# ---- linking


def test_a_module_that_declares_other_types_is_refused(load: Load) -> None:
    text = '(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64) (result i32))))'
    with pytest.raises(LinkError, match=r"fd_write' is declared as \(i64\) -> i32"):
        load(text).instantiate(wasi=Wasi())


def test_a_function_may_be_imported_twice(load: Load) -> None:
    """As Go's programs do."""
    text = """(module
      (import "wasi_snapshot_preview1" "sched_yield" (func $one (result i32)))
      (import "wasi_snapshot_preview1" "sched_yield" (func $two (result i32)))
      (func (export "go") (result i32) (i32.or (call $one) (call $two))))"""
    with load(text, wit="go: func() -> s32;").instantiate(Wasi().imports(["wasi1"])) as guest:
        assert guest.call("go") == OK


def test_a_module_without_memory_traps_when_it_needs_one(load: Load) -> None:
    text = """(module (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
      (func (export "f") (result i32) (call $r (i32.const 0) (i32.const 1))))"""
    with load(text).instantiate(wasi=Wasi()) as guest, pytest.raises(Trap, match="exports no memory"):
        guest.call("f")


def test_without_the_grant_all_of_it_is_denied(load: Load) -> None:
    with load(preview1_module()).instantiate(Wasi().imports(["wasi:cli", "wasi:io"]), undeclared="deny") as guest:
        with pytest.raises(PermissionDeniedError) as denied:
            guest.call("sched_yield")
        assert denied.value.details["grant"] == "wasi1"


def test_two_guests_have_descriptors_of_their_own(start: Start, folder: Path) -> None:
    first, second = (start(mounts={"/d": folder}) for _ in range(2))
    assert opened(first, "file") == opened(second, "file") == 4
    assert first.call("fd_close", 4) == OK
    assert second.call("fd_tell", 4, 8) == OK


def held(folder: Path) -> list[str]:
    """What this process has open in a folder; Linux tells."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return [path for path in found if path.startswith(str(folder))]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists what a process has open")
def test_a_guest_that_ends_leaves_nothing_open(load: Load, folder: Path) -> None:
    with Wasi(mounts={"/d": folder}) as wasi, load(preview1_module()).instantiate(wasi=wasi) as guest:
        raw = Raw(guest.call)
        for _ in range(20):
            opened(raw, "file")
        raw.call("fd_readdir", 3, 4096, 100, 0, 16)
        assert len(held(folder)) >= 20
    assert held(folder) == []
