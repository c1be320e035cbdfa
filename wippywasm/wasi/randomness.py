"""`wasi:random`: random bytes, from the system or from a seed.

In: what gives random bytes. Out: the interfaces.

Spec: `wasi:random/random`, `insecure`, `insecure-seed`.
"""

from __future__ import annotations

import os
import random
from typing import Protocol, runtime_checkable

from wippywasm.errors import Trap
from wippywasm.instance.offered import HostInterface

MAX_RANDOM = 1 << 24
"""Bytes that a guest may ask for at once."""


@runtime_checkable
class RandomBytes(Protocol):
    """What `random.Random` is, too."""

    def randbytes(self, n: int, /) -> bytes: ...


class SystemRandom:
    """The operating system's, fit for secrets."""

    def randbytes(self, n: int, /) -> bytes:
        return os.urandom(n)


def random_source(given: RandomBytes | int | None) -> RandomBytes:
    """What to draw from: the system, what was given, or the sequence of a seed."""
    if given is None:
        return SystemRandom()
    return random.Random(given) if isinstance(given, int) else given


def random_bytes(source: RandomBytes, length: int) -> bytes:
    """So many bytes; traps where a guest asks for more than the host wants to hold."""
    if length > MAX_RANDOM:
        raise Trap(f"the guest asked for {length} random bytes at once, the limit is {MAX_RANDOM}", code="too many")
    return source.randbytes(length)


def _number(source: RandomBytes) -> int:
    return int.from_bytes(source.randbytes(8), "little")


class Random(HostInterface):
    """`wasi:random/random`."""

    wit = "wasi:random/random"

    def __init__(self, source: RandomBytes) -> None:
        self._source = source

    def get_random_bytes(self, length: int) -> bytes:
        return random_bytes(self._source, length)

    def get_random_u64(self) -> int:
        return _number(self._source)


class Insecure(HostInterface):
    """`wasi:random/insecure`."""

    wit = "wasi:random/insecure"

    def __init__(self, source: RandomBytes) -> None:
        self._source = source

    def get_insecure_random_bytes(self, length: int) -> bytes:
        return random_bytes(self._source, length)

    def get_insecure_random_u64(self) -> int:
        return _number(self._source)


class InsecureSeed(HostInterface):
    """`wasi:random/insecure-seed`."""

    wit = "wasi:random/insecure-seed"

    def __init__(self, source: RandomBytes) -> None:
        self._source = source

    def insecure_seed(self) -> tuple[int, int]:
        return _number(self._source), _number(self._source)
