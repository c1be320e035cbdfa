"""How far guests in threads compute beside each other: `python -m tools.bench_threads [ENGINE]`.

Two guests that compute, one after the other and then at once, on a pool of two threads. The ratio of the two times is 1
where they run in parallel, 2 where they take turns. Other work on the machine makes it worse, so it is the best of
several rounds, and the same is measured of two processes, which run in parallel wherever there is room: threads
should be no worse. Beside that, how late a timer of the app's own event loop is meanwhile.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import wippywasm
from wippywasm.app import App

ROUNDS = 16
STEPS = 500_000_000
GUEST = """
(module (func (export "spin") (param i32) (result i32) (local i32)
  (loop (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br_if 0 (i32.lt_u (local.get 1) (local.get 0))))
  (local.get 1)))
"""
APP = """
namespace: bench
entries:
  - name: spin
    kind: function.wat
    method: spin
    pool: {worker_class: wasm, workers: 2}
    source: file://spin.wat
"""


async def measure(app: App) -> tuple[float, float, float]:
    """Seconds for one guest, for two at once, and the latest timer."""
    start = time.perf_counter()
    await app.call("bench:spin", STEPS)
    one = time.perf_counter() - start
    beat = asyncio.ensure_future(latest_timer())
    start = time.perf_counter()
    await asyncio.gather(app.call("bench:spin", STEPS), app.call("bench:spin", STEPS))
    two = time.perf_counter() - start
    beat.cancel()
    return one, two, await beat


def work(engine: str | None, orders: Connection) -> None:
    """A process that runs the guest whenever it is told to."""
    guest = wippywasm.load(GUEST, engine=engine).instantiate()
    guest.call("spin", STEPS)
    orders.send(None)
    while orders.recv():
        guest.call("spin", STEPS)
        orders.send(None)


def measure_processes(workers: Sequence[Connection]) -> tuple[float, float]:
    """Seconds for one process, for two at once."""
    seconds = []
    for chosen in (workers[:1], workers):
        start = time.perf_counter()
        for worker in chosen:
            worker.send(True)
        for worker in chosen:
            worker.recv()
        seconds.append(time.perf_counter() - start)
    return seconds[0], seconds[1]


def start_processes(engine: str | None) -> list[Connection]:
    """Two processes that have compiled the guest and wait."""
    workers = []
    for _ in range(2):
        ours, theirs = multiprocessing.Pipe()
        multiprocessing.Process(target=work, args=(engine, theirs), daemon=True).start()
        ours.recv()
        workers.append(ours)
    return workers


async def latest_timer() -> float:
    latest = 0.0
    try:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.005)
            latest = max(latest, time.perf_counter() - start - 0.005)
    except asyncio.CancelledError:
        return latest


async def main(engine: str | None) -> None:
    workers = start_processes(engine)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "_index.yaml").write_text(APP)
        (Path(folder) / "spin.wat").write_text(GUEST)
        async with App.load(folder, engine=engine) as app:
            rounds = [(await measure(app), measure_processes(workers)) for _ in range(ROUNDS)]
    print("threads  ", ratio([(one, two) for (one, two, _), _ in rounds]))
    print("processes", ratio([processes for _, processes in rounds]))
    late = sorted(late for (_, _, late), _ in rounds)[ROUNDS // 2]
    print(f"a timer is late by {late * 1000:.1f} ms")


def ratio(rounds: list[tuple[float, float]]) -> str:
    one, two = min(one for one, _ in rounds), min(two for _, two in rounds)
    return f"one {one:.3f} s, two at once {two:.3f} s: ratio {two / one:.2f}"


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
