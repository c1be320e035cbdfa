"""Streams among others: from one into another, and what has to be dropped before what."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.wasi.stream_helpers import CLOSED, Slow, error_of, run
from wippywasm.errors import Trap
from wippywasm.wasi.sinks import Capture, NullSink
from wippywasm.wasi.sources import BytesSource, FileSource
from wippywasm.wasi.stream_errors import IoError
from wippywasm.wasi.streams import InputStream, OutputStream
from wippywasm.wasi.waitables import settled


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
