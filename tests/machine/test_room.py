"""No room for one more guest: one typed error, and those that run go on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from tests.machine.guests import SLEEPER
from wippywasm.engine import wasmtime_epochs
from wippywasm.engine.map_room import AHEAD, MARGIN, OF_A_GUEST, MapRoom
from wippywasm.engine.port import StoreLimits
from wippywasm.errors import InternalError, UnavailableError
from wippywasm.instance.guest_thread import GuestThread

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


TAKE_MAPS = """
import mmap

def count():
    try:
        with open("/proc/sys/vm/max_map_count") as most, open("/proc/self/maps") as maps:
            return int(most.read()) - maps.read().count("\\n")
    except MemoryError:  # to look takes some, too
        return 0

def take(most):
    taken = []
    try:
        for index in range(most):
            prot = (mmap.PROT_READ, mmap.PROT_WRITE)[index % 2]
            taken.append(mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE, prot))
    except OSError:
        pass
    return taken
"""
EDGE = """
import asyncio, sys
import wippywasm
from tests.machine.guests import SLEEPER
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

async def main(clock):
    clock.end = asyncio.Event()
    linked = wippywasm.load(SLEEPER, engine=sys.argv[1]).link({"test:host/clock": clock})
    with linked.instantiate() as first:
        assert await first.call_async("add", 1, 2) == 3
    taken = take(count() - int(sys.argv[2]))
    await asyncio.sleep(0.2)
    refused = []

    async def one():
        try:
            with linked.instantiate() as guest:
                assert await guest.call_async("sleep", 1) == 1
        except UnavailableError as error:
            refused.append(error.hint)

    tasks = [asyncio.ensure_future(one()) for _ in range(100)]
    await asyncio.sleep(0.5)
    left = max(count(), 0) // 100 * 100  # the kernel gives one or two more than it says
    clock.end.set()
    await asyncio.gather(*tasks)
    taken.clear()
    with linked.instantiate() as last:
        assert await last.call_async("add", 1, 2) == 3
    print(5 < clock.asleep < 90, len(refused) + clock.asleep, left, *set(refused))

asyncio.run(main(Clock()))
"""
MAPS = Path("/proc/sys/vm/max_map_count")


takes_all_maps = pytest.mark.skipif(
    not MAPS.is_file() or int(MAPS.read_text()) > 300_000, reason="takes up nearly all memory maps"
)


@takes_all_maps
def test_no_memory_map_for_one_more_guest(engine: str) -> None:
    """What would be a panic, a hang or an abort on wasmer is refused before; wasmtime has a use for the last one."""
    room, left = (MARGIN + 500, MARGIN) if engine == "wasmer" else (200, 0)
    program = [sys.executable, "-c", TAKE_MAPS + EDGE, engine, str(room)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"True 100 {left} run fewer guests at a time"), ended.stdout


DROPS = """
import asyncio
import wippywasm

EMPTY = '(module (memory 0 4) (func (export "f") (result i32) (memory.size)))'
linked = wippywasm.load(EMPTY, engine="wasmer").link({})

def close(guests):
    taken = take(100_000)
    for guest in guests[1::2] + guests[::2]:
        guest.close()
    return taken

async def main():
    guests = [await linked.instantiate_async() for _ in range(60)]
    assert [await guest.call_async("f") for guest in guests] == [0] * 60
    taken = close(guests)
    await asyncio.sleep(0.1)  # they are closed in their own threads
    taken.clear()
    guests = [await linked.instantiate_async() for _ in range(60)]
    assert [await guest.call_async("f") for guest in guests] == [0] * 60

close([linked.instantiate() for _ in range(60)])
asyncio.run(main())
print("done")
"""


@takes_all_maps
def test_guests_whose_memory_can_not_be_given_back_are_closed(engine: str) -> None:
    """Where no map is left, none can be taken out of the middle of one: wasmer panics as it lets go of a memory."""
    if engine != "wasmer":
        pytest.skip("wasmtime keeps its memories apart")
    ended = subprocess.run([sys.executable, "-c", TAKE_MAPS + DROPS], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr
    assert "munmap failed" in ended.stderr


COUNTS = """
from wippywasm.engine.map_room import maps_left

assert maps_left(10) == 11
before = count()
found = maps_left(100_000)
after = count()
taken = take(before - 500)
print(before == after, abs(found - before) < 5, 490 < maps_left(1_000) < 510, maps_left(100))
"""


@takes_all_maps
def test_maps_that_are_left_are_found_and_given_back() -> None:
    ended = subprocess.run([sys.executable, "-c", TAKE_MAPS + COUNTS], capture_output=True, text=True, timeout=60)
    assert ended.stdout == "True True True 101\n", ended


def test_maps_are_looked_for_only_where_that_may_tell_something_new(monkeypatch: pytest.MonkeyPatch) -> None:
    left, looks, now = 60_000, 0, 100.0

    def look(most: int) -> int:
        nonlocal looks
        looks += 1
        return min(left, most)

    monkeypatch.setattr("wippywasm.engine.map_room.maps_left", look)
    monkeypatch.setattr("wippywasm.engine.map_room.time.monotonic", lambda: now)
    room = MapRoom()
    for guests in (*range(AHEAD), *range(AHEAD)):
        room.check(guests)
    assert looks == 1
    left = MARGIN + OF_A_GUEST - 1
    for _ in range(5):
        with pytest.raises(UnavailableError, match=r"no room for another guest.*max_map_count"):
            room.check(AHEAD)
    assert looks == 2
    with pytest.raises(UnavailableError):
        room.check(AHEAD - 1)  # one is closed, which does not suffice
    left += 1
    room.check(AHEAD - 2)
    assert looks == 4
    left, now = 0, now + 1
    with pytest.raises(UnavailableError):
        room.check(0)  # something else took maps
    left, now = MARGIN + 9 * OF_A_GUEST, now + 1
    room.check(10)  # something else gave them back
    room.check(18)
    assert looks == 6


@pytest.mark.parametrize(("words", "kind"), [("Cannot allocate memory", UnavailableError), ("?", InternalError)])
def test_a_panic_in_a_thread_of_guests_is_typed_and_the_thread_goes_on(words: str, kind: type[Exception]) -> None:
    panic = type("PanicException", (BaseException,), {})(words)

    def found_later() -> None:
        raise SystemError("… returned a result with an exception set") from panic

    def at_once() -> None:
        raise panic

    async def task(function: Callable[[], None]) -> None:
        await thread.run(function, lambda error: None)

    thread = GuestThread()
    for function in (at_once, found_later):
        with pytest.raises(kind, match=r"no room for another guest|the engine panicked: \?"):
            thread.do(function)
        with pytest.raises(kind):
            asyncio.run(task(function))
    assert thread.do(lambda: 7) == 7
    thread.end()


def test_a_thread_of_guests_goes_on_where_there_is_no_memory_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise MemoryError

    thread = GuestThread()
    with monkeypatch.context() as patch:
        patch.setattr("wippywasm.instance.errands.clear_frames", fail)
        with pytest.raises(ZeroDivisionError):
            thread.do(lambda: 1 // 0)
    with monkeypatch.context() as patch:
        patch.setattr("wippywasm.instance.guest_thread.settle", fail)
        thread.post(print)
        deadline = time.monotonic() + 5
        while thread._jobs.qsize() and time.monotonic() < deadline:
            time.sleep(0.001)
    assert thread.do(lambda: 7) == 7
    thread.end()


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
        patch.setattr("wippywasm.instance.guest_thread.MAX_IDLE", 0)  # one of an earlier test may become idle now
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
    first_of_a_thread = RuntimeError("RuntimeError: Wasmer VM out of memory")
    assert isinstance(guest_failure(first_of_a_thread), UnavailableError)


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
