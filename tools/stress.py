"""Guests that end in every way at once, and guests that never would: `python -m tools.stress WHAT`.

`mixed`: calls that succeed, trap, run out of time and are cancelled, through a new instance each; every result is
accounted for. `timeouts`: guests that spin until `max_execution_ms` ends them; how late that is, what is left of ten
thousand. `spinners`: how late timers are, and how long requests and short calls take, on an event loop where guests
spin. What is expected of a result is asserted, times are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import wippywasm
from tools.sleepers import PERCENTILES, resident_kib
from wippywasm import Limits
from wippywasm.errors import TimedOutError, Trap

GUEST = """(module (import "test:host/clock" "sleep" (func $sleep (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "sleep") (param i32) (result i32) (call $sleep (local.get 0)))
  (func (export "crash") (param i32) (drop (call $sleep (local.get 0))) unreachable)
  (func (export "count") (param $n i32) (result i32) (local $k i32)
    (loop $l (local.set $k (i32.add (local.get $k) (i32.const 1))) (br_if $l (i32.lt_u (local.get $k) (local.get $n))))
    (local.get $k))
  (func (export "spin") (loop $l (br $l))))"""
WIT = """package test:stress;
world w { import test:host/clock; export add: func(a: s32, b: s32) -> s32; export sleep: func(ms: u32) -> u32;
  export crash: func(ms: u32); export count: func(n: u32) -> u32; export spin: func(); }
package test:host { interface clock { sleep: func(ms: u32) -> u32; } }"""
EXPECTED = {
    "add": "ok",
    "sleep": "ok",
    "crash": "Trap",
    "spin": "TimedOutError",
    "overlong": "TimedOutError",
    "cancelled": "TimeoutError",
}
WEIGHTS = {"add": 40, "sleep": 30, "crash": 20, "spin": 2, "overlong": 4, "cancelled": 4}
"""What 100 calls are; those that spin cost their whole time."""
AT_ONCE = 200
LITTLE = 500_000
"""What a guest counts to in about a millisecond."""


class Clock:
    """Sleeps; `running` is how many do."""

    def __init__(self) -> None:
        self.running = 0

    async def sleep(self, ms: int) -> int:
        self.running += 1
        try:
            await asyncio.sleep(ms / 1000)
        finally:
            self.running -= 1
        return ms


class Stress:
    """One engine's guests, each call in a new instance."""

    def __init__(self, engine: str | None) -> None:
        self.clock = Clock()
        self.linked = wippywasm.load(GUEST, wit=WIT, engine=engine).link({"test:host/clock": self.clock})
        self._chance = random.Random(1)

    async def mixed(self, count: int) -> Counter[tuple[str, str]]:
        """So many calls, `AT_ONCE` under way; how many of each kind ended in which way."""
        counts: Counter[tuple[str, str]] = Counter()
        kinds = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count)

        async def one(kind: str) -> None:
            limits = Limits(max_execution_ms=20 if kind in ("overlong", "spin") else 600_000)
            with self.linked.instantiate(limits=limits) as guest:
                counts[kind, await self._outcome(guest, kind)] += 1

        await at_once(AT_ONCE, [lambda kind=kind: one(kind) for kind in kinds])  # type: ignore[misc]
        return counts

    async def _outcome(self, guest: Any, kind: str) -> str:
        try:
            match kind:
                case "add":
                    assert await guest.call_async("add", 1, 2) == 3
                case "overlong":
                    await guest.call_async("sleep", 60_000)
                case "cancelled":
                    await asyncio.wait_for(guest.call_async("sleep", 60_000), 0.01)
                case "spin":
                    await guest.call_async("spin")
                case _:
                    await guest.call_async(kind, self._chance.randrange(4))
        except (Trap, TimedOutError, asyncio.TimeoutError) as error:
            return "TimeoutError" if isinstance(error, asyncio.TimeoutError) else type(error).__name__
        return "ok"

    async def timeouts(self, count: int, ms: int, at_once_: int) -> list[float]:
        """So many guests that spin; how many seconds late each ended."""
        late: list[float] = []

        async def one() -> None:
            with await self.linked.instantiate_async(limits=Limits(max_execution_ms=ms)) as guest:
                start = time.monotonic()
                try:
                    await guest.call_async("spin")
                except TimedOutError:
                    late.append(time.monotonic() - start - ms / 1000)

        await at_once(at_once_, [one] * count)
        assert len(late) == count
        return late

    async def spinners(self, count: int, seconds: float) -> dict[str, list[float]]:
        """While so many guests spin: how late a timer of 5 ms is each time, and how long other things take."""
        limits = Limits(max_execution_ms=int(seconds * 4000 + 1000))
        guests = [self.linked.instantiate(limits=limits) for _ in range(count)]
        spinning = [asyncio.ensure_future(guest.call_async("spin")) for guest in guests]
        times = {
            "a timer is late by": await timer_lateness(seconds),
            "a request takes": await request_times(seconds),
            "one over a new connection takes": await connection_times(seconds),
            "a call takes": await self.call_times(seconds),
        }
        ended = await asyncio.gather(*spinning, return_exceptions=True)
        assert all(isinstance(end, TimedOutError) for end in ended), ended
        for guest in guests:
            guest.close()
        return times

    async def call_times(self, seconds: float) -> list[float]:
        """Calls that need a millisecond, each of a new guest, one after the other."""
        took = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with await self.linked.instantiate_async(limits=Limits(max_execution_ms=60_000)) as guest:
                start = time.monotonic()
                await guest.call_async("count", LITTLE)
                took.append(time.monotonic() - start)
            await asyncio.sleep(0.005)
        return took


async def at_once(limit: int, work: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Do all of it, so much at a time."""
    places = asyncio.Semaphore(limit)

    async def one(do: Callable[[], Awaitable[None]]) -> None:
        try:
            await do()
        finally:
            places.release()

    tasks = set()
    for do in work:
        await places.acquire()
        task = asyncio.ensure_future(one(do))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


async def timer_lateness(seconds: float) -> list[float]:
    late = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        due = time.monotonic() + 0.005
        await asyncio.sleep(0.005)
        late.append(time.monotonic() - due)
    return late


async def request_times(seconds: float) -> list[float]:
    """A line sent to a server on the same loop, and its answer, one after the other."""
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        took = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.monotonic()
            writer.write(b"ping\n")
            await reader.readline()
            took.append(time.monotonic() - start)
            await asyncio.sleep(0.005)
        writer.close()
        return took


async def connection_times(seconds: float) -> list[float]:
    """The same with a connection of its own for each line."""
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        took = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.monotonic()
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"ping\n")
            await reader.readline()
            writer.close()
            took.append(time.monotonic() - start)
            await asyncio.sleep(0.005)
        return took


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
    writer.close()


def shown(values: Sequence[float]) -> str:
    ordered = sorted(values)
    return ", ".join(f"{label} {ordered[int((len(ordered) - 1) * q)] * 1000:.1f} ms" for label, q in PERCENTILES)


def left(clock: Clock) -> str:
    gc.collect()
    return f"RSS {resident_kib() / 1024:.1f} MiB, {threading.active_count()} threads, {clock.running} sleeps"


def run_mixed(stress: Stress, count: int) -> None:
    asyncio.run(stress.mixed(1000))
    print(f"after 1,000 calls: {left(stress.clock)}")
    start = time.monotonic()
    counts = asyncio.run(stress.mixed(count))
    for (kind, end), number in sorted(counts.items()):
        print(f"  {kind:10} {end:14} {number:7,}")
    assert sorted(counts) == sorted(EXPECTED.items()), "a call ended as it should not"
    assert sum(counts.values()) == count, "a call is not accounted for"
    print(f"{count:,} calls in {time.monotonic() - start:.0f} s, all accounted for; {left(stress.clock)}")


def run_timeouts(stress: Stress, count: int) -> None:
    asyncio.run(stress.timeouts(200, 100, 8))
    print(f"after 200 timeouts: {left(stress.clock)}")
    print(f"8 at once, max_execution_ms 100, late by: {shown(asyncio.run(stress.timeouts(200, 100, 8)))}")
    late = asyncio.run(stress.timeouts(count, 100, 100))
    print(f"{count:,} timeouts, 100 at once, late by: {shown(late)}; {left(stress.clock)}")


def run_spinners(stress: Stress, count: int) -> None:
    times = asyncio.run(stress.spinners(count, 10))
    print(f"{count} guests spin: {'; '.join(f'{what} {shown(values)}' for what, values in times.items())}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.stress", description="Guests that end in every way.")
    parser.add_argument("what", choices=("mixed", "timeouts", "spinners"))
    parser.add_argument("count", type=int, nargs="?", help="calls (100,000), timeouts (10,000) or spinners (8)")
    parser.add_argument("--engine", help="wasmtime or wasmer (default: the usual one)")
    arguments = parser.parse_args()
    stress = Stress(arguments.engine)
    match arguments.what:
        case "mixed":
            run_mixed(stress, arguments.count or 100_000)
        case "timeouts":
            run_timeouts(stress, arguments.count or 10_000)
        case _:
            run_spinners(stress, arguments.count or 8)


if __name__ == "__main__":
    main()
