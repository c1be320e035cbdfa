"""Symlink chains, links to the outside, hard links and renames across mounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.wasi_filesystem.test_escape_paths import WAYS
from tests.wasi_filesystem.worlds import (
    BOTH,
    CREATE,
    DIRECTORY,
    INSIDE,
    NEW,
    READ,
    TRUNCATE,
    World,
    code,
    names,
    read_all,
    refusal,
    snapshot,
)
from wippywasm.wasi.filesystem import MemoryDirectory, Mounts
from wippywasm.wasi.filesystem.descriptor import Descriptor

OUT = ["up", "chain_4", "chain_0", "absolute", "up_file", "absolute_file", "within/over"]
MAKES_OR_REMOVES = {"create-directory", "remove-directory", "unlink", "symlink", "link-to", "create-new"}
ON_THE_LINK = MAKES_OR_REMOVES | {"rename-from", "rename-to", "link-from", "lstat", "readlink", "open-nofollow"}


@pytest.mark.parametrize("link", OUT)
def test_links_are_not_followed_to_the_outside(world: World, link: str) -> None:
    for name, way in WAYS.items():
        assert (name, refusal(way, world.root, f"{link}/secret.txt")) == (name, "not-permitted")
        if name not in ON_THE_LINK:
            assert (name, refusal(way, world.root, link)) == (name, "not-permitted")


@pytest.mark.parametrize("link", OUT)
def test_a_link_itself_is_only_what_it_is(world: World, link: str) -> None:
    assert world.root.stat_at(link, follow=False).kind == "symbolic-link"
    assert refusal(world.root.open_at, link, READ, follow=False) == "loop"
    assert refusal(world.root.open_at, link, NEW, follow=True) == "exist"
    world.root.rename_at(link, world.root, "moved")
    assert refusal(world.root.open_at, "moved", READ, follow=True) in ("not-permitted", "no-entry")
    world.root.unlink_file_at("moved")


@pytest.mark.parametrize("how", [READ, BOTH, CREATE, TRUNCATE], ids=["read", "write", "create", "truncate"])
def test_opening_through_links(world: World, how: Any) -> None:
    for link in OUT:
        assert refusal(world.root.open_at, link, how, follow=True) == "not-permitted"


def test_where_links_lead_is_told_only_for_relative_ones(world: World) -> None:
    assert world.root.readlink_at("up") == "../outside"
    assert refusal(world.root.readlink_at, "absolute") == "not-permitted"
    assert refusal(world.root.readlink_at, "file.txt") == "invalid"


def test_absolute_links_can_not_be_made(world: World) -> None:
    for target in ("/", "/etc/passwd", str(world.outside)):
        assert refusal(world.root.symlink_at, target, "made") == "not-permitted"
    assert refusal(world.root.symlink_at, "a\0b", "made") == "invalid"
    assert refusal(world.root.symlink_at, "", "made") == "no-entry"
    assert "made" not in names(world.root)


def test_a_guests_own_links_lead_out_as_little_as_others(world: World) -> None:
    world.root.symlink_at("..", "one")
    world.root.symlink_at("one/outside", "two")
    world.root.symlink_at("../../../../../../../../etc", "dir/nested/three")
    for path in ("one", "one/outside/secret.txt", "two", "two/secret.txt", "dir/nested/three/passwd"):
        assert refusal(world.root.open_at, path, READ, follow=True) == "not-permitted"


def test_a_link_that_is_moved_up_is_taken_anew(world: World) -> None:
    """Relative to where it stands now: what was inside of the mount is not any more."""
    assert read_all(world.root, "dir/back") == INSIDE
    world.root.rename_at("dir/back", world.root, "back")
    assert refusal(world.root.open_at, "back", READ, follow=True) == "not-permitted"


def test_links_in_a_subdirectorys_descriptor_may_not_leave_it(world: World) -> None:
    inner = world.root.open_at("dir", DIRECTORY, follow=False)
    assert refusal(inner.open_at, "back", READ, follow=True) == "not-permitted"  # type: ignore[union-attr]
    inner.close()


def test_loops_and_long_chains_end(world: World) -> None:
    assert refusal(world.root.open_at, "loop", READ, follow=True) == "loop"
    assert refusal(world.root.open_at, "loop/x", READ, follow=True) == "loop"
    for i in range(60):
        world.root.symlink_at(f"long_{i + 1}", f"long_{i}")
    world.root.symlink_at("file.txt", "long_60")
    assert read_all(world.root, "long_30") == INSIDE
    assert refusal(world.root.open_at, "long_0", READ, follow=True) == "loop"


def test_links_that_multiply_end(world: World) -> None:
    """Each names the one before many times: 2^40 steps for a resolver that counts no links."""
    world.root.create_directory_at("bomb")
    world.root.symlink_at(".", "bomb/l0")
    for i in range(40):
        world.root.symlink_at("/".join([f"l{i}"] * 40), f"bomb/l{i + 1}")
    assert refusal(world.root.stat_at, "bomb/l40", follow=True) == "loop"


def test_links_that_go_up_and_down_end(world: World) -> None:
    """One path may have 4096 bytes, of which 40 links make 64,000 folders to look into."""
    world.root.create_directory_at("d")
    world.root.symlink_at("file.txt", "down0")
    for i in range(1, 30):
        world.root.symlink_at("d/../" * 700 + f"down{i - 1}", f"down{i}")
    assert read_all(world.root, "down2") == INSIDE
    assert refusal(world.root.stat_at, "down3", follow=True) == "loop"


def test_creating_through_a_dangling_link_stays_inside(world: World) -> None:
    world.root.open_at("dangling", CREATE, follow=True).close()
    assert "nothing" in names(world.root)
    world.root.symlink_at("../outside/new", "out")
    assert refusal(world.root.open_at, "out", CREATE, follow=True) == "not-permitted"
    assert refusal(world.root.open_at, "out", CREATE, follow=False) == "loop"


# ---- across mounts


@pytest.fixture
def two(tmp_path: Path) -> Any:
    """Two mounts of one folder, one in memory, and what was in the folder."""
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "a.txt").write_bytes(INSIDE)
    mounts = Mounts({"/a": folder, "/b": folder, "/m": MemoryDirectory({"a.txt": INSIDE})})
    (a, _), (b, _), (m, _) = mounts.preopens()
    before = snapshot(folder)
    yield a, b, m
    assert snapshot(folder) == before


def test_hard_links_across_mounts(two: Any) -> None:
    for source in two:
        for to in two:
            if source is not to:
                assert refusal(source.link_at, "a.txt", to, "b.txt") == "cross-device"


def test_renames_across_mounts(two: Any) -> None:
    for source in two:
        for to in two:
            if source is not to:
                assert refusal(source.rename_at, "a.txt", to, "b.txt") == "cross-device"
                assert refusal(source.rename_at, "a.txt", to, "a.txt") == "cross-device"


def test_hard_links_within_a_mount(world: World) -> None:
    world.root.link_at("file.txt", world.root, "dir/second")
    assert world.root.stat_at("file.txt", follow=False).links == 2
    assert refusal(world.root.link_at, "dir", world.root, "folder") == "not-permitted"
    assert refusal(world.root.link_at, "file.txt", world.root, "dir/second") == "exist"
    world.root.link_at("up_file", world.root, "same_link")
    assert world.root.stat_at("same_link", follow=False).kind == "symbolic-link"
    assert refusal(world.root.open_at, "same_link", READ, follow=True) == "not-permitted"
    root = Descriptor(world.root)
    assert code(root.link_at, {"symlink-follow"}, "up_file", root, "stolen") == "invalid"
    assert "stolen" not in names(world.root)


def test_a_descriptor_of_a_file_is_no_place_for_names(world: World) -> None:
    file = world.root.open_at("file.txt", READ, follow=False)
    assert refusal(world.root.rename_at, "file.txt", file, "x") == "not-directory"
    file.close()
