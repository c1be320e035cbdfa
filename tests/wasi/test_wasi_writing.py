"""Output streams: what may be written when, what waits, how they end."""

from __future__ import annotations

import asyncio
import fcntl
import os

import pytest

from tests.wasi.stream_helpers import CLOSED, Slow, error_of, run
from wippywasm.errors import Trap
from wippywasm.wasi.sinks import MAX_WRITE, PIPE_WRITE, CallbackSink, Capture, FileSink, NullSink
from wippywasm.wasi.sources import BytesSource
from wippywasm.wasi.stream_errors import failed
from wippywasm.wasi.streams import InputStream, OutputStream
from wippywasm.wasi.waitables import settled


def test_no_more_may_be_written_than_was_permitted() -> None:
    out = Capture()
    stream = OutputStream(out)
    with pytest.raises(Trap, match="permitted 0"):
        stream.write(b"x")
    assert stream.check_write() == MAX_WRITE
    stream.write(b"abc")
    stream.write_zeroes(2)
    with pytest.raises(Trap, match=f"permitted {MAX_WRITE - 5}"):
        stream.write_zeroes(MAX_WRITE)
    stream.flush()
    with pytest.raises(Trap, match="permitted 0"):
        stream.write(b"x")
    stream.write(b"")
    assert out.data == b"abc\0\0"


def test_flushing_writes_take_4096_bytes_at_most() -> None:
    stream = OutputStream(NullSink())
    assert stream.blocking_write_and_flush(bytes(4096)) is None
    assert stream.blocking_write_zeroes_and_flush(4096) is None
    with pytest.raises(Trap, match="4096"):
        stream.blocking_write_and_flush(bytes(4097))
    with pytest.raises(Trap, match="4096"):
        stream.blocking_write_zeroes_and_flush(2**64 - 1)


def test_a_write_waits_until_all_of_it_is_taken() -> None:
    async def writing() -> None:
        sink = Slow(3)
        stream = OutputStream(sink)
        work = asyncio.ensure_future(settled(stream.blocking_write_and_flush(b"abcdef")))
        await asyncio.sleep(0)
        assert sink.got == b"abc"
        assert not stream.subscribe().ready()
        sink.later(2)
        await asyncio.sleep(0.001)
        assert not work.done()
        sink.later(9)
        await work
        assert (sink.got, sink.flushed) == (b"abcdef", 1)

    run(writing())


def test_a_pipe_is_written_as_far_as_it_takes_without_waiting() -> None:
    r, w = os.pipe()
    try:
        stream = OutputStream(FileSink(w))
        written = 0
        while permit := stream.check_write():
            stream.write_zeroes(permit)
            written += permit
        assert written > 0
        assert not stream.subscribe().ready()

        async def draining() -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(0.01, os.read, r, 1 << 20)
            await settled(stream.blocking_write_and_flush(b"end"))

        run(draining())
        assert os.read(r, 1 << 20).endswith(b"end")
        os.close(r)
        payload = error_of(lambda: stream.blocking_write_and_flush(b"x"))
        assert payload.case == "last-operation-failed"
        assert payload.payload.cause == "EPIPE"
        assert error_of(stream.check_write) == CLOSED
    finally:
        os.close(w)


def test_streams_on_one_pipe_do_not_block_nor_lose_what_both_were_permitted() -> None:
    r, w = os.pipe()
    try:
        room = fcntl.fcntl(w, fcntl.F_GETPIPE_SZ)
        os.write(w, bytes(room - PIPE_WRITE))
        first, second = (OutputStream(FileSink(w), keep=True) for _ in range(2))

        async def writing() -> None:
            assert first.check_write() == second.check_write() == PIPE_WRITE
            assert first.write(b"1" * PIPE_WRITE) is None
            work = asyncio.ensure_future(settled(second.write(b"2" * PIPE_WRITE)))
            await asyncio.sleep(0.01)
            assert not work.done()
            assert os.read(r, room) == bytes(room - PIPE_WRITE) + b"1" * PIPE_WRITE
            await work
            assert os.read(r, room) == b"2" * PIPE_WRITE

        run(writing())
    finally:
        os.close(r)
        os.close(w)


@pytest.mark.parametrize("operation", ["write", "zeroes", "splice"])
def test_streams_on_one_sink_wait_for_each_other(operation: str) -> None:
    got: list[bytes] = []

    async def send(data: bytes) -> None:
        await asyncio.sleep(0.001)
        got.append(data)

    async def writing() -> None:
        sink = CallbackSink(send)
        first, second = (OutputStream(sink, keep=True) for _ in range(2))
        assert first.check_write() == second.check_write() == MAX_WRITE
        await settled(first.write(b"one"))
        if operation == "splice":
            assert second.splice(InputStream(BytesSource(b"two")), 2) == 0
            assert await settled(second.blocking_splice(InputStream(BytesSource(b"two")), 2)) == 2
        else:
            await settled(second.write(b"tw") if operation == "write" else second.write_zeroes(2))
        await settled(second.blocking_flush())
        assert got == [b"one", b"\0\0" if operation == "zeroes" else b"tw"]

    run(writing())


def test_a_function_is_a_sink_and_works_in_order() -> None:
    got: list[bytes] = []

    async def send(data: bytes) -> None:
        await asyncio.sleep(0.001)
        got.append(data)

    async def writing() -> None:
        stream = OutputStream(CallbackSink(send))
        for word in (b"a", b"b", b"c"):
            await settled(stream.blocking_write_and_flush(word))
        assert got == [b"a", b"b", b"c"]
        assert stream.check_write() == MAX_WRITE
        stream.write(b"d")
        assert stream.check_write() == 0
        await settled(stream.subscribe().block())
        assert got[-1] == b"d"

    run(writing())


def test_a_sink_that_fails_is_closed_then() -> None:
    def send(data: bytes) -> None:
        raise failed("no", "quota")

    stream = OutputStream(CallbackSink(send))
    payload = error_of(lambda: stream.blocking_write_and_flush(b"x"))
    assert (payload.payload.text, payload.payload.cause) == ("no", "quota")
    assert error_of(stream.check_write) == CLOSED


def test_captured_output_has_a_limit() -> None:
    out = Capture(limit=10)
    stream = OutputStream(out)
    stream.check_write()
    stream.write(b"0123456789")
    stream.check_write()
    stream.write(b"+")
    payload = error_of(stream.check_write)
    assert "10 bytes" in payload.payload.to_debug_string()
    assert error_of(stream.check_write) == CLOSED
    assert out.text == "0123456789"
