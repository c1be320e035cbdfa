"""What a bad pointer, list or descriptor does in preview 1."""

from __future__ import annotations

import struct

import pytest

from tests.wasi.wasi_guests import OK, Start
from wippywasm.errors import Trap
from wippywasm.wasi.preview1.codes import ERRNO
from wippywasm.wasi.preview1.signatures import SIGNATURES

BAD = 0x1FFF0  # sixteen bytes before the end of the memory


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("random_get", (BAD, 17)),
        ("random_get", (-1, -1)),
        ("random_get", (0, -1)),
        ("args_sizes_get", (0, BAD + 16)),
        ("args_sizes_get", (2, 4)),
        ("clock_time_get", (0, 0, -8)),
        ("clock_time_get", (0, 0, 4)),
        ("fd_fdstat_get", (0, BAD)),
        ("fd_filestat_get", (0, -64)),
        ("fd_read", (0, -8, 2, 16)),
        ("fd_read", (0, 0, 0x2000_0000, 16)),
        ("fd_read", (0, 0, -1, 16)),
        ("fd_read", (0, 41, 1, 16)),
        ("fd_write", (1, 0, 0, 0x2_0000)),
        ("fd_readdir", (3, BAD, 17, 0, 16)),
        ("path_open", (3, 0, -1, -1, 0, 2, 0, 0, 0)),
        ("path_readlink", (3, 0, 1, BAD, 0x7FFF_FFFF, 0)),
        ("poll_oneoff", (-48, 8192, 2, 16)),
        ("poll_oneoff", (4096, BAD, 1, 16)),
    ],
)
def test_pointers_outside_of_the_memory_trap(start: Start, name: str, args: tuple[int, ...]) -> None:
    with pytest.raises(Trap, match=r"outside of the memory|not aligned"):
        start(args=["x"]).call(name, *args)


def test_buffers_that_lie_outside_trap(start: Start) -> None:
    guest = start(stdin=b"abc")
    with pytest.raises(Trap, match="outside"):
        guest.call("fd_read", 0, *guest.vector((100, 1), (0xFFFF_FFFF, 2)), 16)


def test_lists_of_buffers_are_used_as_far_as_is_sensible(start: Start) -> None:
    guest = start(stdout=None)
    guest.write(40, struct.pack("<II", 0, 0x10000) * 1500)
    assert guest.call("fd_write", 1, 40, 1500, 16) == OK
    assert guest.u32(16) == 1 << 20


def test_numbers_that_are_no_descriptors(start: Start) -> None:
    guest = start()
    for name, type in SIGNATURES.items():
        if name.startswith("fd_") and name != "fd_renumber":
            args = [0x7000_0000 if i == 0 else 0 for i in range(len(type.params))]
            assert guest.call(name, *args) == ERRNO["badf"], name
