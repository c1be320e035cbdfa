"""Times calls into one guest component, ours against wasmtime-py's own component API, in one process.

In: `examples/demo/wasm/people.wasm`, and a component of one small module. Out: a table, or JSON with `--json`: per case
the time of one call, least and median over the rounds, on each engine that is here, and how many times faster ours is.
Rounds are interleaved and compared one by one, so that a noisy minute hits both sides. Nothing is asserted: figures
depend on the machine; docs/performance.md says how to read them.
"""

from __future__ import annotations

import argparse
import array
import asyncio
import gc
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import wasmtime
from wasmtime import component as peer

import wippywasm
from tools.sleepers import SLEEPER, WIT
from wippywasm import engine as engines
from wippywasm import wit

SMALL_TEXT = """(component
  (core module $m
    (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "product") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "sum")))
  (func (export "compute") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "product"))))"""
GUEST = Path(__file__).resolve().parent.parent / "examples/demo/wasm/people.wasm"
STATS = "demo:people/stats@1.0.0"
PEER = "wasmtime-py"
BATCH_SECONDS = 0.05

USERS = [{"id": i, "name": f"user {i}", "tags": ["dev", "admin"], "active": i % 2 == 0} for i in range(1000)]
NUMBERS = list(range(1000))
MANY_NUMBERS = array.array("i", range(100_000))
TEXT = "0123456789abcdef" * (1 << 16)

Call = Callable[[], Any]


@dataclass
class Row:
    """One case on one side: seconds for one call, a sample for each round."""

    case: str
    side: str
    call: Call = field(repr=False)
    calls_per_round: int = 1
    samples: list[float] = field(default_factory=list)

    @property
    def least(self) -> float:
        return min(self.samples)

    @property
    def median(self) -> float:
        return statistics.median(self.samples)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Time calls into a guest component.")
    parser.add_argument("--rounds", type=int, default=7, help="samples for each figure (default: 7)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", metavar="WORDS", default="", help="only cases whose names contain this")
    arguments = parser.parse_args()
    rows = [row for row in all_rows() if arguments.only in row.case]
    measure(rows, max(arguments.rounds, 1))
    print(json.dumps(as_json(rows), indent=2) if arguments.json else as_table(rows))


# ------------------------------------------------------------------------------------------------ what is timed


def all_rows() -> Iterator[Row]:
    """Every case on every side, the sides of one case next to each other."""
    sides = {f"wippywasm on {name}": our_calls(name) for name in usable_engines()}
    sides[PEER] = peer_calls()
    for case in sides[PEER]:
        yield from (Row(case, side, calls[case]) for side, calls in sides.items())
    yield from bare_rows()
    yield from task_rows()
    yield Row("WASI 0.2 packages parse+resolve", "wippywasm", lambda: wit.parse(wit.host_wit_path(), all_features=True))


def usable_engines() -> list[str]:
    return [info.name for info in engines.available() if info.usable]


def our_calls(engine: str) -> Mapping[str, Call]:
    linked = wippywasm.load(GUEST, engine=engine).link(undeclared="deny")
    small = wippywasm.load(SMALL_TEXT, engine=engine).link()
    call = linked.instantiate().call
    return {
        "two ints": lambda: call("compute", 6, 7),
        "1,000 records in and out": lambda: call("transform-users", USERS),
        "1,000 s32 in and out": lambda: call("echo-numbers", NUMBERS),
        "1 MiB string in and out": lambda: call("echo", TEXT),
        "100,000 s32 in, from a buffer": lambda: call("stats#total", MANY_NUMBERS),
        "fresh instance and two ints": lambda: fresh(linked),
        "fresh instance of a small component": lambda: fresh(small),
    }


def fresh(linked: wippywasm.LinkedComponent) -> Any:
    with linked.instantiate() as new:
        return new.call("compute", 6, 7)


def peer_calls() -> Mapping[str, Call]:
    engine = wasmtime.Engine()
    people, small = (
        PeerComponent(engine, GUEST.read_bytes()),
        PeerComponent(engine, bytes(wasmtime.wat2wasm(SMALL_TEXT))),
    )
    call = people.instantiate().call
    users = [SimpleNamespace(**user) for user in USERS]
    many = MANY_NUMBERS.tolist()
    return {
        "two ints": lambda: call("compute", 6, 7),
        "1,000 records in and out": lambda: call("transform-users", users),
        "1,000 s32 in and out": lambda: call("echo-numbers", NUMBERS),
        "1 MiB string in and out": lambda: call("echo", TEXT),
        "100,000 s32 in, from a buffer": lambda: call("total", many),
        "fresh instance and two ints": lambda: people.instantiate().call("compute", 6, 7),
        "fresh instance of a small component": lambda: small.instantiate().call("compute", 6, 7),
    }


class PeerComponent:
    """A component linked by wasmtime-py; what it imports traps when it is called."""

    def __init__(self, engine: Any, wasm: bytes) -> None:
        self._engine = engine
        self._component = peer.Component(engine, wasm)
        self._linker = peer.Linker(engine)
        self._linker.define_unknown_imports_as_traps(self._component)

    def instantiate(self) -> PeerGuest:
        return PeerGuest(self._engine, self._linker, self._component)


class PeerGuest:
    """An instance by wasmtime-py's component API; functions are looked up once, as its users would."""

    def __init__(self, engine: Any, linker: Any, component: Any) -> None:
        self._store = wasmtime.Store(engine)
        self._instance = linker.instantiate(self._store, component)
        self._functions: dict[str, Any] = {}

    def call(self, name: str, *args: Any) -> Any:
        function = self._functions.get(name) or self._look_up(name)
        value = function(self._store, *args)
        function.post_return(self._store)
        return value

    def _look_up(self, name: str) -> Any:
        instance, store = self._instance, self._store
        inside = instance.get_export_index(store, STATS) if name == "total" else None
        index = instance.get_export_index(store, name, inside)
        self._functions[name] = instance.get_func(store, index)
        return self._functions[name]


BARE_TEXT = '(module (func (export "compute") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1))))'


def bare_rows() -> Iterator[Row]:
    """What a call costs at the least: a core function without any component, through the bindings' own export call."""
    wasm = wasmtime.wat2wasm(BARE_TEXT)
    store = wasmtime.Store()
    function: Any = wasmtime.Instance(store, wasmtime.Module(store.engine, bytes(wasm)), []).exports(store)["compute"]
    yield Row("bare core export, two ints", f"{PEER} Func", lambda: function(store, 6, 7))
    if "wasmer" in usable_engines():
        yield Row("bare core export, two ints", "wasmer Function", bare_wasmer(bytes(wasm)))


def bare_wasmer(wasm: bytes) -> Call:
    import wasmer
    from wasmer_compiler_cranelift import Compiler

    store = wasmer.Store(wasmer.engine.JIT(Compiler))
    compute = wasmer.Instance(wasmer.Module(store, wasm)).exports.compute
    return lambda: compute(6, 7)


TASK_CALLS = 200


def task_rows() -> Iterator[Row]:
    """Calls by a task, which may be suspended: each sample is the time of `TASK_CALLS` of them on one event loop."""
    for name in usable_engines():
        side, loop = f"wippywasm on {name}", asyncio.new_event_loop()
        linked = wippywasm.load(SLEEPER, wit=WIT, engine=name).link({"test:host/clock": {"sleep": doze}})
        guests = [loop.run_until_complete(fresh_guest(linked)) for _ in range(TASK_CALLS)]
        one = partial(in_turn, guests[0])
        yield Row(f"{TASK_CALLS} calls by a task, none waits", side, partial(run_in, loop, one, 1))
        yield Row(f"{TASK_CALLS} calls by a task, each waits for the loop once", side, partial(run_in, loop, one, 2))
        yield Row(f"{TASK_CALLS} guests that sleep 1 ms at once", side, partial(run_in, loop, partial(at_once, guests)))


async def fresh_guest(linked: Any) -> Any:
    return linked.instantiate()


async def doze(ms: int) -> int:
    if ms > 1:
        await asyncio.sleep((ms - 2) / 1000)
    return ms


async def in_turn(guest: Any, ms: int) -> None:
    for _ in range(TASK_CALLS):
        await guest.call_async("run", ms)


async def at_once(guests: list[Any]) -> None:
    await asyncio.gather(*(guest.call_async("run", 3) for guest in guests))


def run_in(loop: asyncio.AbstractEventLoop, work: Callable[..., Any], *args: Any) -> None:
    loop.run_until_complete(work(*args))


# ------------------------------------------------------------------------------------------------ timing


def measure(rows: list[Row], rounds: int) -> None:
    for row in rows:
        row.calls_per_round = calibrated(row.call)
    for _ in range(rounds):
        for row in rows:
            row.samples.append(timed(row.call, row.calls_per_round) / row.calls_per_round)


def calibrated(call: Call) -> int:
    """How many calls fill about `BATCH_SECONDS`; warms up on the way."""
    count = 1
    while timed(call, count) < BATCH_SECONDS / 2 and count < 1 << 20:
        count *= 2
    return count


def timed(call: Call, count: int) -> float:
    """Seconds for `count` calls, with no garbage collection in between, as `timeit` does it."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(count):
            call()
        return time.perf_counter() - start
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------------ the report


def times_faster(rows: list[Row], row: Row) -> float | None:
    """The median over the rounds of the peer's time over ours; None for the peer itself, and where it has none."""
    theirs = next((other for other in rows if other.case == row.case and other.side == PEER), None)
    if theirs is None or theirs is row:
        return None
    return statistics.median(their / our for their, our in zip(theirs.samples, row.samples))


def as_json(rows: list[Row]) -> dict[str, Any]:
    shown = [{**facts(row), "times_faster": times_faster(rows, row)} for row in rows]
    return {"python": platform.python_version(), "wasmtime": version("wasmtime"), "unit": "seconds", "rows": shown}


def facts(row: Row) -> dict[str, Any]:
    return {"case": row.case, "side": row.side, "least": row.least, "median": row.median, "samples": row.samples}


def as_table(rows: list[Row]) -> str:
    cells = [("case", "side", "least", "median", "times faster"), *(line_of(rows, row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    lines = ["  ".join(pad(text, width, i) for i, (text, width) in enumerate(zip(line, widths))) for line in cells]
    return "\n".join([f"Python {platform.python_version()}, wasmtime-py {version('wasmtime')}", "", *lines])


def line_of(rows: list[Row], row: Row) -> tuple[str, ...]:
    faster = times_faster(rows, row)
    return row.case, row.side, duration(row.least), duration(row.median), f"{faster:.1f} x" if faster else ""


def pad(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column < 2 else text.rjust(width)


def duration(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.2f} µs"
    return f"{seconds * 1e3:.2f} ms"


if __name__ == "__main__":
    main()
