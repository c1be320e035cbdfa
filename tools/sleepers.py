"""Many guests asleep at once in one thread: what each takes, and how late it wakes.

In: how many, on which engine. Out: memory and memory maps for each sleeper, the lateness of wakes that are spread over
some seconds, and of one in which all wake at the same moment. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from typing import Any

import wippywasm

SLEEPER = """(module (import "test:host/clock" "sleep" (func $sleep (param i32) (result i32)))
  (memory (export "memory") 2) (func (export "run") (param i32) (result i32) (call $sleep (local.get 0))))"""
WIT = (
    "package test:sleeper; world w { import test:host/clock; export run: func(ms: u32) -> u32; }"
    " package test:host { interface clock { sleep: func(ms: u32) -> u32; } }"
)


class Clock:
    """Sleeps until a moment given in milliseconds after `start`, and notes how late it is then."""

    def __init__(self) -> None:
        self.start = 0.0
        self.late: list[float] = []

    async def sleep(self, ms: int) -> int:
        wake = self.start + ms / 1000
        await asyncio.sleep(max(0.0, wake - time.monotonic()))
        self.late.append(time.monotonic() - wake)
        return ms


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.sleepers", description="Put many guests to sleep at once.")
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--engine", help="wasmtime or wasmer (default: the usual one)")
    parser.add_argument("--seconds", type=float, default=10.0, help="over how long the wakes are spread (default: 10)")
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.count, arguments.engine, arguments.seconds))


async def measure(count: int, engine: str | None, seconds: float) -> None:
    clock = Clock()
    linked = wippywasm.load(SLEEPER, wit=WIT, engine=engine).link({"test:host/clock": clock})
    with linked.instantiate() as warm:
        await warm.call_async("run", 0)
    rss, maps = resident_kib(), memory_maps()
    guests = [linked.instantiate() for _ in range(count)]
    fresh = resident_kib()
    await night(clock, guests, lambda index: 3 + count / 1000 + seconds * index / count, "spread wakes")
    print(f"an instance: {(fresh - rss) / count:.1f} KiB; asleep: {(resident_kib() - rss) / count:.1f} KiB", end="")
    print(f" and {(memory_maps() - maps) / count:.1f} memory maps at the most")
    await night(clock, guests, lambda _: 3 + count / 1000, "one wake for all")


async def night(clock: Clock, guests: list[Any], wake: Any, name: str) -> None:
    """Put all to sleep, each until so many seconds from now, and say how late they woke."""
    clock.late.clear()
    clock.start = time.monotonic()
    wakes = [int(wake(index) * 1000) for index in range(len(guests))]
    got = await asyncio.gather(*(guest.call_async("run", ms) for guest, ms in zip(guests, wakes)))
    assert got == wakes
    late = sorted(clock.late)
    shown = ", ".join(f"{label} {late[int((len(late) - 1) * q)] * 1000:.1f} ms" for label, q in PERCENTILES)
    print(f"{name}: {len(late)} woke, late by {shown}")


PERCENTILES = (("median", 0.5), ("p99", 0.99), ("max", 1.0))


def resident_kib() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


def memory_maps() -> int:
    return len(Path("/proc/self/maps").read_text().splitlines())


if __name__ == "__main__":
    main()
