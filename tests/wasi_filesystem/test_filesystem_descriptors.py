"""`wasi:filesystem/types` as guests see it: every function of the shipped WIT, values, error codes, quotas, waiting."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from typing import Any

import pytest

from tests.wasi_filesystem.worlds import INSIDE, World, code, new, settled
from wippywasm.errors import WitError
from wippywasm.instance.names import pascal, snake
from wippywasm.instance.offered import offered_types
from wippywasm.model import EnumType
from wippywasm.plan.mangle import resource_function
from wippywasm.values import Variant
from wippywasm.wasi.filesystem import Mounts
from wippywasm.wasi.filesystem.codes import ERROR_CODES
from wippywasm.wasi.filesystem.descriptor import Descriptor
from wippywasm.wasi.filesystem.interfaces import FilesystemTypes, Preopens
from wippywasm.wasi.filesystem.waiting import SMALL_BYTES

FOLLOW = {"symlink-follow"}
NEW_FILE = {"create", "exclusive"}
BOTH = {"read", "write"}


# ---- the WIT


@pytest.mark.parametrize("interface", [FilesystemTypes(), Preopens(Mounts({}))])
def test_every_function_of_the_wit_is_there(interface: Any) -> None:
    types = offered_types()[interface.wit]
    assert types.functions
    for name, function in types.functions.items():
        parts = resource_function(name)
        owner = interface if parts is None else getattr(interface, pascal(parts[1]))
        found = getattr(owner, snake(name if parts is None else parts[2]))
        inspect.signature(found).bind(*[None] * len(function.params))


def test_every_error_code_is_one_of_the_wit() -> None:
    read = offered_types()["wasi:filesystem/types"].functions["[method]descriptor.get-flags"]
    error = getattr(read.result, "err", None)
    assert isinstance(error, EnumType)
    assert frozenset(error.names) == ERROR_CODES


# ---- reading and writing


def test_reading_and_writing(root: Descriptor) -> None:
    file = new(root)
    assert file.write(b"hello", 2) == 5
    assert file.read(100, 0) == (b"\0\0hello", True)
    assert file.read(3, 2) == (b"hel", False)
    assert file.read(5, 2) == (b"hello", False)
    assert file.read(1, 7) == (b"", True)
    assert file.read(0, 0) == (b"", False)
    assert file.read(2**64 - 1, 2**40) == (b"", True)
    file.set_size(4)
    assert file.read(100, 0) == (b"\0\0he", True)
    file.set_size(6)
    assert file.read(100, 0) == (b"\0\0he\0\0", True)
    file.close()


def test_offsets_beyond_all_files(root: Descriptor) -> None:
    file = new(root)
    assert code(file.write, b"x", 2**64 - 1) in ("file-too-large", "insufficient-space")
    assert code(file.set_size, 2**64 - 1) in ("file-too-large", "insufficient-space")
    assert code(file.read, 1, 2**64 - 1) == "invalid"
    assert code(file.advise, 2**64 - 1, 0, "normal") == "invalid"
    assert code(file.advise, 0, 2**64 - 1, "normal") == "invalid"
    file.close()


def test_descriptors_do_what_they_were_opened_for(root: Descriptor) -> None:
    readable = root.open_at(set(), "file.txt", set(), {"read"})
    assert code(readable.write, b"x", 0) == "bad-descriptor"
    assert code(readable.set_size, 0) == "invalid"
    assert code(readable.write_via_stream, 0) == "bad-descriptor"
    assert code(readable.append_via_stream) == "bad-descriptor"
    writable = root.open_at(set(), "file.txt", set(), {"write"})
    assert code(writable.read, 1, 0) == "bad-descriptor"
    assert code(writable.read_via_stream, 0) == "bad-descriptor"
    for file in (readable, writable):
        assert file.get_type() == "regular-file"
        assert code(file.read_directory) == "not-directory"
        assert code(file.stat_at, set(), "x") == "not-directory"
        file.close()
    assert root.get_type() == "directory"
    for operation in (
        lambda: root.read(1, 0),
        lambda: root.write(b"", 0),
        lambda: root.set_size(0),
        lambda: root.advise(0, 0, "normal"),
        lambda: root.read_via_stream(0),
    ):
        assert code(operation) == "bad-descriptor"


def test_flags(root: Descriptor) -> None:
    assert root.get_flags() == {"read", "mutate-directory"}
    file = root.open_at(set(), "file.txt", set(), {"read", "write", "data-integrity-sync"})
    assert file.get_flags() == {"read", "write", "data-integrity-sync"}
    file.close()


def test_directories_say_what_they_were_opened_for_and_the_mount_decides(root: Descriptor) -> None:
    """The adapter of preview 1 opens no directory to be changed, and its programs make files in theirs."""
    for asked in ({"read"}, {"read", "mutate-directory"}, set()):
        folder = root.open_at(set(), "dir", {"directory"}, asked)
        assert folder.get_flags() == {"read"} | asked
        folder.create_directory_at("made")
        inner = folder.open_at(set(), "made", {"directory"}, {"read", "mutate-directory"})
        assert inner.get_flags() == {"read", "mutate-directory"}
        folder.remove_directory_at("made")
        for opened in (folder, inner):
            opened.close()


def test_links_opened_as_directories_are_not_followed_unasked(root: Descriptor) -> None:
    for link in ("within", "to_file", "dangling", "up"):
        assert code(root.open_at, set(), link, {"directory"}, {"read"}) == "loop"
    root.open_at(FOLLOW, "within", {"directory"}, {"read"}).close()


def test_a_second_name_is_of_the_link_itself(root: Descriptor) -> None:
    assert code(root.link_at, FOLLOW, "file.txt", root, "second") == "invalid"
    root.link_at(set(), "to_file", root, "second")
    assert root.stat_at(set(), "second")["type"] == "symbolic-link"


def test_dropped_files_stay_usable_by_other_descriptors(root: Descriptor) -> None:
    file = new(root)
    same = root.open_at(set(), "new", set(), {"read"})
    assert file.is_same_object(same)
    assert not file.is_same_object(root)
    root.unlink_file_at("new")
    file.write(b"kept", 0)
    file.close()
    assert same.read(10, 0) == (b"kept", True)
    assert same.stat()["link-count"] == 0
    assert code(file.stat) == "bad-descriptor" if file.opened.on_disk else True
    same.close()


@pytest.mark.parametrize("advice", ["normal", "sequential", "random", "will-need", "dont-need", "no-reuse"])
def test_advice(root: Descriptor, advice: str) -> None:
    file = root.open_at(set(), "file.txt", set(), {"read"})
    file.advise(0, 100, advice)
    file.close()


# ---- what is known of files


def test_stat(root: Descriptor) -> None:
    stat = root.stat_at(set(), "file.txt")
    assert (stat["type"], stat["size"], stat["link-count"]) == ("regular-file", len(INSIDE), 1)
    assert stat["data-modification-timestamp"]["seconds"] > 1_600_000_000
    assert root.stat_at(set(), "to_file")["type"] == "symbolic-link"
    assert root.stat_at(FOLLOW, "to_file") == stat
    assert root.stat()["type"] == "directory"


def test_times(root: Descriptor) -> None:
    moment = {"seconds": 1_000_000_000, "nanoseconds": 123_456_789}
    root.set_times_at(FOLLOW, "to_file", Variant("timestamp", moment), Variant("no-change"))
    stat = root.stat_at(set(), "file.txt")
    assert stat["data-access-timestamp"] == moment
    assert stat["data-modification-timestamp"]["seconds"] > 1_600_000_000
    file = root.open_at(set(), "file.txt", set(), {"read"})
    file.set_times(Variant("now"), Variant("timestamp", moment))
    assert file.stat()["data-modification-timestamp"] == moment
    assert file.stat()["data-access-timestamp"]["seconds"] > 1_600_000_000
    bad = Variant("timestamp", {"seconds": 0, "nanoseconds": 1_000_000_000})
    assert code(file.set_times, bad, Variant("now")) == "invalid"
    root.set_times_at(set(), "up", Variant("timestamp", moment), Variant("timestamp", moment))
    assert root.stat_at(set(), "up")["data-modification-timestamp"] == moment
    root.set_times(Variant("timestamp", moment), Variant("timestamp", moment))
    assert root.stat()["data-modification-timestamp"] == moment
    file.close()


def test_times_that_no_system_knows(root: Descriptor) -> None:
    far = Variant("timestamp", {"seconds": 2**64 - 1, "nanoseconds": 0})
    if root.opened.on_disk:
        assert code(root.set_times_at, set(), "file.txt", far, far) in ("overflow", "invalid")
    else:
        root.set_times_at(set(), "file.txt", far, far)
        assert root.stat_at(set(), "file.txt")["data-access-timestamp"] == far.payload


def test_times_before_1970_are_not_told(folder_world: World) -> None:
    assert folder_world.folder is not None
    os.utime(folder_world.folder / "file.txt", ns=(-5, -5))
    stat = Descriptor(folder_world.root).stat_at(set(), "file.txt")
    assert stat["data-access-timestamp"] is None
    assert stat["status-change-timestamp"] is not None


def test_metadata_hashes(root: Descriptor) -> None:
    file = new(root)
    before = file.metadata_hash()
    assert root.metadata_hash_at(set(), "new") == before
    assert root.metadata_hash_at(FOLLOW, "to_file") == root.metadata_hash_at(set(), "file.txt") != before
    file.write(b"changed", 0)
    after = file.metadata_hash()
    assert after["lower"] == before["lower"]
    assert after["upper"] != before["upper"]
    assert all(0 <= half < 2**64 for half in after.values())
    file.close()


def test_listings(root: Descriptor) -> None:
    inner = root.open_at(set(), "dir", {"directory"}, {"read"})
    listing = inner.read_directory()
    found = [listing.read_directory_entry() for _ in range(4)]
    assert found.pop() is None
    assert sorted(found, key=str) == [
        {"type": "directory", "name": "nested"},
        {"type": "directory", "name": "sub"},
        {"type": "symbolic-link", "name": "back"},
    ]
    assert listing.read_directory_entry() is None
    listing.close()
    inner.close()


def test_two_listings_of_one_descriptor_are_apart(root: Descriptor) -> None:
    one, two = root.read_directory(), root.read_directory()
    first = one.read_directory_entry()
    assert two.read_directory_entry() == first
    assert one.read_directory_entry() != first
    one.close()
    assert two.read_directory_entry() is not None
    two.close()


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="names are bytes on Linux only")
def test_names_that_are_no_text(folder_world: World) -> None:
    """They are an error in the listing, which goes on; a link to one has no text either."""
    folder = os.fsencode(folder_world.folder or "")
    os.mkdir(folder + b"/strange")
    for name in (b"\xff\xfe", b"good"):
        os.close(os.open(folder + b"/strange/" + name, os.O_CREAT))
    os.symlink(b"\xff\xfe", folder + b"/strange_link")
    root = Descriptor(folder_world.root)
    assert code(root.readlink_at, "strange_link") == "illegal-byte-sequence"
    listing = root.open_at(set(), "strange", set(), {"read"}).read_directory()
    found = []
    for _ in range(3):
        try:
            found.append(listing.read_directory_entry())
        except WitError as error:
            found.append(error.payload)
    assert sorted(found, key=str) == sorted(
        ["illegal-byte-sequence", None, {"type": "regular-file", "name": "good"}], key=str
    )
    listing.close()


# ---- waiting


def test_large_operations_on_a_disk_leave_the_loop_alone(folder_world: World) -> None:
    file = new(Descriptor(folder_world.root))
    large = os.urandom(SMALL_BYTES + 1)
    threads = set()
    own = file.file._file
    for name in ("read", "write", "sync"):
        function = getattr(own, name)

        def watched(*args: Any, function: Any = function, **keywords: Any) -> Any:
            threads.add(threading.current_thread())
            return function(*args, **keywords)

        setattr(own, name, watched)

    async def use() -> None:
        assert await settled(file.write(large, 0)) == len(large)
        assert await settled(file.read(len(large), 0)) == (large, False)
        await settled(file.sync())
        await settled(file.sync_data())

    asyncio.run(use())
    assert threads
    assert threading.main_thread() not in threads
    file.close()


def test_what_nobody_waits_for_is_not_done(folder_world: World) -> None:
    """A call that may not wait is refused; nothing is written behind its back, and nothing is left to warn of."""
    file = new(Descriptor(folder_world.root))
    waiting = file.write(bytes(SMALL_BYTES + 1), 0)
    assert hasattr(waiting, "__await__")
    del waiting
    assert file.stat()["size"] == 0
    file.close()


def test_a_descriptor_dropped_while_it_is_used(folder_world: World) -> None:
    """Its number is not closed under the thread that uses it; afterwards it is."""
    file = new(Descriptor(folder_world.root))
    fd = file.file._file._fd  # type: ignore[attr-defined]
    with fd as number:
        file.close()
        os.fstat(number)
        assert code(fd.__enter__) == "bad-descriptor"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
