"""Input streams: what a read gives, what waits, how they end."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.wasi.stream_helpers import CLOSED, error_of, run, settled_now
from wippywasm.errors import WitError
from wippywasm.wasi.sources import MAX_READ, BytesSource, CallbackSource, FileSource
from wippywasm.wasi.streams import InputStream
from wippywasm.wasi.waitables import settled


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
