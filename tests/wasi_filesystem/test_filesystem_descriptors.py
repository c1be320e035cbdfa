"""`wasi:filesystem/types` as guests see it: every function of the shipped WIT, values, error codes, quotas, waiting."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.wasi_filesystem.worlds import INSIDE, World
from wippywasm.errors import InvalidError, WitError
from wippywasm.instance.names import pascal, snake
from wippywasm.instance.offered import offered_types
from wippywasm.model import EnumType
from wippywasm.plan.mangle import resource_function
from wippywasm.values import Variant
from wippywasm.wasi.filesystem import HostDirectory, MemoryDirectory, Mounts, mounts_from
from wippywasm.wasi.filesystem.codes import ERROR_CODES
from wippywasm.wasi.filesystem.descriptor import Descriptor
from wippywasm.wasi.filesystem.facts import MAX_IO_BYTES
from wippywasm.wasi.filesystem.interfaces import FilesystemTypes, Preopens
from wippywasm.wasi.filesystem.waiting import SMALL_BYTES

FOLLOW = {"symlink-follow"}
NEW_FILE = {"create", "exclusive"}
BOTH = {"read", "write"}


@pytest.fixture
def root(world: World) -> Descriptor:
    return Descriptor(world.root)


def new(root: Descriptor, name: str = "new", flags: set[str] = BOTH) -> Descriptor:
    return root.open_at(set(), name, NEW_FILE, flags)


def code(function: Any, *args: Any) -> object:
    with pytest.raises(WitError) as refused:
        function(*args)
    return refused.value.payload


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
    file.close()


def test_descriptors_do_what_they_were_opened_for(root: Descriptor) -> None:
    readable = root.open_at(set(), "file.txt", set(), {"read"})
    assert code(readable.write, b"x", 0) == "bad-descriptor"
    assert code(readable.set_size, 0) == "bad-descriptor"
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


# ---- quotas


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_handles_are_counted_and_given_back(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(INSIDE)
    source = tmp_path if kind == "folder" else MemoryDirectory({"a": INSIDE})
    mounts = Mounts({"/": source}, max_handles=5)
    ((directory, _),) = mounts.preopens()
    root = Descriptor(directory)
    for _ in range(3):
        held = [root.open_at(set(), "a", set(), {"read"}), root.open_at(set(), ".", set(), {"read"})]
        held_others = [root.read_directory(), held[0].read_via_stream(0)]
        for operation in (
            lambda: root.open_at(set(), "a", set(), {"read"}),
            lambda: root.read_directory(),
            lambda held=held: held[0].read_via_stream(0),
            mounts.preopens,
        ):
            assert code(operation) == "quota"
        for resource in (*held, *held_others):
            resource.close()
            resource.close()
    assert code(root.open_at, set(), "missing", set(), {"read"}) == "no-entry"


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


# ---- waiting


async def settled(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


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


@pytest.mark.parametrize("guest", ["", "data", "./data", "/../data", "/a/./b", "/a\0"])
def test_guest_paths_are_absolute_and_plain(tmp_path: Path, guest: str) -> None:
    with pytest.raises(InvalidError, match="absolute"):
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


def test_mounts_of_an_entry(tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = [
        {"fs": "app:data", "guest": "/data"},
        {"fs": "app:etc", "guest": "/etc", "read_only": True},
    ]
    found = mounts_from(entries, lambda id: tmp_path / id.partition(":")[2])
    assert found == {"/data": HostDirectory(tmp_path / "data"), "/etc": HostDirectory(tmp_path / "etc", True)}
    with pytest.raises(InvalidError, match="two mounts"):
        mounts_from([*entries, {"fs": "app:x", "guest": "/etc/"}], lambda id: tmp_path)
