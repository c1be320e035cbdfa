"""The same programs here and with wasmtime's own WASI: preview 1, and WASI 0.2 through the adapter. They end alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.guests.peers import Ours, Peer
from tests.guests.tours import GUESTS

WORDS = {
    "tour": [
        ["arguments", "a b", "", "grüße"],
        ["environment", "NAME", "EMPTY", "PATH"],
        ["upper"],
        ["copy", "/file.txt", "/copied"],
        ["list", "/"],
        ["copy", "/none", "/x"],
        ["copy", "/file.txt", "/none/x"],
        ["copy", "/../outside", "/x"],
        ["copy", "/folder", "/x"],
        ["remove", "/copied"],
        ["remove", "/copied"],
        ["remove", "/folder"],
        ["sleep", "3"],
        ["exit", "0"],
        ["exit", "1"],
        ["exit", "3"],
        ["exit", "125"],
        ["crash"],
        ["nonsense"],
    ],
    "files": [
        ["seeks", "/sought"],
        ["unlinked", "/shortly"],
        ["moved", "/before", "/after"],
        ["cookies", "/many"],
        ["cookies", "/folder"],
        ["cookies", "/none"],
        ["times", "/file.txt"],
        ["times", "/folder"],
        ["times", "/none"],
        ["wrong", "/folder", "/file.txt"],
        ["append", "/file.txt", " and more"],
        ["cat", "/file.txt"],
        ["rename", "/folder", "/many"],
        ["rename", "/file.txt", "/folder"],
        ["rename", "/folder", "/file.txt"],
        ["rename", "/folder", "/folder/inner"],
        ["rename", "/file.txt", "/file.txt"],
        ["mkdir", "/folder/new/"],
        ["rmdir", "/folder"],
        ["rmdir", "/folder/new"],
        ["rmdir", "/folder"],
        ["unlink", "/many"],
        ["unlink", "/many/"],
        ["stat", "/file.txt/"],
        ["truncate", "/file.txt", "3"],
        ["stat", "/file.txt"],
        ["create", "/file.txt"],
        ["list", "/many"],
        ["write", "/links", "text"],
        ["symlink", "links", "/to-file"],
        ["symlink", "folder2", "/to-folder"],
        ["symlink", "nothing", "/dangling"],
        ["symlink", "/links", "/absolute"],
        ["symlink", "../outside", "/out"],
        ["symlink", "round", "/round"],
        ["symlink", "again", "/to-file"],
        ["mkdir", "/folder2"],
        ["readlink", "/to-file"],
        ["readlink", "/out"],
        ["readlink", "/links"],
        ["readlink", "/none"],
        ["lstat", "/to-file"],
        ["lstat", "/to-folder/"],
        ["lstat", "/dangling"],
        ["stat", "/to-file"],
        ["stat", "/to-folder"],
        ["stat", "/dangling"],
        ["stat", "/out"],
        ["stat", "/round"],
        ["cat", "/to-file"],
        ["cat", "/out"],
        ["cat", "/round/x"],
        ["append", "/to-file", " more"],
        ["write", "/to-folder/new", "in it"],
        ["write", "/dangling", "made"],
        ["create", "/dangling", "again"],
        ["write", "/out", "never"],
        ["write", "/to-folder", "never"],
        ["rename", "/to-file", "/renamed"],
        ["rename", "/renamed", "/to-folder"],
        ["link", "/links", "/second"],
        ["link", "/links", "/second"],
        ["link", "/folder2", "/third"],
        ["link", "/none", "/third"],
        ["link", "/dangling", "/third"],
        ["lstat", "/third"],
        ["stat", "/second"],
        ["unlink", "/links"],
        ["cat", "/second"],
        ["touch", "/second"],
        ["touch", "/none"],
        ["sync", "/second"],
        ["seek", "/second"],
        ["truncate", "/folder2", "1"],
        ["truncate", "/second", "100000"],
        ["mkdir", "/dangling"],
        ["mkdir", "/none/x"],
        ["rmdir", "/to-folder"],
        ["rmdir", "/second"],
        ["rmdir", "/."],
        ["unlink", "/."],
        ["unlink", "/out"],
        ["unlink", "/folder2/.."],
        ["write", "/" + "n" * 300, "x"],
        ["stat", "/folder2/../second"],
        ["stat", "/folder2/../../outside"],
        ["cookies", "/"],
    ],
}


def prepared(folder: Path) -> Path:
    inside = folder / "inside"
    (inside / "folder").mkdir(parents=True)
    (inside / "many").mkdir()
    for i in range(40):
        (inside / f"many/{'x' * i}{i}").write_text("")
    (inside / "file.txt").write_text("hello")
    (folder / "outside").write_text("secret")
    return inside


def tree(folder: Path) -> list[tuple[str, bytes | None]]:
    found = sorted(folder.rglob("*"))
    return [(str(path.relative_to(folder)), path.read_bytes() if path.is_file() else None) for path in found]


def differences(program: str, path: Path, engine: str, folder: Path) -> list[Any]:
    """Where the program does not end alike, with what was expected and what was found."""
    peer, ours = Peer(path), Ours(path, engine)
    theirs, here = prepared(folder / "theirs"), prepared(folder / "ours")
    different: list[Any] = []
    for words in WORDS[program]:
        expected = peer.run([program, *words], b"one\ntwo", theirs)
        found = ours.run([program, *words], b"one\ntwo", here)
        different += [(words, expected, found)] * (expected != found)
    return different + [(tree(theirs), tree(here))] * (tree(theirs) != tree(here))


@pytest.mark.parametrize("kind", ["wasm", "component.wasm"])
@pytest.mark.parametrize("program", list(WORDS))
def test_programs_end_alike(program: str, kind: str, engine: str, tmp_path: Path) -> None:
    assert differences(program, GUESTS / f"{program}.{kind}", engine, tmp_path) == []
