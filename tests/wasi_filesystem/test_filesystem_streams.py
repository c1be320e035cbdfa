"""Streams over files."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.wasi_filesystem.worlds import World
from wippywasm.errors import WitError
from wippywasm.values import Variant
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.descriptor import Descriptor
from wippywasm.wasi.filesystem.interfaces import FilesystemTypes
from wippywasm.wasi.stream_errors import failed


@pytest.fixture
def file(world: World) -> Descriptor:
    return Descriptor(world.root).open_at(set(), "new", {"create"}, {"read", "write"})


def contents(file: Descriptor) -> bytes:
    data = file.read(1000, 0)
    assert isinstance(data, tuple)
    return data[0]


def failure(function: Any, *args: Any) -> Any:
    with pytest.raises(WitError) as refused:
        function(*args)
    return refused.value.payload


def test_reading_to_the_end(file: Descriptor) -> None:
    file.write(b"0123456789", 0)
    stream = file.read_via_stream(3)
    assert stream.read(4) == b"3456"
    assert stream.read(0) == b""
    assert stream.blocking_read(100) == b"789"
    assert failure(stream.read, 1) == Variant("closed")
    file.write(b"ab", 10)
    assert stream.read(5) == b"ab"
    stream.close()


def test_skipping_and_splicing(file: Descriptor) -> None:
    file.write(b"0123456789", 0)
    source, sink = file.read_via_stream(0), file.append_via_stream()
    assert source.skip(8) == 8
    assert sink.splice(source, 2) == 2
    assert contents(file) == b"012345678989"
    source.close()
    sink.close()


def test_writing_at_an_offset(file: Descriptor) -> None:
    stream = file.write_via_stream(2)
    assert stream.check_write() > 0
    stream.write(b"ab")
    stream.blocking_write_and_flush(b"cd")
    stream.write_out(b"e")
    assert contents(file) == b"\0\0abcde"
    stream.close()


def test_appending(file: Descriptor) -> None:
    file.write(b"one", 0)
    stream = file.append_via_stream()
    stream.blocking_write_and_flush(b"two")
    file.write(b"three", 6)
    stream.blocking_write_and_flush(b"four")
    assert contents(file) == b"onetwothreefour"
    stream.close()


def test_streams_outlive_their_descriptor(world: World) -> None:
    root = Descriptor(world.root)
    file = root.open_at(set(), "new", {"create"}, {"read", "write"})
    out, back = file.write_via_stream(0), file.read_via_stream(0)
    file.drop()
    out.blocking_write_and_flush(b"still")
    assert back.read(10) == b"still"
    out.close()
    back.close()


def test_files_are_always_ready(file: Descriptor) -> None:
    for stream in (file.read_via_stream(0), file.write_via_stream(0)):
        pollable = stream.subscribe()
        assert pollable.ready()
        pollable.close()
        stream.close()


def test_failures_have_codes(file: Descriptor) -> None:
    stream = file.write_via_stream(2**64 - 2)
    stream.check_write()
    payload = failure(stream.write, b"far")
    assert payload.case == "last-operation-failed"
    code = FilesystemTypes().filesystem_error_code(payload.payload)
    assert code in ("file-too-large", "insufficient-space")
    assert failure(stream.check_write) == Variant("closed")
    stream.close()


def test_errors_of_other_streams_have_none() -> None:
    for cause in (None, "EPIPE", 5):
        assert FilesystemTypes().filesystem_error_code(failed("x", cause).payload.payload) is None


def test_writes_that_wait_for_the_disk(folder_world: World) -> None:
    root = Descriptor(folder_world.root)
    flags = {"read", "write", "file-integrity-sync"}
    file = root.open_at(set(), "synced", {"create"}, flags)
    stream = file.write_via_stream(0)

    async def write() -> None:
        waiting = stream.blocking_write_and_flush(b"abc")
        assert waiting is not None
        await waiting
        assert stream.check_write() > 0
        stream.write(b"def")
        assert stream.check_write() == 0
        stream.close()
        await asyncio.sleep(0.05)

    asyncio.run(write())
    assert contents(file) == b"abcdef"
    file.close()


def test_without_an_event_loop_they_are_written_before_the_stream_is_gone(folder_world: World) -> None:
    root = Descriptor(folder_world.root)
    file = root.open_at(set(), "synced", {"create"}, {"read", "write", "data-integrity-sync"})
    stream = file.append_via_stream()
    assert stream.check_write() > 0
    stream.write(b"abc")
    stream.drop()
    assert contents(file) == b"abc"
    file.close()


def test_a_failed_read_ends_the_stream(file: Descriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = file.read_via_stream(0)

    def fail(length: int, offset: int) -> bytes:
        raise FilesystemError("io")

    monkeypatch.setattr(stream.source._file, "read", fail)  # type: ignore[attr-defined]
    payload = failure(stream.read, 1)
    assert FilesystemTypes().filesystem_error_code(payload.payload) == "io"
    assert failure(stream.read, 1) == Variant("closed")
    stream.close()
