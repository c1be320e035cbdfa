"""What needs a process of its own: starting, and the memory of many guests.

In: the engines. Out: rows; each sample is a fresh interpreter that runs this module (`python -m tools.bench.processes
TASK SIDE`) and prints a figure. Sides are the names of our engines and `wasmtime-py`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tools.bench.rows import PEER, Row, Unit

ROOT = Path(__file__).resolve().parents[2]
GUEST = ROOT / "examples/demo/wasm/people.wasm"
COUNT = 200
TASKS: dict[str, tuple[str, Unit]] = {
    "start": ("a new process, until its first call returned", "s"),
    "instances": (f"memory of each of {COUNT} instances", "KiB"),
    "asleep": (f"memory of each of {COUNT} guests asleep", "KiB"),
}


def process_rows(engines: Sequence[str]) -> Iterator[Row]:
    for task, (case, unit) in TASKS.items():
        for side in (*engines, PEER):
            shown = side if side == PEER else f"wippywasm on {side}"
            yield Row(case, shown, partial(figure, task, side), unit)


def figure(task: str, side: str) -> float:
    """What a process says; for `start` the seconds that it takes. Raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", "tools.bench.processes", task, side]
    start = time.perf_counter()
    out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return time.perf_counter() - start if task == "start" else float(out)


def main(task: str, side: str) -> None:
    if task == "asleep":
        print(memory_asleep_by_threads() if side == PEER else asyncio.run(memory_asleep(side)))
        return
    make = peer_maker() if side == PEER else our_maker(side)
    guests = [make()]
    if task == "instances":
        before = resident_kib()
        guests += [make() for _ in range(COUNT)]
        print((resident_kib() - before) / COUNT)


def our_maker(engine: str) -> Callable[[], Any]:
    import wippywasm

    linked = wippywasm.load(GUEST, engine=engine).link(undeclared="deny")

    def make() -> Any:
        guest = linked.instantiate()
        guest.call("compute", 6, 7)
        return guest

    return make


def peer_maker() -> Callable[[], Any]:
    import wasmtime

    from tools.bench.peer import PeerComponent

    component = PeerComponent(wasmtime.Engine(), GUEST.read_bytes())

    def make() -> Any:
        guest = component.instantiate()
        guest.call("compute", 6, 7)
        return guest

    return make


async def memory_asleep(engine: str) -> float:
    """KiB for each of our guests that waits in a task."""
    import wippywasm
    from tools.sleepers import SLEEPER, WIT

    gate = asyncio.Event()

    async def sleep(ms: int) -> int:
        if ms:
            await gate.wait()
        return ms

    linked = wippywasm.load(SLEEPER, wit=WIT, engine=engine).link({"test:host/clock": {"sleep": sleep}})
    await linked.instantiate().call_async("run", 0)
    before = resident_kib()
    guests = [linked.instantiate() for _ in range(COUNT)]
    tasks = [asyncio.ensure_future(guest.call_async("run", 1)) for guest in guests]
    await asyncio.sleep(0.5)
    used = (resident_kib() - before) / COUNT
    gate.set()
    await asyncio.gather(*tasks)
    return used


def memory_asleep_by_threads() -> float:
    """KiB for each guest of wasmtime-py that waits in a thread of its own: its only way to have many."""
    from tools.bench.peer import PeerSleeper

    gate, sleeper = threading.Event(), PeerSleeper(lambda ms: gate.wait() and ms if ms else ms)
    sleeper.instantiate()(0)
    before = resident_kib()
    threads = [threading.Thread(target=lambda: sleeper.instantiate()(1)) for _ in range(COUNT)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    used = (resident_kib() - before) / COUNT
    gate.set()
    for thread in threads:
        thread.join()
    return used


def resident_kib() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
