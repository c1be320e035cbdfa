"""Files in preview 1: descriptors, positions, paths, listings; what is left open."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

import pytest

from tests.wasi.conftest import Load
from tests.wasi.wasi_guests import OK, Raw, Start, opened, preview1_module
from wippywasm.wasi import HostDirectory, MemoryDirectory, Wasi
from wippywasm.wasi.preview1.codes import ERRNO


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


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_what_is_appended_goes_to_the_end_whatever_the_offset(start: Start, folder: Path, kind: str) -> None:
    source = folder if kind == "folder" else MemoryDirectory({"file": "hello world"})
    guest = start(mounts={"/d": source})
    fd = opened(guest, "file", fdflags=1)
    guest.write(300, b"Q")
    assert guest.call("fd_pwrite", fd, *guest.vector((300, 1)), 0, 16) == OK
    assert (guest.u32(16), guest.call("fd_tell", fd, 8), guest.u64(8)) == (1, OK, 0)
    assert guest.call("fd_pread", fd, *guest.vector((400, 99)), 0, 16) == OK
    assert guest.read(400, guest.u32(16)) == b"hello worldQ"
    assert guest.call("fd_fdstat_set_flags", fd, 0) == OK
    assert guest.call("fd_pwrite", fd, *guest.vector((300, 1)), 0, 16) == OK
    assert guest.call("fd_pread", fd, *guest.vector((400, 99)), 0, 16) == OK
    assert guest.read(400, guest.u32(16)) == b"Qello worldQ"


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
