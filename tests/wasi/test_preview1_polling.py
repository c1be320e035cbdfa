"""`poll_oneoff` of preview 1: clocks, streams, files, and what can't be waited for."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.wasi.wasi_guests import OK, Raw, Start, opened, subscription
from wippywasm.wasi import FakeClock
from wippywasm.wasi.preview1.codes import ERRNO


def polled(guest: Raw, *subscriptions: bytes) -> list[tuple[int, int, int, int]]:
    guest.write(4096, b"".join(subscriptions))
    assert guest.call("poll_oneoff", 4096, 8192, len(subscriptions), 16) == OK
    count = guest.u32(16)
    return [struct.unpack("<QHB5xQ8x", guest.read(8192 + 32 * i, 32)) for i in range(count)]


def test_polling_clocks(start: Start) -> None:
    clock = FakeClock(monotonic=1_000, wall=10**18)
    guest = start(clock=clock)
    assert polled(guest, subscription(7, 0, 1, 500), subscription(8, 0, 1, 900)) == [(7, 0, 0, 0)]
    assert clock.monotonic() == 1_500
    assert polled(guest, subscription(1, 0, 0, 10**18 + 5_000, 1)) == [(1, 0, 0, 0)]
    assert clock.wall() == 10**18 + 5_000
    assert polled(guest, subscription(2, 0, 1, 0, 1), subscription(3, 0, 0, 3, 1)) == [(2, 0, 0, 0), (3, 0, 0, 0)]


def test_polling_streams_and_files(start: Start, folder: Path) -> None:
    guest = start(mounts={"/d": folder}, stdin=b"x")
    fd = opened(guest, "file")
    sleep = subscription(1, 0, 1, 10**15)
    assert polled(guest, sleep, subscription(2, 1, 0), subscription(3, 2, 1)) == [(2, 0, 1, 1), (3, 0, 2, 1)]
    assert polled(guest, subscription(4, 1, fd)) == [(4, 0, 1, 11)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (subscription(1, 1, 1), "badf"),
        (subscription(1, 2, 0), "badf"),
        (subscription(1, 1, 3), "badf"),
        (subscription(1, 3, 0), "inval"),
        (subscription(1, 0, 2), "inval"),
        (subscription(1, 0, 1, 0, 2), "inval"),
    ],
)
def test_polling_what_can_not_be_waited_for(start: Start, wrong: bytes, code: str) -> None:
    guest = start()
    guest.write(4096, wrong)
    assert guest.call("poll_oneoff", 4096, 8192, 1, 16) == ERRNO[code]
    assert guest.call("poll_oneoff", 4096, 8192, 0, 16) == ERRNO["inval"]
    assert guest.call("poll_oneoff", 4096, 8192, 5000, 16) == ERRNO["inval"]
