"""What runs in a process of its own: `python -m tools.bench.process TASK SIDE` prints a figure (`processes`).

In: a task and a side. Out: KiB, or nothing where it is the time of the process that counts. Each task imports what it
needs itself, so that a process loads what its side does, and hardly anything else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PEER = "wasmtime-py"
GUEST = Path(__file__).resolve().parents[2] / "examples/demo/wasm/people.wasm"
COUNT = 200


def main(task: str, side: str) -> None:
    if task == "asleep":
        import asyncio

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
    import asyncio

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
    import threading
    import time

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
