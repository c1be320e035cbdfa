"""A real C program on files, as a preview 1 module and as a component, on each engine.

It is run beside wasmtime's own WASI, and prints the same.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from tests.wasi_filesystem.worlds import INSIDE, in_memory, plant, snapshot
from wippywasm import engine as engines
from wippywasm.errors import PermissionDeniedError
from wippywasm.instance.component import Component
from wippywasm.wasi import Capture, HostDirectory, MemoryDirectory, Wasi
from wippywasm.wasi.run import run_command

GUESTS = Path(__file__).resolve().parent.parent / "guests"
Program = Callable[..., str]

STEPS = [
    ["cat", "/file.txt"],
    ["cat", "/dir/../file.txt"],
    ["cat", "/within/deep.txt"],
    ["cat", "/dir/back"],
    ["list", "/dir"],
    ["write", "/new", "hello"],
    ["append", "/new", " world"],
    ["cat", "/new"],
    ["seek", "/new"],
    ["create", "/new", "x"],
    ["truncate", "/new", "3"],
    ["stat", "/new"],
    ["sync", "/new"],
    ["touch", "/new"],
    ["mkdir", "/made"],
    ["mkdir", "/made"],
    ["rename", "/new", "/made/moved"],
    ["link", "/made/moved", "/second"],
    ["rmdir", "/made"],
    ["unlink", "/made"],
    ["unlink", "/made/moved"],
    ["rmdir", "/made"],
    ["cat", "/second"],
    ["symlink", "second", "/to_second"],
    ["readlink", "/to_second"],
    ["lstat", "/to_second"],
    ["stat", "/to_second"],
    ["cat", "/missing"],
    ["cat", "/file.txt/x"],
    ["rename", "/dir", "/dir/nested/inner"],
    ["list", "/"],
    # and out of it
    ["cat", "/up/secret.txt"],
    ["cat", "/up_file"],
    ["cat", "/chain_0/secret.txt"],
    ["cat", "/absolute_file"],
    ["cat", "/absolute/secret.txt"],
    ["cat", "/../outside/secret.txt"],
    ["cat", "/dir/../../outside/secret.txt"],
    ["cat", "/within/over/secret.txt"],
    ["cat", "/loop"],
    ["write", "/up/new", "x"],
    ["write", "/up_file", "x"],
    ["write", "/../outside/new", "x"],
    ["truncate", "/up_file", "0"],
    ["mkdir", "/up/new"],
    ["unlink", "/up/secret.txt"],
    ["rmdir", "/up/dir"],
    ["rename", "/up/secret.txt", "/stolen"],
    ["rename", "/file.txt", "/up/stolen"],
    ["link", "/up/secret.txt", "/stolen"],
    ["link", "/file.txt", "/up/new"],
    ["symlink", "/etc/passwd", "/made"],
    ["readlink", "/absolute"],
    ["list", "/up"],
    ["list", "/.."],
    ["stat", "/up"],
    ["lstat", "/up"],
]


@pytest.fixture(params=["wasmer", "wasmtime"], scope="module")
def engine(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    info = next(info for info in engines.available() if info.name == name)
    if not info.usable:
        pytest.skip(info.why)
    return name


@pytest.fixture(params=["files.wasm", "files.component.wasm"], scope="module")
def guest(request: pytest.FixtureRequest, engine: str) -> Component:
    return wippywasm.load(GUESTS / request.param, engine=engine)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Path]:
    plant(tmp_path / "inside", tmp_path / "outside")
    before = snapshot(tmp_path / "outside")
    yield tmp_path / "inside"
    assert snapshot(tmp_path / "outside") == before


def program(guest: Component, mounts: Any) -> Program:
    """Runs it once for each call; what it printed."""

    def run(*arguments: str) -> str:
        out = Capture()
        assert run_command(guest, Wasi(args=["files", *arguments], stdout=out, mounts=mounts)) == 0
        return out.text.rstrip("\n")

    return run


def peers(folder: Path) -> Program:
    """The same program with wasmtime's own WASI."""
    wasmtime = pytest.importorskip("wasmtime", reason="the peer is wasmtime's own WASI")
    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, (GUESTS / "files.wasm").read_bytes())
    linker = wasmtime.Linker(engine)
    linker.define_wasi()

    def run(*arguments: str) -> str:
        out = folder.parent / "stdout"
        config = wasmtime.WasiConfig()
        config.argv = ["files", *arguments]
        config.stdout_file = str(out)
        config.preopen_dir(str(folder), "/")
        store = wasmtime.Store(engine)
        store.set_wasi(config)
        start = linker.instantiate(store, module).exports(store)["_start"]
        with contextlib.suppress(wasmtime.ExitTrap):
            start(store)
        return out.read_text().rstrip("\n")

    return run


def test_a_program_finds_what_it_finds_with_wasmtimes_own_wasi(guest: Component, inside: Path) -> None:
    twin = inside.parent / "twin"
    shutil.copytree(inside, twin / "inside", symlinks=True)
    shutil.copytree(inside.parent / "outside", twin / "outside")
    ours, theirs = program(guest, {"/": inside}), peers(twin / "inside")
    for step in STEPS:
        assert (step, ours(*step)) == (step, theirs(*step))


def test_a_tree_in_memory_is_no_different(guest: Component, inside: Path) -> None:
    on_disk = program(guest, {"/": inside})
    in_tree = program(guest, {"/": in_memory(inside.parent / "outside")})
    for step in STEPS:
        assert (step, in_tree(*step)) == (step, on_disk(*step))


@pytest.mark.parametrize(
    "step",
    [
        ["write", "/file.txt", "x"],
        ["write", "/new", "x"],
        ["append", "/file.txt", "x"],
        ["create", "/new", "x"],
        ["truncate", "/file.txt", "0"],
        ["mkdir", "/new"],
        ["rmdir", "/dir/sub"],
        ["unlink", "/file.txt"],
        ["rename", "/file.txt", "/new"],
        ["link", "/file.txt", "/new"],
        ["symlink", "file.txt", "/new"],
        ["touch", "/file.txt"],
    ],
)
def test_read_only_mounts(guest: Component, inside: Path, step: list[str]) -> None:
    before = snapshot(inside)
    run = program(guest, {"/": HostDirectory(inside, read_only=True)})
    assert run(*step) == "EROFS"
    assert run("cat", "/file.txt") == INSIDE.decode()
    assert snapshot(inside) == before


def test_several_mounts(guest: Component, inside: Path) -> None:
    tree = MemoryDirectory({"a.txt": "in memory"})
    run = program(guest, {"/disk": inside, "/mem": tree, "/disk/deeper": MemoryDirectory({"x": "y"})})
    assert run("cat", "/mem/a.txt") == "in memory"
    assert run("cat", "/disk/file.txt") == "inside"
    assert run("cat", "/disk/deeper/x") == "y"
    assert run("rename", "/mem/a.txt", "/disk/a.txt") == "EXDEV"
    assert run("link", "/disk/file.txt", "/mem/b.txt") == "EXDEV"
    assert run("write", "/mem/b.txt", "written") == "ok"
    assert tree.tree() == {"a.txt": b"in memory", "b.txt": b"written"}
    assert run("cat", "/elsewhere") in ("ENOENT", "EPERM", "ENOTCAPABLE")


def test_without_mounts_there_are_no_files(guest: Component) -> None:
    assert program(guest, {})("cat", "/etc/passwd") in ("ENOENT", "EBADF", "ENOTCAPABLE")


def test_without_a_grant_there_is_no_filesystem(engine: str, inside: Path) -> None:
    component = wippywasm.load(GUESTS / "files.component.wasm", engine=engine)
    wasi = Wasi(args=["files", "cat", "/file.txt"], stdout=None, mounts={"/": inside})
    with pytest.raises(PermissionDeniedError, match="wasi:filesystem"):
        run_command(component, wasi, ["wasi:io", "wasi:cli", "wasi:clocks"])
