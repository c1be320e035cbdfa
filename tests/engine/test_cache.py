"""The cache on disk: faster when it can be trusted, absent when it can't, and never in the way."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.guests import call
from wippywasm.engine import wat2wasm
from wippywasm.engine.cache import ABANDONED, MAGIC, DiskCache, default_directory, entry_key
from wippywasm.engine.port import Engine

WASM = wat2wasm('(module (func (export "answer") (result i32) i32.const 42))')
KEY = "k" * 64


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chosen = tmp_path / "cache" / "deep"
    monkeypatch.setenv("WIPPYWASM_CACHE_DIR", str(chosen))
    return chosen


@pytest.fixture
def fresh(engine: Engine) -> Callable[[], Engine]:
    """A new engine of the same kind, which remembers no module."""
    return lambda: type(engine)()


def answer(engine: Engine) -> int:
    store = engine.new_store()
    result: int = call(store.instantiate(engine.compile(WASM), []), "answer")
    store.close()
    return result


def only_entry(directory: Path) -> Path:
    (entry,) = directory.iterdir()
    return entry


def test_what_is_compiled_is_kept_for_this_user_only(directory: Path, fresh: Callable[[], Engine]) -> None:
    assert answer(fresh()) == 42
    entry = only_entry(directory)
    assert entry.read_bytes().startswith(MAGIC)
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_an_entry_is_used(directory: Path, fresh: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    answer(fresh())
    inode = only_entry(directory).stat().st_ino
    engine = fresh()
    backend = engine._compiler._backend  # type: ignore[attr-defined]
    monkeypatch.setattr(backend, "build", lambda *_: pytest.fail("compiled again"))
    assert answer(engine) == 42
    assert only_entry(directory).stat().st_ino == inode


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: b"x" + data[1:],
        lambda data: data[: len(MAGIC)] + bytes(32) + data[len(MAGIC) + 32 :],
    ],
)
def test_a_damaged_entry_is_replaced(
    directory: Path, fresh: Callable[[], Engine], damage: Callable[[bytes], bytes]
) -> None:
    answer(fresh())
    entry = only_entry(directory)
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert answer(fresh()) == 42
    repaired = only_entry(directory).read_bytes()
    assert len(repaired) > 100
    assert DiskCache(directory).load(entry.name) is not None


@pytest.mark.parametrize("mode", [0o660, 0o606, 0o622])
def test_an_entry_that_others_may_write_is_replaced(directory: Path, fresh: Callable[[], Engine], mode: int) -> None:
    answer(fresh())
    entry = only_entry(directory)
    entry.chmod(mode)
    assert DiskCache(directory).load(entry.name) is None
    assert answer(fresh()) == 42
    assert stat.S_IMODE(only_entry(directory).stat().st_mode) == 0o600


def test_a_directory_that_others_may_write_is_not_used(directory: Path, fresh: Callable[[], Engine]) -> None:
    answer(fresh())
    entry = only_entry(directory)
    directory.chmod(0o777)
    assert DiskCache(directory).load(entry.name) is None
    assert not DiskCache(directory).store(KEY, b"x")
    assert answer(fresh()) == 42
    directory.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["entry", "directory"])
def test_what_belongs_to_another_user_is_not_believed(tmp_path: Path, what: str) -> None:
    cache = DiskCache(tmp_path / "cache")
    assert cache.store(KEY, b"content")
    assert cache.load(KEY) == b"content"
    os.chown(tmp_path / "cache" if what == "directory" else tmp_path / "cache" / KEY, 12345, 12345)
    assert cache.load(KEY) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    assert cache.store(KEY, b"content")
    (tmp_path / "cache" / KEY).rename(tmp_path / "elsewhere")
    (tmp_path / "cache" / KEY).symlink_to(tmp_path / "elsewhere")
    assert cache.load(KEY) is None


def test_an_entry_under_another_name_is_not_believed(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    tmp_path.chmod(0o700)
    assert cache.store(KEY, b"content")
    (tmp_path / KEY).rename(tmp_path / ("o" * 64))
    assert cache.load("o" * 64) is None


def test_code_that_the_engine_refuses_is_compiled_again(directory: Path, fresh: Callable[[], Engine]) -> None:
    engine = fresh()
    if engine.name == "wasmer":
        pytest.skip("wasmer does not check what it loads; the digest does")
    answer(engine)
    DiskCache(directory).store(only_entry(directory).name, b"no code")
    assert answer(fresh()) == 42


def test_it_can_be_turned_off(directory: Path, fresh: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIPPYWASM_CACHE", "0")
    assert answer(fresh()) == 42
    assert not directory.exists()


def test_a_place_that_can_not_be_written_never_fails_a_compilation(
    tmp_path: Path, fresh: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("WIPPYWASM_CACHE_DIR", str(blocker / "cache"))
    assert answer(fresh()) == 42


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    cache = DiskCache(tmp_path / "cache")
    monkeypatch.setattr(os, "replace", full)
    assert not cache.store(KEY, b"content")
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_a_process_left_that_was_killed_goes_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = DiskCache(tmp_path / "cache")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: None)  # as if it ended before
        cache.store(KEY, b"content")
    (left,) = (tmp_path / "cache").iterdir()
    assert cache.load(KEY) is None
    assert cache.store(KEY, b"content")
    assert left.exists(), "somebody may be writing it"
    before = time.time() - ABANDONED - 1
    os.utime(left, (before, before))
    assert cache.store(KEY, b"content")
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == [KEY]


def test_the_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WIPPYWASM_CACHE", "WIPPYWASM_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_directory() == tmp_path / ".cache" / "wippywasm"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert default_directory() == Path("/xdg/wippywasm")
    monkeypatch.setenv("WIPPYWASM_CACHE_DIR", "/chosen")
    assert default_directory() == Path("/chosen")
    monkeypatch.setenv("WIPPYWASM_CACHE", "0")
    assert default_directory() is None


def test_keys_differ_by_content_and_every_setting() -> None:
    keys = [
        entry_key(b"a", ["x", "1"]),
        entry_key(b"b", ["x", "1"]),
        entry_key(b"a", ["x1"]),
        entry_key(b"a", ["x", "2"]),
    ]
    assert len(set(keys)) == 4
    assert entry_key(b"a", ["x", "1"]) == keys[0]


def test_old_entries_make_room(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache", max_bytes=10_000)
    names = [f"{number:064}" for number in range(6)]
    for age, name in enumerate(names[:4]):
        assert cache.store(name, bytes(2000))
        os.utime(tmp_path / "cache" / name, (age, age))
    assert cache.load(names[0]) is not None  # so it is no longer the one used longest ago
    for name in names[4:]:
        assert cache.store(name, bytes(2000))
    left = {entry.name for entry in (tmp_path / "cache").iterdir()}
    assert left == {names[0], names[3], names[4], names[5]}


def test_many_writers_of_one_entry(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    wrong: list[bytes | None] = []

    def work(number: int) -> None:
        for _ in range(30):
            cache.store(KEY, b"content" * 5000)
            found = cache.load(KEY)
            if found != b"content" * 5000:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == [KEY]
