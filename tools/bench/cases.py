"""What is measured: calls into guest components, ours and wasmtime-py's own component API in one process.

In: `examples/demo/wasm/people.wasm`, a component of one small module, a core module that sleeps. Out: a `Row` for
each case on each side that is here. Those that need a process of their own are in `tools.bench.processes`.
"""

from __future__ import annotations

import array
import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import wasmtime

import wippywasm
from tools.bench.peer import PeerComponent, PeerSleeper
from tools.bench.processes import process_rows
from tools.bench.rows import PEER, Call, Row, Timed
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
GUEST = Path(__file__).resolve().parents[2] / "examples/demo/wasm/people.wasm"

USERS = [{"id": i, "name": f"user {i}", "tags": ["dev", "admin"], "active": i % 2 == 0} for i in range(1000)]
NUMBERS = list(range(1000))
MANY_NUMBERS = array.array("i", range(100_000))
TEXT = "0123456789abcdef" * (1 << 16)


def call_rows(stack: ExitStack) -> Iterator[Row]:
    """Calls of components, the sides of one case next to each other. `stack` closes what they hold."""
    sides = {f"wippywasm on {name}": our_calls(name, stack) for name in usable_engines()}
    sides[PEER] = peer_calls()
    for case in sides[PEER]:
        yield from (Row(case, side, Timed(calls[case])) for side, calls in sides.items())


def other_rows(stack: ExitStack) -> Iterator[Row]:
    """What calls no guest, or has processes of its own."""
    parse = partial(wit.parse, wit.host_wit_path(), all_features=True)
    yield Row("WASI 0.2 packages parse+resolve", "wippywasm", Timed(parse))
    yield from process_rows(usable_engines())


def usable_engines() -> list[str]:
    return [info.name for info in engines.available() if info.usable]


def our_calls(engine: str, stack: ExitStack) -> Mapping[str, Call]:
    linked = wippywasm.load(GUEST, engine=engine).link(undeclared="deny")
    small = wippywasm.load(SMALL_TEXT, engine=engine).link()
    call = stack.enter_context(linked.instantiate()).call
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


BARE_TEXT = '(module (func (export "compute") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1))))'


def bare_rows(stack: ExitStack) -> Iterator[Row]:
    """A core function: by ours with its types checked, and by the bindings' own calls, which are the least there is."""
    case, wasm = "a core function, two ints", bytes(wasmtime.wat2wasm(BARE_TEXT))
    for name in usable_engines():
        guest = stack.enter_context(wippywasm.load(wasm, engine=name).instantiate())
        yield Row(case, f"wippywasm on {name}", Timed(partial(guest.call, "compute", 6, 7)))
    store = wasmtime.Store()
    function: Any = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), []).exports(store)["compute"]
    yield Row(case, PEER, Timed(partial(function, store, 6, 7)))
    if "wasmer" in usable_engines():
        yield Row(case, "wasmer, bare", Timed(bare_wasmer(wasm)))


def bare_wasmer(wasm: bytes) -> Call:
    import wasmer
    from wasmer_compiler_cranelift import Compiler

    store = wasmer.Store(wasmer.engine.JIT(Compiler))
    compute = wasmer.Instance(wasmer.Module(store, wasm)).exports.compute
    return lambda: compute(6, 7)


CALLING = "a call that calls the host once"
TASK_CALLS = 200
"""How many of them each run of an event loop makes."""
SLEEPERS = 1000


def task_rows(stack: ExitStack) -> Iterator[Row]:
    """Calls of one guest, which calls the host once: directly, and by a task, which may be suspended meanwhile."""
    for name in usable_engines():
        side, loop = f"wippywasm on {name}", asyncio.new_event_loop()
        stack.callback(loop.close)
        plain = stack.enter_context(sleepers_of(name, int).instantiate())
        dozing = stack.enter_context(loop.run_until_complete(fresh_guest(sleepers_of(name, doze))))
        direct = Row(f"{CALLING}, directly", side, Timed(partial(plain.call, "run", 1)))
        yield direct
        stopped = stack.enter_context(loop.run_until_complete(fresh_guest(sleepers_of(name, done_in(loop)))))
        for words, guest, ms in (
            ("nothing waits", dozing, 1),
            ("suspended for what is there", stopped, 1),
            ("suspended for a turn of the loop", dozing, 2),
        ):
            sample = Timed(partial(run_in, loop, partial(in_turn, guest, ms)), TASK_CALLS)
            yield Row(f"{CALLING}, by a task, {words}", side, sample, direct=direct)


def sleepers_of(engine: str, host: Callable[[int], Any]) -> wippywasm.LinkedComponent:
    return wippywasm.load(SLEEPER, wit=WIT, engine=engine).link({"test:host/clock": {"sleep": host}})


async def fresh_guest(linked: wippywasm.LinkedComponent) -> Any:
    return linked.instantiate()


def asleep_rows(stack: ExitStack) -> Iterator[Row]:
    """`SLEEPERS` guests that sleep 1 ms at once: by tasks of one thread, against a thread each around wasmtime-py."""
    case = f"{SLEEPERS:,} guests that sleep 1 ms at once"
    for name in usable_engines():
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        linked = sleepers_of(name, doze)
        guests = [stack.enter_context(loop.run_until_complete(fresh_guest(linked))) for _ in range(SLEEPERS)]
        sample = Timed(partial(run_in, loop, partial(at_once, guests)), SLEEPERS)
        yield Row(case, f"wippywasm on {name}", sample, "calls/s")
    sleepers = PeerSleeper(sleep_in_thread)
    functions = [sleepers.instantiate() for _ in range(SLEEPERS)]
    threads = stack.enter_context(ThreadPoolExecutor(SLEEPERS))
    yield Row(case, PEER, Timed(lambda: list(threads.map(lambda run: run(3), functions)), SLEEPERS), "calls/s")


def sleep_in_thread(ms: int) -> int:
    time.sleep((ms - 2) / 1000)
    return ms


async def doze(ms: int) -> int:
    if ms > 1:
        await asyncio.sleep((ms - 2) / 1000)
    return ms


def done_in(loop: asyncio.AbstractEventLoop) -> Callable[[int], Any]:
    """A host function that returns what a guest is suspended for, although it need not wait."""
    done = loop.create_future()
    done.set_result(1)
    return lambda _ms: done


async def in_turn(guest: Any, ms: int) -> None:
    for _ in range(TASK_CALLS):
        await guest.call_async("run", ms)


async def at_once(guests: list[Any]) -> None:
    await asyncio.gather(*(guest.call_async("run", 3) for guest in guests))


def run_in(loop: asyncio.AbstractEventLoop, work: Callable[..., Any], *args: Any) -> None:
    loop.run_until_complete(work(*args))


GROUPS = (call_rows, bare_rows, task_rows, asleep_rows, other_rows)
"""All cases; what one group holds is let go of before the next, since many guests take what new ones could have."""
