"""`/proc`, device files, FIFOs and sockets: nothing but regular files and directories is opened, and nothing blocks."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.wasi_filesystem.worlds import (
    BOTH,
    CREATE,
    DIRECTORY,
    INSIDE,
    READ,
    TRUNCATE,
    WRITE,
    World,
    names,
    read_all,
    refusal,
)
from wippywasm.errors import InvalidError
from wippywasm.wasi.filesystem import Mounts
from wippywasm.wasi.filesystem.directory import OpenDirectory
from wippywasm.wasi.filesystem.host_folder import HostFolder

OPENINGS = [READ, WRITE, BOTH, CREATE, TRUNCATE]
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def preopen(path: str | Path) -> OpenDirectory:
    ((root, _),) = Mounts({"/": path}).preopens()
    return root


@pytest.mark.parametrize("how", OPENINGS)
def test_fifos_are_refused_at_once(folder_world: World, how: object) -> None:
    assert folder_world.folder is not None
    os.mkfifo(folder_world.folder / "fifo")
    began = time.monotonic()
    assert refusal(folder_world.root.open_at, "fifo", how, follow=True) == "not-permitted"
    assert refusal(folder_world.root.open_at, "fifo/", how, follow=True) in ("not-directory", "is-directory")
    assert time.monotonic() - began < 5
    assert folder_world.root.stat_at("fifo", follow=True).kind == "fifo"


def test_sockets_are_refused(folder_world: World) -> None:
    assert folder_world.folder is not None
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder_world.folder)  # their paths must be short
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        assert refusal(folder_world.root.open_at, "socket", READ, follow=True) == "not-permitted"
        assert folder_world.root.stat_at("socket", follow=True).kind == "socket"


@pytest.mark.parametrize("how", OPENINGS)
def test_device_files_are_refused(how: object) -> None:
    root = preopen("/dev")
    for name in ("null", "zero", "tty"):
        assert refusal(root.open_at, name, how, follow=True) == "not-permitted"
    assert root.stat_at("null", follow=True).kind == "character-device"
    root.close()


def test_a_name_that_becomes_a_fifo_blocks_nobody(folder_world: World) -> None:
    """What was a file when it was looked at, and is a FIFO when it is opened."""
    assert folder_world.folder is not None
    stop = threading.Event()
    thread = threading.Thread(target=_swap_for_fifo, args=(folder_world.folder, stop))
    thread.start()
    deadline = time.monotonic() + 0.5
    try:
        while time.monotonic() < deadline:
            try:
                assert read_all(folder_world.root, "file.txt") == INSIDE
            except Exception as error:
                if getattr(error, "code", None) not in ("not-permitted", "no-entry"):
                    raise
    finally:
        stop.set()
        thread.join()


def _swap_for_fifo(folder: Path, stop: threading.Event) -> None:
    file, fifo, aside = folder / "file.txt", folder / "fifo", folder / "aside"
    while not stop.is_set():
        os.mkfifo(fifo)
        file.rename(aside)
        fifo.rename(file)
        file.unlink()
        aside.rename(file)


@pytest.mark.parametrize("how", OPENINGS)
def test_what_is_swapped_after_the_look_is_refused_after_opening(
    folder_world: World, monkeypatch: pytest.MonkeyPatch, how: object
) -> None:
    """The race above, always lost: everything looks like a file. Were it opened to wait, this would hang."""
    assert folder_world.folder is not None
    os.mkfifo(folder_world.folder / "fifo")
    monkeypatch.setattr(HostFolder, "_kind", lambda self, name: "regular-file")
    assert refusal(folder_world.root.open_at, "fifo", how, follow=True) in ("not-permitted", "no-such-device")
    assert refusal(folder_world.root.open_at, "dir", READ, follow=True) == "not-permitted"
    assert refusal(folder_world.root.open_at, "up_file", how, follow=False) == "loop"
    devices = preopen("/dev")
    assert refusal(devices.open_at, "null", how, follow=True) == "not-permitted"
    devices.close()


# ---- /proc


@needs_linux
@pytest.mark.parametrize("path", ["/proc", "/proc/self", "/proc/self/fd", "/proc/self/root/proc", "/sys"])
def test_the_kernels_file_systems_can_not_be_mounted(path: str) -> None:
    with pytest.raises(InvalidError, match="belongs to the kernel"):
        Mounts({"/": path})


@needs_linux
def test_a_mount_of_everything_has_no_proc(tmp_path: Path) -> None:
    """Even where a mount has them inside: neither through names nor through magic links, and not for listing."""
    root = preopen("/")
    for path in ("proc/self/mem", "proc/self/environ", "proc/1/root/etc/passwd", "sys/kernel", "proc/sys/kernel"):
        for how in (READ, BOTH):
            assert refusal(root.open_at, path, how, follow=True) == "not-permitted"
    for path in ("proc", "proc/", "proc/.", "sys"):
        assert refusal(root.open_at, path, DIRECTORY, follow=True) == "not-permitted"
    assert refusal(root.stat_at, "proc/self/exe", follow=True) == "not-permitted"
    assert "proc" in names(root)
    root.close()


@needs_linux
def test_magic_links_are_not_followed(folder_world: World) -> None:
    """A link to one is a link like any other: absolute, or not there."""
    assert folder_world.folder is not None
    depth = len(folder_world.folder.parts) - 1
    fd = os.open(folder_world.outside / "secret.txt", os.O_RDONLY)
    try:
        (folder_world.folder / "magic").symlink_to(f"/proc/self/fd/{fd}")
        (folder_world.folder / "crooked").symlink_to("../" * depth + f"proc/self/fd/{fd}")
        (folder_world.folder / "pipe").symlink_to("pipe:[1]")
        for link in ("magic", "crooked"):
            assert refusal(folder_world.root.open_at, link, READ, follow=True) == "not-permitted"
        assert refusal(folder_world.root.open_at, "pipe", READ, follow=True) == "no-entry"
    finally:
        os.close(fd)
