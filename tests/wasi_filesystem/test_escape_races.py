"""Links and folders that are swapped while a guest's call runs.

It finds the old thing, the new thing, or an error; what it never finds is what lies outside. The swapping thread plays
a second guest, or anyone else on the host.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from tests.wasi_filesystem.worlds import CREATE, DIRECTORY, INSIDE, SECRET, TRUNCATE, World, read_all, snapshot
from wippywasm.wasi.filesystem import FilesystemError
from wippywasm.wasi.filesystem.directory import OpenDirectory

SECONDS = 0.6
PATIENCE = 60
"""Seconds in which both must have happened: on a busy machine a thread may wait for its turn."""


@contextmanager
def meanwhile(swap: Callable[[], None]) -> Iterator[None]:
    """Another thread swaps and swaps back, again and again."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            swap()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def tries(attempt: Callable[[], object]) -> tuple[list[object], set[str]]:
    """What came of it, over and over: values and codes; both must have happened, else nothing was tried."""
    values: list[object] = []
    codes: set[str] = set()
    start = time.monotonic()
    while (passed := time.monotonic() - start) < SECONDS or (passed < PATIENCE and not (values and codes)):
        try:
            values.append(attempt())
        except FilesystemError as error:
            codes.add(error.code)
    assert values
    assert codes
    assert codes <= {"not-permitted", "no-entry", "loop", "not-directory", "exist"}
    return values, codes


def link_for_folder(folder: Path) -> Callable[[], None]:
    """`door` is a folder with a `secret.txt` of its own; now and then it is a link to the folder outside."""
    door, aside = folder / "door", folder / "aside"
    door.mkdir()
    (door / "secret.txt").write_bytes(INSIDE)

    def swap() -> None:
        door.rename(aside)
        door.symlink_to("../outside")
        door.unlink()
        aside.rename(door)

    return swap


def inside_of(world: World) -> Path:
    assert world.folder is not None
    return world.folder


def test_reading_past_a_folder_that_becomes_a_link(folder_world: World) -> None:
    with meanwhile(link_for_folder(inside_of(folder_world))):
        values, _ = tries(lambda: read_all(folder_world.root, "door/secret.txt"))
    assert set(values) == {INSIDE}


def test_writing_past_a_folder_that_becomes_a_link(folder_world: World) -> None:
    def write() -> None:
        folder_world.root.open_at("door/secret.txt", TRUNCATE, follow=True).close()
        file = folder_world.root.open_at("door/new.txt", CREATE, follow=True)
        file.write(b"new", 0)  # type: ignore[union-attr]
        file.close()

    with meanwhile(link_for_folder(inside_of(folder_world))):
        tries(write)
    assert not (folder_world.outside / "new.txt").exists()


def test_removing_and_renaming_past_a_folder_that_becomes_a_link(folder_world: World) -> None:
    """What is made may be there already; what counts is that the outside stays as it is."""
    root = folder_world.root
    operations: Iterator[Callable[[], None]] = cycle(
        [
            lambda: root.create_directory_at("door/dir2"),
            lambda: root.remove_directory_at("door/dir2"),
            lambda: root.symlink_at("x", "door/x"),
            lambda: root.rename_at("door/x", root, "door/marker2"),
            lambda: root.link_at("door/secret.txt", root, "door/marker3"),
            lambda: root.unlink_file_at("door/marker2"),
            lambda: root.unlink_file_at("door/marker3"),
            lambda: root.set_times_at("door/secret.txt", 0, 0, follow=True),
        ]
    )
    with meanwhile(link_for_folder(inside_of(folder_world))):
        tries(lambda: next(operations)())


def test_a_file_that_becomes_a_link(folder_world: World) -> None:
    folder = inside_of(folder_world)
    file, aside = folder / "file.txt", folder / "aside"

    def swap() -> None:
        file.rename(aside)
        file.symlink_to("../outside/secret.txt")
        file.unlink()
        aside.rename(file)

    with meanwhile(swap):
        values, _ = tries(lambda: read_all(folder_world.root, "file.txt", follow=True))
        assert set(values) == {INSIDE}
        values, _ = tries(lambda: read_all(folder_world.root, "file.txt", follow=False))
        assert set(values) == {INSIDE}


def test_a_link_whose_target_changes(folder_world: World) -> None:
    folder = inside_of(folder_world)

    def swap() -> None:
        for target in ("file.txt", "../outside/secret.txt"):
            (folder / "new_link").symlink_to(target)
            (folder / "new_link").rename(folder / "link")

    swap()
    with meanwhile(swap):
        values, codes = tries(lambda: read_all(folder_world.root, "link"))
    assert set(values) == {INSIDE}
    assert codes == {"not-permitted"}


def test_dot_dot_from_a_folder_that_is_moved_outside(folder_world: World) -> None:
    """`dir/nested/../../marker`, while `nested` is moved to a folder from which `..` would lead to the secret."""
    folder = inside_of(folder_world)
    elsewhere = folder.parent / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    (elsewhere.parent / "marker").write_bytes(SECRET)
    (folder.parent / "marker").write_bytes(SECRET)

    def swap() -> None:
        (folder / "dir" / "nested").rename(elsewhere / "nested")
        (elsewhere / "nested").rename(folder / "dir" / "nested")

    with meanwhile(swap):
        values, _ = tries(lambda: read_all(folder_world.root, "dir/nested/../../marker"))
    assert set(values) == {INSIDE}


def test_a_descriptor_of_a_folder_that_was_moved_outside_leads_nowhere_else(folder_world: World) -> None:
    folder = inside_of(folder_world)
    inner = folder_world.root.open_at("dir/nested", DIRECTORY, follow=False)
    assert isinstance(inner, OpenDirectory)
    moved = folder.parent / "moved"
    (folder / "dir" / "nested").rename(moved)
    before = snapshot(folder_world.outside)
    for path in ("../outside/secret.txt", "over/secret.txt", "..", "../inside/file.txt"):
        codes = set()
        for how in (CREATE, TRUNCATE):
            try:
                inner.open_at(path, how, follow=True)
            except FilesystemError as error:
                codes.add(error.code)
        assert codes == {"not-permitted"}
    assert snapshot(folder_world.outside) == before
    inner.close()
    os.rename(moved, folder / "dir" / "nested")
