"""Absolute and `..` paths, trailing slashes, case and Unicode tricks, NUL and over-long names."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from tests.wasi_filesystem.worlds import BOTH, CREATE, DIRECTORY, INSIDE, NEW, READ, World, names, read_all, refusal
from wippywasm.wasi.filesystem.directory import OpenDirectory

WAYS: dict[str, Callable[[OpenDirectory, str], Any]] = {
    "open": lambda d, p: d.open_at(p, READ, follow=True),
    "open-nofollow": lambda d, p: d.open_at(p, READ, follow=False),
    "open-write": lambda d, p: d.open_at(p, BOTH, follow=True),
    "create": lambda d, p: d.open_at(p, CREATE, follow=True),
    "create-new": lambda d, p: d.open_at(p, NEW, follow=True),
    "open-directory": lambda d, p: d.open_at(p, DIRECTORY, follow=True),
    "stat": lambda d, p: d.stat_at(p, follow=True),
    "lstat": lambda d, p: d.stat_at(p, follow=False),
    "set-times": lambda d, p: d.set_times_at(p, "now", 0, follow=True),
    "create-directory": lambda d, p: d.create_directory_at(p),
    "remove-directory": lambda d, p: d.remove_directory_at(p),
    "unlink": lambda d, p: d.unlink_file_at(p),
    "readlink": lambda d, p: d.readlink_at(p),
    "symlink": lambda d, p: d.symlink_at("file.txt", p),
    "link-from": lambda d, p: d.link_at(p, d, "linked"),
    "link-to": lambda d, p: d.link_at("file.txt", d, p),
    "rename-from": lambda d, p: d.rename_at(p, d, "renamed"),
    "rename-to": lambda d, p: d.rename_at("file.txt", d, p),
}
"""Every operation that takes a path."""


def answers(root: Any, path: str) -> dict[str, str]:
    """What each of them is refused with."""
    return {name: refusal(way, root, path) for name, way in WAYS.items()}


def all_of(code: str) -> dict[str, str]:
    return dict.fromkeys(WAYS, code)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/etc/passwd",
        "//etc/passwd",
        "/./file.txt",
        "/../outside/secret.txt",
        "{outside}/secret.txt",
        "{outside}/new",
    ],
)
def test_absolute_paths(world: World, path: str) -> None:
    assert answers(world.root, path.format(outside=world.outside)) == all_of("not-permitted")


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../",
        "../.",
        "../outside/secret.txt",
        "../outside/new",
        "./../outside/secret.txt",
        "dir/../../outside/secret.txt",
        "dir/nested/../../../outside/secret.txt",
        "dir/nested/../../../inside/file.txt",
        "within/../../../outside/secret.txt",
        ".//..//outside/secret.txt",
        "dir/../../../../../../../../../../etc/passwd",
    ],
)
def test_dot_dot_paths(world: World, path: str) -> None:
    assert answers(world.root, path) == all_of("not-permitted")


def test_dot_dot_never_leaves_a_subdirectory_either(world: World) -> None:
    inner = world.root.open_at("dir/nested", DIRECTORY, follow=False)
    for path in ("../sub", "../../file.txt", "..", "./../nested/deep.txt"):
        assert answers(inner, path) == all_of("not-permitted")
    inner.close()


@pytest.mark.parametrize(
    "path",
    ["file.txt", "./file.txt", "dir/../file.txt", "dir/./nested/.././../file.txt", "dir//nested///..//../file.txt"],
)
def test_dots_that_stay_inside(world: World, path: str) -> None:
    assert read_all(world.root, path) == INSIDE


def test_dot_dot_is_where_a_link_leads_not_where_it_stands(world: World) -> None:
    assert read_all(world.root, "within/deep.txt") == INSIDE
    assert world.root.stat_at("within/../sub", follow=True).kind == "directory"
    assert refusal(world.root.stat_at, "within/../dir", follow=True) == "no-entry"


# ---- trailing slashes

TRAILING = [
    (lambda d: d.open_at("file.txt/", READ, follow=True), "not-directory"),
    (lambda d: d.open_at("file.txt//.", READ, follow=True), "not-directory"),
    (lambda d: d.open_at("file.txt/..", READ, follow=True), "not-directory"),
    (lambda d: d.open_at("new/", CREATE, follow=True), "is-directory"),
    (lambda d: d.open_at("dir/", BOTH, follow=True), "is-directory"),
    (lambda d: d.open_at("up/", READ, follow=False), "not-permitted"),
    (lambda d: d.open_at("absolute/", READ, follow=False), "not-permitted"),
    (lambda d: d.stat_at("up/", follow=False), "not-permitted"),
    (lambda d: d.stat_at("to_file/", follow=False), "not-directory"),
    (lambda d: d.readlink_at("up/"), "not-permitted"),
    (lambda d: d.readlink_at("within/"), "invalid"),
    (lambda d: d.readlink_at("file.txt/"), "not-directory"),
    (lambda d: d.readlink_at("to_file/"), "not-directory"),
    (lambda d: d.readlink_at("none/"), "no-entry"),
    (lambda d: d.set_times_at("absolute/", 0, 0, follow=False), "not-permitted"),
    (lambda d: d.unlink_file_at("file.txt/"), "not-directory"),
    (lambda d: d.unlink_file_at("dir/"), "is-directory"),
    (lambda d: d.unlink_file_at("up/"), "not-directory"),
    (lambda d: d.remove_directory_at("up/"), "not-directory"),
    (lambda d: d.remove_directory_at("dir/sub/."), "invalid"),
    (lambda d: d.remove_directory_at("dir/sub/.."), "not-empty"),
    (lambda d: d.create_directory_at("up/"), "exist"),
    (lambda d: d.create_directory_at("up/new"), "not-permitted"),
    (lambda d: d.create_directory_at("dangling/"), "exist"),
    (lambda d: d.symlink_at("file.txt", "new/"), "no-entry"),
    (lambda d: d.symlink_at("file.txt", "up/"), "exist"),
    (lambda d: d.link_at("file.txt", d, "new/"), "no-entry"),
    (lambda d: d.link_at("file.txt/", d, "new"), "not-directory"),
    (lambda d: d.link_at("up/", d, "new"), "not-permitted"),
    (lambda d: d.rename_at("file.txt/", d, "new"), "not-directory"),
    (lambda d: d.rename_at("file.txt", d, "new/"), "not-directory"),
    (lambda d: d.rename_at("up/", d, "new"), "not-directory"),
    (lambda d: d.rename_at("dir", d, "up/"), "not-directory"),
]


@pytest.mark.parametrize(("operation", "code"), TRAILING)
def test_trailing_slashes(world: World, operation: Callable[[OpenDirectory], Any], code: str) -> None:
    before = names(world.root)
    assert refusal(operation, world.root) == code
    assert names(world.root) == before


def test_trailing_slashes_of_directories_are_harmless(world: World) -> None:
    world.root.create_directory_at("made///")
    world.root.rename_at("made/", world.root, "moved/")
    assert world.root.stat_at("moved/./", follow=False).kind == "directory"
    world.root.remove_directory_at("moved//")
    assert "moved" not in names(world.root)


# ---- names that are not names


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "no-entry"),
        ("\0", "invalid"),
        ("file.txt\0", "invalid"),
        ("file.txt\0/../../outside/secret.txt", "invalid"),
        ("\ud800", "illegal-byte-sequence"),
        ("dir/\udc2e\udc2e/file.txt", "illegal-byte-sequence"),
        ("x" * 256, "name-too-long"),
        ("é" * 128, "name-too-long"),
        ("dir/" + "x" * 256 + "/..", "name-too-long"),
        ("x/" * 2049, "name-too-long"),
        ("./" * 3000 + "file.txt", "name-too-long"),
    ],
)
def test_nul_and_over_long_names(world: World, path: str, code: str) -> None:
    assert answers(world.root, path) == all_of(code)


def test_names_and_depths_up_to_the_limits(world: World) -> None:
    world.root.create_directory_at("x" * 255)
    assert world.root.stat_at("x" * 255, follow=False).kind == "directory"
    folder = world.root
    for _ in range(250):
        folder.create_directory_at("d")
        folder = folder.open_at("d", DIRECTORY, follow=False)  # type: ignore[assignment]
    assert world.root.stat_at("/".join("d" * 190), follow=False).kind == "directory"
    assert refusal(world.root.stat_at, "/".join("d" * 250), follow=False) == "name-too-long"


# ---- case and Unicode tricks


@pytest.mark.parametrize(
    "path",
    [
        "．．/outside/secret.txt",  # full-width full stops
        "․․/outside/secret.txt",  # one dot leaders
        "‥/outside/secret.txt",  # a two dot leader
        "..\u2215outside",  # a division slash
        "..\uff0foutside",  # a full-width solidus
        ".\u200b./outside/secret.txt",  # a zero width space
        "..\\outside\\secret.txt",
        "C:\\outside",
        "\\\\?\\outside",
        "%2e%2e/outside/secret.txt",
        "..%2foutside%2fsecret.txt",
        "%c0%ae%c0%ae/outside",
        ". ./outside",
        "...",
        ".. /outside",
        "~/secret.txt",
        "$HOME/secret.txt",
        "file.txt:stream",
        "file.txt::$DATA",
        "*",
    ],
)
def test_unicode_tricks(world: World, path: str) -> None:
    """They are names like any others, of things that are not there."""
    for follow in (True, False):
        assert refusal(world.root.open_at, path, READ, follow=follow) == "no-entry"
    assert refusal(world.root.stat_at, path, follow=True) == "no-entry"


def test_backslashes_make_one_name(world: World) -> None:
    world.root.create_directory_at("..\\x")
    assert "..\\x" in names(world.root)


def test_case_and_normal_forms_stay_apart_or_name_the_same_inside(world: World) -> None:
    """File systems differ in this; none of ours compares names itself, so a trick with them leads nowhere new."""
    composed = unicodedata.normalize("NFC", "é")
    world.root.open_at(composed, NEW, follow=False).close()
    assert composed in names(world.root)
    for path in (unicodedata.normalize("NFD", "é"), "UP/secret.txt", "Up_File", "DIR/../../outside", "ﬁle.txt"):
        if os.path.exists(world.outside.parent / "INSIDE"):
            continue  # a file system that ignores case may find them, inside
        assert refusal(world.root.stat_at, path, follow=True) == "no-entry"
