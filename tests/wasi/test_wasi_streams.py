"""Streams and pollables: what may be written when, what ends how, what depends on what."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from wippywasm.errors import Trap, WitError
from wippywasm.values import Variant
from wippywasm.wasi.clock_sources import FakeClock, SystemClock
from wippywasm.wasi.clocks import MonotonicClock
from wippywasm.wasi.pollables import MAX_POLLED, Poll, Pollable
from wippywasm.wasi.sinks import MAX_WRITE, PIPE_WRITE, CallbackSink, Capture, FileSink, NullSink
from wippywasm.wasi.sources import MAX_READ, BytesSource, CallbackSource, FileSource
from wippywasm.wasi.stream_errors import IoError, failed
from wippywasm.wasi.streams import InputStream, OutputStream
from wippywasm.wasi.waitables import settled

CLOSED = Variant("closed")


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 10))


def error_of(function: Callable[[], Any]) -> Any:
    with pytest.raises(WitError) as raised:
        function()
    return raised.value.payload


class Slow:
    """A sink that takes `room` bytes, and more when `later` is called."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.got = b""
        self.flushed = 0
        self.more = asyncio.Event()

    def is_ready(self) -> bool:
        return self.room > 0

    async def ready(self) -> None:
        await self.more.wait()
        self.more.clear()

    def permit(self) -> int:
        return self.room

    def put(self, data: bytes) -> None:
        assert len(data) <= self.room
        self.got += data
        self.room -= len(data)

    def flush(self) -> None:
        self.flushed += 1

    def close(self) -> None: ...

    def later(self, room: int) -> None:
        self.room += room
        self.more.set()


# ---- reading


def test_reading_to_the_end() -> None:
    stream = InputStream(BytesSource(b"hello"))
    assert stream.read(2) == b"he"
    assert stream.read(0) == b""
    assert stream.skip(1) == 1
    assert stream.blocking_read(1 << 40) == b"lo"
    assert error_of(lambda: stream.read(1)) == CLOSED
    assert error_of(lambda: stream.blocking_skip(1)) == CLOSED


def test_one_read_gives_so_much_and_no_more() -> None:
    stream = InputStream(BytesSource(bytes(MAX_READ + 5)))
    assert len(settled_now(stream.read(2**64 - 1))) == MAX_READ
    assert stream.skip(2**64 - 1) == 5


def settled_now(value: Any) -> Any:
    assert not hasattr(value, "__await__")
    return value


def test_reading_from_a_pipe_waits_only_where_it_may() -> None:
    r, w = os.pipe()
    try:
        stream = InputStream(FileSource(r))
        pollable = stream.subscribe()
        assert stream.read(10) == b""
        assert not pollable.ready()

        async def reading() -> None:
            asyncio.get_running_loop().call_later(0.01, os.write, w, b"abc")
            assert await settled(stream.blocking_read(2)) == b"ab"
            assert stream.read(10) == b"c"
            asyncio.get_running_loop().call_later(0.01, os.write, w, b"defg")
            await settled(pollable.block())
            assert pollable.ready()
            assert await settled(stream.blocking_skip(3)) == 3
            assert await settled(stream.blocking_read(3)) == b"g"

        run(reading())
        os.close(w)
        assert error_of(lambda: stream.blocking_read(1)) == CLOSED
        assert error_of(lambda: stream.read(1)) == CLOSED
    finally:
        os.close(r)


def test_several_wait_for_one_descriptor() -> None:
    r, w = os.pipe()
    try:

        async def waiting() -> list[bytes]:
            first, second = InputStream(FileSource(r)), InputStream(FileSource(r))
            asyncio.get_running_loop().call_later(0.01, os.write, w, b"ab")
            return list(await asyncio.gather(settled(first.blocking_read(1)), settled(second.blocking_read(1))))

        assert sorted(run(waiting())) == [b"a", b"b"]
    finally:
        os.close(r)
        os.close(w)


@pytest.mark.parametrize("is_async", [True, False])
def test_a_function_is_a_source(is_async: bool) -> None:
    parts = [b"one", b"two", b""]

    async def later(limit: int) -> bytes:
        await asyncio.sleep(0)
        return parts.pop(0)

    def now(limit: int) -> bytes:
        assert limit == MAX_READ
        return parts.pop(0)

    async def reading() -> None:
        stream = InputStream(CallbackSource(later if is_async else now))
        assert await settled(stream.blocking_read(2)) == b"on"
        assert await settled(stream.blocking_read(9)) == b"e"
        assert await settled(stream.blocking_read(9)) == b"two"
        with pytest.raises(WitError) as raised:
            await settled(stream.blocking_read(9))
        assert raised.value.payload == CLOSED

    run(reading())


def test_a_guest_that_only_asks_and_never_waits_gets_its_bytes_too() -> None:
    async def fetch(limit: int) -> bytes:
        return b"x"

    async def reading() -> bytes:
        stream = InputStream(CallbackSource(fetch))
        for _ in range(100):
            if data := settled_now(stream.read(1)):
                return data  # type: ignore[no-any-return]
            await asyncio.sleep(0)
        return b""

    assert run(reading()) == b"x"


def test_a_source_that_fails_is_closed_then_and_tells_no_secrets() -> None:
    def fetch(limit: int) -> bytes:
        raise OSError(5, "Input/output error", "/secret/path")

    async def reading() -> None:
        stream = InputStream(CallbackSource(fetch))
        payload = error_of(lambda: stream.read(1))
        assert payload.case == "last-operation-failed"
        assert payload.payload.to_debug_string() == "Input/output error"
        assert error_of(lambda: stream.read(1)) == CLOSED

    run(reading())


def test_waiting_that_is_cancelled_loses_nothing() -> None:
    async def fetch(limit: int) -> bytes:
        await asyncio.sleep(0.02)
        return b"kept"

    async def reading() -> bytes:
        stream = InputStream(CallbackSource(fetch))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(settled(stream.blocking_read(9)), 0.001)
        return await settled(stream.blocking_read(9))  # type: ignore[no-any-return]

    assert run(reading()) == b"kept"


def test_a_source_may_be_read_on_one_loop_after_another() -> None:
    async def fetch(limit: int) -> bytes:
        await asyncio.sleep(0.001)
        return b"abc"

    stream = InputStream(CallbackSource(fetch))

    async def one() -> bytes:
        return await settled(stream.blocking_read(1))  # type: ignore[no-any-return]

    assert [run(one()) for _ in range(5)] == [b"a", b"b", b"c", b"a", b"b"]


# ---- writing


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


# ---- splicing


def test_splicing_moves_what_is_there_and_permitted() -> None:
    async def splicing() -> None:
        sink = Slow(4)
        out, source = OutputStream(sink), InputStream(BytesSource(b"abcdefgh"))
        assert out.splice(source, 3) == 3
        assert out.splice(source, 100) == 1
        assert out.splice(source, 100) == 0
        moving = asyncio.ensure_future(settled(out.blocking_splice(source, 2)))
        await asyncio.sleep(0)
        sink.later(10)
        assert await moving == 2
        assert out.blocking_splice(source, 9) == 2
        assert sink.got == b"abcdefgh"
        assert error_of(lambda: out.splice(source, 9)) == CLOSED

    run(splicing())


def test_splicing_waits_for_the_source_too() -> None:
    r, w = os.pipe()
    try:

        async def splicing() -> None:
            out, source = OutputStream(Capture()), InputStream(FileSource(r))
            asyncio.get_running_loop().call_later(0.01, os.write, w, b"xyz")
            assert out.splice(source, 5) == 0
            assert await settled(out.blocking_splice(source, 2)) == 2

        run(splicing())
    finally:
        os.close(r)
        os.close(w)


# ---- polling


def test_polling_gives_all_that_are_ready() -> None:
    clock = FakeClock()
    timers = MonotonicClock(clock)
    late, now, later = timers.subscribe_duration(50), timers.subscribe_instant(0), timers.subscribe_duration(90)
    poll = Poll()
    assert poll.poll([late, now, now]) == [1, 2]
    assert run(settled(poll.poll([late, later]))) == [0]
    assert clock.monotonic() == 50
    assert poll.poll([later, late]) == [1]


def test_polling_nothing_traps_and_so_does_polling_too_much() -> None:
    with pytest.raises(Trap, match="empty list"):
        Poll().poll([])
    ready = Pollable(BytesSource())
    with pytest.raises(Trap, match="more than"):
        Poll().poll([ready] * (MAX_POLLED + 1))


def test_of_thousands_of_timers_only_the_first_is_waited_for() -> None:
    class Counting(FakeClock):
        sleeps = 0

        async def sleep_until(self, instant: int) -> None:
            self.sleeps += 1
            await super().sleep_until(instant)

    async def polling() -> None:
        first, second = Counting(), Counting()
        timers = [MonotonicClock(clock).subscribe_instant(10**9 - i) for i in range(1000) for clock in (first, second)]
        assert await settled(Poll().poll([*timers, *timers])) in ([1998, 3998], [1999, 3999], [1998, 1999, 3998, 3999])
        assert (first.sleeps, second.sleeps) == (1, 1)

    run(polling())


def test_polling_many_ends_with_the_first_and_leaves_nothing_behind() -> None:
    async def polling() -> None:
        clock, before = MonotonicClock(SystemClock()), asyncio.all_tasks()
        timers = [clock.subscribe_duration((1 + i % 7) * 3_600_000_000_000) for i in range(1000)]
        timers.insert(500, clock.subscribe_duration(2_000_000))
        assert await settled(Poll().poll(timers)) == [500]
        assert asyncio.all_tasks() == before

    run(polling())


def test_far_instants_do_not_overflow() -> None:
    clock = MonotonicClock(SystemClock())
    assert not clock.subscribe_duration(2**64 - 1).ready()
    assert not clock.subscribe_instant(2**64 - 1).ready()


# ---- order of dropping


def test_a_stream_outlives_its_pollables() -> None:
    stream = InputStream(BytesSource(b"x"))
    first, second = stream.subscribe(), stream.subscribe()
    first.drop()
    with pytest.raises(Trap, match="dropped before 1 that depend on it"):
        stream.drop()
    second.drop()
    stream.drop()
    assert error_of(lambda: stream.read(1)) == CLOSED


def test_at_the_end_of_a_guest_any_order_will_do() -> None:
    stream = OutputStream(NullSink())
    pollable = stream.subscribe()
    stream.close()
    pollable.close()
    pollable.close()


def test_a_shared_source_stays_open() -> None:
    source = BytesSource(b"ab")
    InputStream(source, keep=True).close()
    assert InputStream(source).read(9) == b"ab"


def test_errors_say_what_they_know() -> None:
    assert IoError("text").to_debug_string() == "text"
