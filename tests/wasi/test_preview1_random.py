"""Every function of preview 1 with odd arguments: an error number or a trap, and nothing outside of the mounts."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wasi.conftest import Load
from tests.wasi.wasi_guests import Raw, preview1_module, subscription
from wippywasm.errors import Trap
from wippywasm.wasi import FakeClock, MemoryDirectory, Wasi
from wippywasm.wasi.preview1.codes import ERRNO
from wippywasm.wasi.preview1.signatures import SIGNATURES

CALLS = 1000
END = 0x20000
PATHS = (b"f", b"d", b"d/l", b"../s", b"d/..", b"fifo", b"new", b"n/", b".", b"\xff", b"a\0", b"/etc", b"x" * 300)
BUFFERS = (100, END - 16, 0xFFFF_FFFF, 0)
LENGTHS = (0, 5, 1000, 70_000, 0xFFFF_FFFF)
NUMBERS = {
    "i32": (0, 1, 2, 3, 4, 5, 6, 8, 16, 100, 4096, END - 16, END - 1, END, -1, -8, 2**31 - 1, -(2**31)),
    "i64": (0, 1, 2, 64, 66, 4096, 10**9, 2**63 - 1, -(2**63), -1),
}


class Odd:
    """Arguments: sometimes any numbers, mostly such that the function gets far."""

    def __init__(self, chance: random.Random, guest: Raw) -> None:
        self.chance = chance
        self.guest = guest

    def of(self, name: str) -> list[int]:
        args = [self.chance.choice(NUMBERS[type]) for type in SIGNATURES[name].params]
        if self.chance.random() < 0.1:
            return args
        if name.startswith(("fd_", "path_", "sock_")) and name != "path_symlink":
            args[0] = self.chance.randrange(8)
        if name in ("fd_read", "fd_write", "fd_pread", "fd_pwrite"):
            args[1], args[2] = self._buffers()
        elif name == "fd_readdir":
            args[1], args[2] = 8192, self.chance.choice([0, 10, 100, 4000])
        elif name == "poll_oneoff":
            args[0], args[1], args[2] = 4096, 8192, self._subscriptions()
        elif name.startswith("path_"):
            self._paths(name, args)
        if args and name.startswith(("fd_read", "fd_write", "fd_p", "path_open", "path_readlink", "poll")):
            args[-1] = 16
        return args

    def _buffers(self) -> tuple[int, int]:
        some = [(self.chance.choice(BUFFERS), self.chance.choice(LENGTHS)) for _ in range(3)]
        return self.guest.vector(*some[: self.chance.randrange(4)])

    def _subscriptions(self) -> int:
        count = self.chance.randrange(1, 4)
        asked = (
            subscription(i, self.chance.randrange(4), self.chance.randrange(6), self.chance.choice([0, 5, 2**64 - 1]))
            for i in range(count)
        )
        self.guest.write(4096, b"".join(asked))
        return count

    def _paths(self, name: str, args: list[int]) -> None:
        """The last two pointers with a length behind them, of those that the function has."""
        at = {"path_symlink": [0, 3], "path_rename": [1, 4], "path_link": [2, 5]}
        follows = name in ("path_open", "path_filestat_get", "path_filestat_set_times")
        for place, where in zip(at.get(name, [2 if follows else 1]), (1000, 2000)):
            args[place], args[place + 1] = self.guest.path(self.chance.choice(PATHS), where)
        if name in ("path_rename", "path_link", "path_symlink"):
            args[at[name][1] - 1] = self.chance.choice([3, 4])


@pytest.mark.parametrize("seed", range(3))
def test_odd_arguments(seed: int, load: Load, tmp_path: Path) -> None:
    (tmp_path / "in/d").mkdir(parents=True)
    (tmp_path / "in/f").write_text("hello" * 1000)
    (tmp_path / "s").write_text("secret")
    (tmp_path / "in/d/l").symlink_to("../../s")
    os.mkfifo(tmp_path / "in/fifo")
    mounts: Any = {"/": tmp_path / "in", "/m": MemoryDirectory({"g": "x"})}
    wasi = Wasi(args=["a"], env={"A": "b"}, stdin=b"in", stdout=None, mounts=mounts, clock=FakeClock(), random=1)
    chance, answers, component = random.Random(seed), Counter[object](), load(preview1_module())
    with wasi:
        while answers.total() < CALLS:
            with component.instantiate(wasi.imports(["wasi1"])) as guest:
                answers.update(until_a_trap(guest, Odd(chance, Raw(guest.call))))
    assert len(answers) > 10
    assert answers.keys() <= {*ERRNO.values(), "misaligned pointer", "out of bounds memory access"}
    assert sorted(os.listdir(tmp_path)) == ["in", "s"]
    assert (tmp_path / "s").read_text() == "secret"


def until_a_trap(guest: Any, odd: Odd) -> Iterator[object]:
    """Error numbers, then why it trapped."""
    names = [name for name in SIGNATURES if name != "proc_exit"]
    for _ in range(50):
        name = odd.chance.choice(names)
        try:
            yield guest.call(name, *odd.of(name))
        except Trap as trap:
            yield trap.code
            return
