"""Read-only mounts: truncate, create, and every other way of changing something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.wasi_filesystem.worlds import INSIDE, READ, World, names, refusal, snapshot
from wippywasm.errors import WitError
from wippywasm.values import Variant
from wippywasm.wasi.filesystem.descriptor import Descriptor
from wippywasm.wasi.filesystem.file import OpenFile

FOLLOW = {"symlink-follow"}
NOW = Variant("now")


def at(path: str, open_flags: set[str], flags: set[str]) -> Callable[[Descriptor, Descriptor], Any]:
    return lambda d, f: d.open_at(FOLLOW, path, open_flags, flags)


CHANGES: dict[str, Callable[[Descriptor, Descriptor], Any]] = {
    "open-write": at("file.txt", set(), {"write"}),
    "open-read-write": at("file.txt", set(), {"read", "write"}),
    "open-mutate": at("dir", {"directory"}, {"read", "mutate-directory"}),
    "create": at("new", {"create"}, {"read"}),
    "create-existing": at("file.txt", {"create"}, {"read"}),
    "create-exclusive": at("new", {"create", "exclusive"}, {"write"}),
    "create-through-link": at("dangling", {"create"}, {"write"}),
    "truncate": at("file.txt", {"truncate"}, {"write"}),
    "truncate-read": at("file.txt", {"truncate"}, {"read"}),
    "truncate-through-link": at("to_file", {"truncate"}, set()),
    "set-size": lambda d, f: f.set_size(0),
    "set-size-grow": lambda d, f: f.set_size(100),
    "set-times": lambda d, f: f.set_times(NOW, NOW),
    "set-times-none": lambda d, f: f.set_times(Variant("no-change"), Variant("no-change")),
    "set-times-of-directory": lambda d, f: d.set_times(NOW, NOW),
    "set-times-at": lambda d, f: d.set_times_at(set(), "file.txt", NOW, NOW),
    "set-times-at-link": lambda d, f: d.set_times_at(FOLLOW, "to_file", NOW, NOW),
    "write": lambda d, f: f.write(b"x", 0),
    "write-nothing": lambda d, f: f.write(b"", 0),
    "write-via-stream": lambda d, f: f.write_via_stream(0),
    "append-via-stream": lambda d, f: f.append_via_stream(),
    "create-directory": lambda d, f: d.create_directory_at("new"),
    "remove-directory": lambda d, f: d.remove_directory_at("dir/sub"),
    "unlink": lambda d, f: d.unlink_file_at("file.txt"),
    "unlink-link": lambda d, f: d.unlink_file_at("to_file"),
    "rename": lambda d, f: d.rename_at("file.txt", d, "new"),
    "rename-onto-itself": lambda d, f: d.rename_at("file.txt", d, "file.txt"),
    "link": lambda d, f: d.link_at(set(), "file.txt", d, "new"),
    "symlink": lambda d, f: d.symlink_at("file.txt", "new"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_changes_in_a_read_only_mount(sealed: World, name: str) -> None:
    before = None if sealed.folder is None else snapshot(sealed.folder)
    listed = names(sealed.root)
    root = Descriptor(sealed.root)
    file = root.open_at(set(), "file.txt", set(), {"read"})
    with pytest.raises(WitError) as refused:
        CHANGES[name](root, file)
    assert refused.value.payload == "read-only"
    assert file.read(100, 0) == (INSIDE, True)
    assert names(sealed.root) == listed
    assert sealed.folder is None or snapshot(sealed.folder) == before
    file.close()


def test_what_may_be_done_there(sealed: World) -> None:
    """Reading; and to sync, which has nothing to wait for."""
    root = Descriptor(sealed.root)
    file = root.open_at(set(), "file.txt", set(), {"read"})
    assert file.sync() is None
    assert file.sync_data() is None
    assert root.sync() is None
    assert file.get_flags() == {"read"}
    assert root.get_flags() == {"read"}
    assert file.stat()["size"] == len(INSIDE)
    file.advise(0, 0, "sequential")
    file.close()


def test_descriptors_of_a_read_only_mount_change_nothing_elsewhere(sealed: World, tmp_path: Path) -> None:
    from wippywasm.wasi.filesystem import Mounts

    writable = tmp_path / "writable"
    writable.mkdir()
    (writable / "a").write_bytes(INSIDE)
    ((other, _),) = Mounts({"/w": writable}).preopens()
    for operation in (
        lambda: sealed.root.link_at("file.txt", other, "stolen"),
        lambda: sealed.root.rename_at("file.txt", other, "stolen"),
        lambda: other.rename_at("a", sealed.root, "put"),
        lambda: other.link_at("a", sealed.root, "put"),
    ):
        assert refusal(operation) == "cross-device"
    assert names(other) == ["a"]
    other.close()


def test_the_operating_system_would_refuse_as_well(tmp_path: Path) -> None:
    """The file is opened for reading only, so a rule that was forgotten above would still end here."""
    from tests.wasi_filesystem.worlds import make_world

    world = make_world(tmp_path, "folder", read_only=True)
    file = world.root.open_at("file.txt", READ, follow=True)
    assert isinstance(file, OpenFile)
    backend = file._file
    assert refusal(backend.write, b"x", 0) == "bad-descriptor"
    assert refusal(backend.append, b"x") == "bad-descriptor"
    assert refusal(backend.set_size, 0) in ("invalid", "bad-descriptor")
    file.close()
