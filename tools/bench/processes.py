"""What needs a process of its own: starting, and the memory of many guests.

In: the engines. Out: rows; each sample is a fresh interpreter that runs `process` and prints a figure. Sides are the
names of our engines and `wasmtime-py`. All have their bytecode on disk, as installed packages do, whether or not this
environment lets Python write it beside the sources.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from tools.bench.process import COUNT
from tools.bench.rows import PEER, Row, Unit

ROOT = Path(__file__).resolve().parents[2]
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
    _warm(task, side)
    start = time.perf_counter()
    out = _run(task, side)
    return time.perf_counter() - start if task == "start" else float(out)


@cache
def _warm(task: str, side: str) -> None:
    """A process that does not count: it leaves bytecode, and compiled code where a side keeps that."""
    if task == "start":
        _run(task, side)


def _run(task: str, side: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(ROOT / "build/bytecode")
    command = [sys.executable, "-m", "tools.bench.process", task, side]
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
