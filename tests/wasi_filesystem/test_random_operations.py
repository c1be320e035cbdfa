"""Any operations with any paths, over a mount full of links: nothing outside is read or changed.

The same operations over the same tree in memory give the same answers, so the two kinds of mounts are held to one
behaviour, which is the operating system's.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.wasi_filesystem.worlds import LINKS, SECRET, World, make_world, memory_world, names, snapshot
from wippywasm.wasi.filesystem import FilesystemError
from wippywasm.wasi.filesystem.directory import OpenDirectory
from wippywasm.wasi.filesystem.facts import Opening, Stat
from wippywasm.wasi.filesystem.file import OpenFile

Operation: TypeAlias = "tuple[str, tuple[Any, ...]]"
"""Its name, and its arguments; the first is which of the open descriptors it is of."""

NAMES = ["file.txt", "dir", "nested", "sub", "a", "b", "secret.txt", "outside", "marker", "absolute", ".", "..", ""]
NAMES += [name.rpartition("/")[2] for name in LINKS]

segments = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5)
paths = st.one_of(segments.map("/".join), st.sampled_from([*NAMES, *LINKS, "dir/nested", "dir/sub", "dir/a", "b/"]))
which = st.integers(0, 5)
follow = st.booleans()
flag_sets = st.frozensets(st.sampled_from(["read", "write", "mutate-directory"]))
open_flag_sets = st.frozensets(st.sampled_from(["create", "directory", "exclusive", "truncate"]))
targets = st.one_of(paths, st.sampled_from(["../outside", "../../outside/secret.txt", "..", "/etc"]))

operations = st.one_of(
    st.tuples(st.just("open"), st.tuples(which, paths, flag_sets, open_flag_sets, follow)),
    st.tuples(st.just("read"), st.tuples(which)),
    st.tuples(st.just("write"), st.tuples(which, st.integers(0, 40))),
    st.tuples(st.just("append"), st.tuples(which)),
    st.tuples(st.just("set_size"), st.tuples(which, st.integers(0, 40))),
    st.tuples(st.just("set_times"), st.tuples(which)),
    st.tuples(st.just("stat"), st.tuples(which)),
    st.tuples(st.just("list"), st.tuples(which)),
    st.tuples(st.just("stat_at"), st.tuples(which, paths, follow)),
    st.tuples(st.just("set_times_at"), st.tuples(which, paths, follow)),
    st.tuples(st.just("create_directory_at"), st.tuples(which, paths)),
    st.tuples(st.just("remove_directory_at"), st.tuples(which, paths)),
    st.tuples(st.just("unlink_file_at"), st.tuples(which, paths)),
    st.tuples(st.just("readlink_at"), st.tuples(which, paths)),
    st.tuples(st.just("symlink_at"), st.tuples(which, targets, paths)),
    st.tuples(st.just("link_at"), st.tuples(which, paths, which, paths)),
    st.tuples(st.just("rename_at"), st.tuples(which, paths, which, paths)),
)


class Guest:
    """Runs operations on a world, keeps what it opens, and says what came of each."""

    def __init__(self, world: World) -> None:
        self.open: list[OpenDirectory | OpenFile] = [world.root]

    def run(self, operation: Operation) -> object:
        name, arguments = operation
        try:
            return getattr(self, f"do_{name}")(*arguments)
        except FilesystemError as error:
            return error.code

    def at(self, index: int, kind: type[Any]) -> Any:
        found = [d for d in self.open if isinstance(d, kind)]
        if not found:
            raise FilesystemError("bad-descriptor")
        return found[index % len(found)]

    def do_open(self, index: int, path: str, flags: Any, open_flags: Any, follow: bool) -> object:
        opened = self.at(index, OpenDirectory).open_at(path, Opening(flags, open_flags), follow=follow)
        self.open.append(opened)
        return opened.kind, opened.flags

    def do_read(self, index: int) -> object:
        data = self.at(index, OpenFile).read(100, 0)
        assert SECRET not in data
        return data

    def do_write(self, index: int, offset: int) -> object:
        return self.at(index, OpenFile).write(b"written", offset)

    def do_append(self, index: int) -> object:
        return self.at(index, OpenFile).append(b"appended")

    def do_set_size(self, index: int, size: int) -> object:
        return self.at(index, OpenFile).set_size(size)

    def do_set_times(self, index: int) -> object:
        return self.at(index, (OpenFile, OpenDirectory)).set_times(1, 2)  # type: ignore[arg-type]

    def do_stat(self, index: int) -> object:
        return known(self.at(index, (OpenFile, OpenDirectory)).stat())  # type: ignore[arg-type]

    def do_list(self, index: int) -> object:
        return names(self.at(index, OpenDirectory))

    def do_stat_at(self, index: int, path: str, follow: bool) -> object:
        return known(self.at(index, OpenDirectory).stat_at(path, follow=follow))

    def do_set_times_at(self, index: int, path: str, follow: bool) -> object:
        return self.at(index, OpenDirectory).set_times_at(path, 1, 2, follow=follow)

    def do_create_directory_at(self, index: int, path: str) -> object:
        return self.at(index, OpenDirectory).create_directory_at(path)

    def do_remove_directory_at(self, index: int, path: str) -> object:
        return self.at(index, OpenDirectory).remove_directory_at(path)

    def do_unlink_file_at(self, index: int, path: str) -> object:
        return self.at(index, OpenDirectory).unlink_file_at(path)

    def do_readlink_at(self, index: int, path: str) -> object:
        return self.at(index, OpenDirectory).readlink_at(path)

    def do_symlink_at(self, index: int, target: str, path: str) -> object:
        return self.at(index, OpenDirectory).symlink_at(target, path)

    def do_link_at(self, index: int, path: str, other: int, new_path: str) -> object:
        to = self.at(other, OpenDirectory)
        return self.at(index, OpenDirectory).link_at(path, to, new_path)

    def do_rename_at(self, index: int, path: str, other: int, new_path: str) -> object:
        return self.at(index, OpenDirectory).rename_at(path, self.at(other, OpenDirectory), new_path)

    def close(self) -> None:
        for descriptor in self.open:
            descriptor.close()


def known(stat: Stat) -> object:
    """What two kinds of mounts agree on: folders differ in sizes and counts of links."""
    if stat.kind == "directory":
        return stat.kind
    return stat.kind, stat.size, stat.links


def in_folder(check: Callable[[World], None]) -> None:
    """A fresh world on disk, and a look at the outside after."""
    tmp = Path(tempfile.mkdtemp())
    try:
        world = make_world(tmp, "folder")
        before = snapshot(world.outside)
        check(world)
        assert snapshot(world.outside) == before
        assert sorted(p.name for p in tmp.iterdir()) == ["inside", "outside"]
        world.mounts.close()
    finally:
        shutil.rmtree(tmp)


@settings(max_examples=150)
@given(st.lists(operations, min_size=1, max_size=25))
def test_nothing_outside_is_read_or_changed(todo: list[Operation]) -> None:
    def check(world: World) -> None:
        guest = Guest(world)
        inodes = {(p.stat().st_dev, p.stat().st_ino) for p in [world.outside, *world.outside.rglob("*")]}
        for operation in todo:
            guest.run(operation)
        found = {(s.device, s.inode) for s in (d.stat() for d in guest.open)}
        guest.close()
        assert not found & inodes

    in_folder(check)


@pytest.mark.skipif(sys.platform != "linux", reason="the tree in memory has the rules of Linux")
@settings(max_examples=150)
@given(st.lists(operations, min_size=1, max_size=25))
@example([("rename_at", (0, "dir/nested/over", 0, "dir"))])
def test_trees_in_memory_answer_as_the_operating_system_does(todo: list[Operation]) -> None:
    def check(world: World) -> None:
        on_disk, twin = Guest(world), Guest(memory_world(world.outside))
        for operation in todo:
            assert on_disk.run(operation) == twin.run(operation), operation
        on_disk.close()
        twin.close()

    in_folder(check)
