"""No room for one more guest: one typed error, and those that run go on."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from tests.machine.guests import SLEEPER
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
    linked = wippywasm.load(SLEEPER, engine="wasmtime").link({"test:host/clock": clock})
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
    if engine != "wasmtime":
        pytest.skip("wasmer's compiler needs much address space as well")
    program = [sys.executable, "-c", CROWD, "8"]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "{'UNAVAILABLE'} True\n"), ended.stderr


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
    from wippywasm.engine.wasmtime_running import Functions, Running

    native = capi.new_error(b"mmap failed to allocate 0x80000 bytes: Cannot allocate memory (os error 12)")
    found = failure_of(Running(Functions()), native, 0, BoundsOf(StoreLimits()), lambda frame: frame)
    assert isinstance(found, UnavailableError)
    panic = type("PanicException", (BaseException,), {})("called `Result::unwrap()` …: unable to set sigaltstack")
    assert isinstance(guest_failure(panic), UnavailableError)
