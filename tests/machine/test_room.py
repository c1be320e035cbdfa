"""No room for one more guest: one typed error, and those that run go on."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from tests.machine.guests import SLEEPER
from wippywasm.engine import wasmtime_epochs
from wippywasm.engine.map_room import MARGIN, MOST_OF_A_GUEST, MapRoom
from wippywasm.engine.port import StoreLimits
from wippywasm.errors import UnavailableError

CROWD = """
import asyncio, resource, sys
import wippywasm
from tests.machine.guests import SLEEPER

class Clock:
    def __init__(self):
        self.asleep, self.end = 0, asyncio.Event()

    async def sleep(self, ms):
        self.asleep += ms
        if ms:
            await self.end.wait()
        return ms

    async def name(self, ms):
        return ""

    async def attempt(self, ms):
        return ms

async def main():
    clock = Clock()
    linked = wippywasm.load(SLEEPER, engine=sys.argv[2]).link({"test:host/clock": clock})
    with linked.instantiate() as first:
        assert await first.call_async("sleep", 0) == 0
        spared = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (spared + (int(sys.argv[1]) << 20), resource.RLIM_INFINITY))
        kinds = set()

        async def one():
            try:
                with linked.instantiate() as guest:
                    assert await guest.call_async("sleep", 1) == 1
            except wippywasm.errors.UnavailableError as error:
                assert "no room for" in str(error) and "vm.max_map_count" in str(error), error
                kinds.add(error.kind.value)

        tasks = [asyncio.ensure_future(one()) for _ in range(60)]
        await asyncio.sleep(0.5)
        clock.end.set()
        await asyncio.gather(*tasks)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert await first.call_async("sleep", 0) == 0
        with linked.instantiate() as last:
            assert await last.call_async("sleep", 1) == 1
        print(kinds, clock.asleep < 60)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="bounds the address space, as Linux has it")
def test_no_address_space_for_one_more_guest(engine: str) -> None:
    more = {"wasmtime": "8", "wasmer": "1024"}  # each memory of wasmer's takes 6 GiB
    program = [sys.executable, "-c", CROWD, more[engine], engine]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "{'UNAVAILABLE'} True\n"), ended.stderr


EDGE = """
import asyncio, mmap, sys
import wippywasm
from tests.machine.guests import SLEEPER
from wippywasm.engine.map_room import maps_left
from wippywasm.errors import UnavailableError

class Clock:
    asleep = 0

    async def sleep(self, ms):
        self.asleep += 1
        await self.end.wait()
        return ms

    async def name(self, ms):
        return ""

    attempt = name

def piece(index):
    return mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE, (mmap.PROT_READ, mmap.PROT_WRITE)[index % 2])

async def main(clock):
    clock.end = asyncio.Event()
    linked = wippywasm.load(SLEEPER, engine=sys.argv[1]).link({"test:host/clock": clock})
    with linked.instantiate() as first:
        assert await first.call_async("add", 1, 2) == 3
    taken = list(map(piece, range(maps_left() - int(sys.argv[2]))))
    await asyncio.sleep(1)
    refused = []

    async def one():
        try:
            with linked.instantiate() as guest:
                assert await guest.call_async("sleep", 1) == 1
        except UnavailableError as error:
            refused.append(error.hint)

    tasks = [asyncio.ensure_future(one()) for _ in range(100)]
    await asyncio.sleep(0.5)
    left = max(maps_left(), 0) // 100 * 100  # the kernel gives one or two more than it says
    clock.end.set()
    await asyncio.gather(*tasks)
    taken.clear()
    await asyncio.sleep(1)
    with linked.instantiate() as last:
        assert await last.call_async("add", 1, 2) == 3
    print(5 < clock.asleep < 90, len(refused) + clock.asleep, left, *set(refused))

asyncio.run(main(Clock()))
"""
MAPS = Path("/proc/sys/vm/max_map_count")


@pytest.mark.skipif(not MAPS.is_file() or int(MAPS.read_text()) > 300_000, reason="takes up nearly all memory maps")
def test_no_memory_map_for_one_more_guest(engine: str) -> None:
    """What would be a panic, a hang or an abort on wasmer is refused before; wasmtime has a use for the last one."""
    room, left = (MARGIN + 500, MARGIN) if engine == "wasmer" else (200, 0)
    ended = subprocess.run([sys.executable, "-c", EDGE, engine, str(room)], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"True 100 {left} run fewer guests at a time"), ended.stdout


def test_maps_are_counted_again_only_where_many_more_guests_are(monkeypatch: pytest.MonkeyPatch) -> None:
    left, looks, now = MARGIN + 10 * MOST_OF_A_GUEST, 0, 100.0

    def look() -> int:
        nonlocal looks
        looks += 1
        return left

    monkeypatch.setattr("wippywasm.engine.map_room.maps_left", look)
    monkeypatch.setattr("wippywasm.engine.map_room.time.monotonic", lambda: now)
    room = MapRoom()
    for guests in (*range(10), *range(10)):
        room.check(guests)
    assert looks == 1
    left = MARGIN + MOST_OF_A_GUEST - 1
    for _ in range(5):
        with pytest.raises(UnavailableError, match=r"no room for another guest.*max_map_count"):
            room.check(10)
    assert looks == 2
    room.check(8)  # two are closed
    room.check(9)
    left = 0
    with pytest.raises(UnavailableError):
        room.check(10)
    assert looks == 2
    left, now = MARGIN + 9 * MOST_OF_A_GUEST, now + 2
    room.check(10)  # something else gave maps back
    room.check(11)
    assert looks == 3
    left, now = MARGIN, now + 2
    room.check(10)
    with pytest.raises(UnavailableError):
        room.check(12)  # something else took them
    assert looks == 4


def test_a_panic_for_want_of_maps_is_typed_and_ends_the_native_store(
    load: Any, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine != "wasmer":
        pytest.skip("wasmtime says so itself")
    from wippywasm.engine import wasmer_loading

    panic = type("PanicException", (BaseException,), {})
    spoilt = wasmer_loading.native_store()

    def load_module(store: Any, module: Any) -> None:
        raise panic("unable to make memory readonly and executable: … Cannot allocate memory")

    linked = load('(module (func (export "f") (result i32) (i32.const 7)))').link()
    with monkeypatch.context() as patch:
        patch.setattr(wasmer_loading.NativeStore, "load", load_module)
        with pytest.raises(UnavailableError, match="no room for another guest"):
            linked.instantiate()
    with linked.instantiate() as guest:
        assert guest.call("f") == 7
    assert wasmer_loading.native_store() is not spoilt


async def test_no_thread_for_one_more_guest(
    load: Any, engine: str, imports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    linked = load(SLEEPER if engine == "wasmer" else "(module (func $f) (start $f))").link(
        imports if engine == "wasmer" else {}
    )
    with monkeypatch.context() as patch:
        patch.setattr("wippywasm.instance.guest_thread._idle", [])
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(UnavailableError, match=r"no room for the thread .*ulimit -u"):
            await linked.instantiate_async()
    (await linked.instantiate_async()).close()


def test_the_words_of_the_engines() -> None:
    from wippywasm.engine import wasmtime_capi as capi
    from wippywasm.engine.bounds import BoundsOf
    from wippywasm.engine.wasmer_traps import guest_failure
    from wippywasm.engine.wasmtime_failures import failure_of
    from wippywasm.engine.wasmtime_running import Running

    native = capi.new_error(b"mmap failed to allocate 0x80000 bytes: Cannot allocate memory (os error 12)")
    found = failure_of(Running(), native, 0, BoundsOf(StoreLimits()), lambda frame: frame)
    assert isinstance(found, UnavailableError)
    panic = type("PanicException", (BaseException,), {})("called `Result::unwrap()` …: unable to set sigaltstack")
    assert isinstance(guest_failure(panic), UnavailableError)


def test_a_thread_that_could_not_begin_is_not_waited_for_and_another_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the process has no memory map left when the thread that ends slices is to begin."""
    begun: list[object] = []
    now = 100.0
    monkeypatch.setattr("_thread.start_new_thread", lambda *thread: begun.append(thread))
    monkeypatch.setattr("time.monotonic", lambda: now)
    ticker = wasmtime_epochs.Ticker(wasmtime.Engine())
    ticker.wake()
    ticker.wake()
    assert len(begun) == 1
    now += wasmtime_epochs.BEGIN_SECONDS
    ticker.wake()
    assert len(begun) == 2
    assert not ticker.awake
