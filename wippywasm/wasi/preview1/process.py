"""Preview 1: arguments, environment, clocks, random, exit.

In: core values, signed as they come. Out: error numbers; results in the guest's memory.

Spec: WASI preview 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from wippywasm.errors import GuestExit
from wippywasm.wasi.clock_sources import Clock
from wippywasm.wasi.preview1.codes import ErrnoError
from wippywasm.wasi.preview1.descriptors import Descriptors
from wippywasm.wasi.preview1.memory import GuestMemory
from wippywasm.wasi.randomness import MAX_RANDOM, RandomBytes

REALTIME, MONOTONIC = 0, 1
_M32 = 0xFFFF_FFFF
_M64 = 0xFFFF_FFFF_FFFF_FFFF


class Strings:
    """`args_*` and `environ_*`: texts that end with a NUL, and pointers to them."""

    def __init__(self, memory: GuestMemory, args: Sequence[str], env: Callable[[], list[tuple[str, str]]]) -> None:
        self._memory = memory
        self._args = [text.encode() + b"\0" for text in args]
        self._read_env = env
        self._env: list[bytes] | None = None

    def args_sizes_get(self, count: int, size: int) -> None:
        self._sizes(self._args, count, size)

    def args_get(self, pointers: int, buffer: int) -> None:
        self._get(self._args, pointers, buffer)

    def environ_sizes_get(self, count: int, size: int) -> None:
        """Looks at the variables; `environ_get` gives what was there then, since the guest made room for that."""
        self._env = self._variables()
        self._sizes(self._env, count, size)

    def environ_get(self, pointers: int, buffer: int) -> None:
        self._get(self._variables() if self._env is None else self._env, pointers, buffer)

    def _variables(self) -> list[bytes]:
        return [f"{name}={value}".encode() + b"\0" for name, value in self._read_env()]

    def _sizes(self, texts: list[bytes], count: int, size: int) -> None:
        self._memory.write_u32(count, len(texts))
        self._memory.write_u32(size, sum(map(len, texts)))

    def _get(self, texts: list[bytes], pointers: int, buffer: int) -> None:
        pointers = self._memory.check(pointers, 4 * len(texts), 4)
        at = self._memory.check(buffer, sum(map(len, texts)))
        for i, text in enumerate(texts):
            self._memory.write_u32(pointers + 4 * i, at)
            self._memory.write(at, text)
            at += len(text)


class Process:
    """Clocks, random bytes and the end."""

    def __init__(self, memory: GuestMemory, clock: Clock, random: RandomBytes) -> None:
        self._memory = memory
        self._clock = clock
        self._random = random

    def clock_res_get(self, id: int, result: int) -> None:
        _check_clock(id)
        self._memory.write_u64(result, self._clock.resolution)

    def clock_time_get(self, id: int, precision: int, result: int) -> None:
        _check_clock(id)
        now = max(0, self._clock.wall()) if id == REALTIME else self._clock.monotonic()
        self._memory.write_u64(result, now & _M64)

    def random_get(self, buffer: int, length: int) -> None:
        length &= _M32
        buffer = self._memory.check(buffer, length)
        if length > MAX_RANDOM:
            raise ErrnoError("inval")
        self._memory.write(buffer, self._random.randbytes(length))

    def proc_exit(self, code: int) -> NoReturn:
        raise GuestExit(code & _M32)

    def proc_raise(self, signal: int) -> NoReturn:
        raise ErrnoError("notsup")

    def sched_yield(self) -> None:
        """Nothing to do: fairness among guests does not depend on their goodwill."""


def _check_clock(id: int) -> None:
    if id not in (REALTIME, MONOTONIC):
        raise ErrnoError("badf" if id in (2, 3) else "inval")


class Sockets:
    """`sock_*`: no descriptor of preview 1 is a socket."""

    def __init__(self, descriptors: Descriptors) -> None:
        self._descriptors = descriptors

    def sock_accept(self, fd: int, flags: int, result: int) -> None:
        self._refuse(fd)

    def sock_recv(self, fd: int, data: int, count: int, flags: int, size: int, out_flags: int) -> None:
        self._refuse(fd)

    def sock_send(self, fd: int, data: int, count: int, flags: int, size: int) -> None:
        self._refuse(fd)

    def sock_shutdown(self, fd: int, how: int) -> None:
        self._refuse(fd)

    def _refuse(self, fd: int) -> NoReturn:
        self._descriptors.get(fd)
        raise ErrnoError("notsock")
