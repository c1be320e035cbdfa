"""Mounts: what can be mounted, where, and how much a guest may have open, read at once and keep in memory."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path
from typing import Any

import pytest

from tests.wasi_filesystem.worlds import INSIDE, World, code, new, settled
from wippywasm.errors import InvalidError, UnsupportedFeatureError, WitError
from wippywasm.wasi.filesystem import HostDirectory, MemoryDirectory, Mounts, mounts_from
from wippywasm.wasi.filesystem.descriptor import Descriptor
from wippywasm.wasi.filesystem.facts import MAX_IO_BYTES
from wippywasm.wasi.filesystem.interfaces import Preopens

BOTH = {"read", "write"}
FOLLOW = {"symlink-follow"}


# ---- quotas


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_handles_are_counted_and_given_back(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(INSIDE)
    source = tmp_path if kind == "folder" else MemoryDirectory({"a": INSIDE})
    mounts = Mounts({"/": source}, max_handles=4)
    ((directory, _),) = mounts.preopens()
    root = Descriptor(directory)
    for _ in range(3):
        held = [root.open_at(set(), "a", set(), {"read"}), root.open_at(set(), ".", set(), {"read"})]
        held_others = [root.read_directory(), held[0].read_via_stream(0)]
        for operation in (
            lambda: root.open_at(set(), "a", set(), {"read"}),
            lambda: root.read_directory(),
            lambda held=held: held[0].read_via_stream(0),
        ):
            assert code(operation) == "quota"
        for resource in (*held, *held_others):
            resource.close()
            resource.close()
    assert code(root.open_at, set(), "missing", set(), {"read"}) == "no-entry"


def test_mounts_cost_nothing_however_many_guests_have_them(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(INSIDE)
    mounts = Mounts({"/": tmp_path}, max_handles=1)
    gc.collect()
    before = len(os.listdir("/dev/fd"))
    directories = [directory for _ in range(1000) for directory, _ in mounts.preopens()]
    assert len(os.listdir("/dev/fd")) == before
    mounts.close()
    for directory in directories[:-1]:
        directory.close()
        directory.close()
    last = Descriptor(directories[-1])
    last.open_at(set(), "a", set(), {"read"}).drop()
    last.drop()
    assert code(last.stat) == "bad-descriptor"
    assert len(os.listdir("/dev/fd")) == before - 1


def test_no_descriptor_of_the_system_is_left_open(folder_world: World) -> None:
    gc.collect()
    before = len(os.listdir("/dev/fd"))
    root = Descriptor(folder_world.root)
    for path in ("dir/nested/deep.txt", "dir/../dir/nested", "nothing/x", "up/x", "loop", "file.txt/x", "../x", "dir/"):
        for flags in ({"read"}, {"write"}):
            try:
                root.open_at(FOLLOW, path, set(), flags).close()
            except WitError:
                pass
    assert len(os.listdir("/dev/fd")) == before


def test_reads_and_writes_are_bounded(root: Descriptor) -> None:
    file = new(root)
    size = MAX_IO_BYTES + 10
    file.set_size(size)
    data, at_end = asyncio.run(settled(file.read(2**64 - 1, 0)))
    assert (len(data), at_end) == (MAX_IO_BYTES, False)
    assert asyncio.run(settled(file.write(bytes(size), 0))) == MAX_IO_BYTES
    file.close()


def test_trees_in_memory_are_bounded() -> None:
    tree = MemoryDirectory({"a": b"12345"}, max_bytes=10, max_nodes=4)
    ((directory, _),) = Mounts({"/": tree}).preopens()
    root = Descriptor(directory)
    file = root.open_at(set(), "a", set(), BOTH)
    assert code(file.write, b"123456", 5) == "insufficient-space"
    assert code(file.set_size, 2**63) == "insufficient-space"
    file.write(b"54321", 5)
    root.create_directory_at("d")
    root.unlink_file_at("a")
    assert code(new(root, "b").write, b"x", 0) == "insufficient-space"
    file.close()
    assert root.open_at(set(), "b", set(), BOTH).write(b"1234567890", 0) == 10
    root.create_directory_at("e")
    assert code(root.create_directory_at, "f") == "insufficient-space"
    root.remove_directory_at("e")
    root.create_directory_at("f")
    assert tree.tree() == {"b": b"1234567890", "d": {}, "f": {}}


def test_every_name_in_a_tree_in_memory_counts() -> None:
    ((directory, _),) = Mounts({"/": MemoryDirectory({"a": b"1", "d": {}}, max_nodes=5)}).preopens()
    root = Descriptor(directory)
    for name in ("b", "d/c"):
        root.link_at(set(), "a", root, name)
    assert code(root.link_at, set(), "a", root, "e") == "insufficient-space"
    assert code(root.create_directory_at, "e") == "insufficient-space"
    root.unlink_file_at("a")
    root.create_directory_at("e")
    assert code(root.link_at, set(), "b", root, "a") == "insufficient-space"
    root.unlink_file_at("b")
    root.unlink_file_at("d/c")
    for name in ("f", "g"):
        root.create_directory_at(name)
    assert code(root.create_directory_at, "h") == "insufficient-space"


# ---- mounts


def test_preopens_are_new_at_each_call(tmp_path: Path) -> None:
    preopens = Preopens(Mounts({"/data/": tmp_path, "/m": MemoryDirectory({}, read_only=True)}))
    first, second = preopens.get_directories(), preopens.get_directories()
    assert [guest for _, guest in first] == ["/data", "/m"]
    first[0][0].close()
    assert second[0][0].stat()["type"] == "directory"
    assert second[1][0].get_flags() == {"read"}
    for descriptor, _ in (*first, *second):
        descriptor.close()


@pytest.mark.parametrize("guest", ["", "data", "./data", "/../data", "/a/./b"])
def test_guest_paths_are_absolute_and_plain(tmp_path: Path, guest: str) -> None:
    with pytest.raises(InvalidError, match="absolute"):
        Mounts({guest: tmp_path})


@pytest.mark.parametrize("guest", ["/a\0", "/a\ud800", 1])
def test_guest_paths_are_texts(tmp_path: Path, guest: Any) -> None:
    with pytest.raises(InvalidError, match="guest path must be a text"):
        Mounts({guest: tmp_path})


def test_what_can_not_be_mounted(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path, why in (("missing", "there is no such folder"), ("file", "it is not a folder")):
        with pytest.raises(InvalidError, match=why):
            Mounts({"/ok": tmp_path, "/x": tmp_path / path})
    with pytest.raises(InvalidError, match="not int"):
        Mounts({"/x": 5})  # type: ignore[dict-item]
    with pytest.raises(InvalidError, match="two mounts"):
        Mounts({"/x": tmp_path, "/x/": tmp_path})
    with pytest.raises(InvalidError, match="no file can be called"):
        MemoryDirectory({"a": {"../b": b""}})


def test_systems_that_can_not_keep_a_guest_inside_have_mounts_in_memory_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_NOFOLLOW")
    with pytest.raises(UnsupportedFeatureError, match="MemoryDirectory"):
        Mounts({"/x": tmp_path})
    Mounts({"/x": MemoryDirectory({})}).close()


def test_mounts_of_an_entry(tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = [
        {"fs": "app:data", "guest": "/data"},
        {"fs": "app:etc", "guest": "/etc", "read_only": True},
    ]
    found = mounts_from(entries, lambda id: tmp_path / id.partition(":")[2])
    assert found == {"/data": HostDirectory(tmp_path / "data"), "/etc": HostDirectory(tmp_path / "etc", True)}
    with pytest.raises(InvalidError, match="two mounts"):
        mounts_from([*entries, {"fs": "app:x", "guest": "/etc/"}], lambda id: tmp_path)
