"""Threads with small stacks, and guests that call guests until a stack is used up: errors, not the process's end."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.instance.test_instance_chains import chain
from wippywasm.errors import Trap, UnavailableError

DEEP = """
(module (import "host" "next" (func $next (param i32)))
  (func $down (param $frames i32) (param $n i32) (result i32) (local i64 i64 i64 i64)
    (if (i32.eqz (local.get $frames)) (then (call $next (local.get $n)) (return (i32.const 0))))
    (i32.add (i32.const 1) (call $down (i32.sub (local.get $frames) (i32.const 1)) (local.get $n))))
  (func (export "go") (param $frames i32) (param $n i32)
    (drop (call $down (local.get $frames) (local.get $n))))
  (func $again (export "again") (call $again)))
"""
WIT = """
package a:b;
world w { import host: interface { next: func(n: u32); } export go: func(frames: u32, n: u32); export again: func(); }
"""


class Host:
    """A host that makes guests within guests, each of which uses the stack for so many frames before it calls back."""

    def __init__(self, load: Any, frames: int) -> None:
        self.linked = load(DEEP, wit=WIT).link({"host": self})
        self.frames = frames
        self.deepest = 0

    def next(self, n: int) -> None:
        self.deepest = max(self.deepest, n)
        if self.frames:
            self.go(n + 1)

    def go(self, n: int = 0) -> None:
        with self.linked.instantiate() as guest:
            guest.call("go", self.frames, n)

    def again(self) -> None:
        with self.linked.instantiate() as guest:
            guest.call("again")


def in_thread(kib: int, function: Callable[[], Any]) -> Any:
    """What the function gave or raised in a thread with such a stack."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(function())
        except Exception as error:  # noqa: BLE001 (who asked looks at it)
            found.append(error)

    before = threading.stack_size(kib << 10)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    return found[0]


def check_exhausted(error: Any) -> None:
    assert isinstance(error, Trap)
    assert error.code == "call stack exhausted"


@pytest.mark.parametrize("kib", [64, 128, 256, 512, 768, 1024])
def test_no_stack_is_too_small_for_an_error(load: Any, engine: str, kib: int) -> None:
    host, component = Host(load, 0), load(chain(400))

    def hops() -> None:
        with component.instantiate() as guest:
            guest.call("f")

    for function in (hops, host.again):
        error = in_thread(kib, function)
        if isinstance(error, UnavailableError):
            # The system may give a thread the stack of another one, which is up to four times as large.
            assert re.search(r"this thread's stack of \d+ KiB has no room for a guest", str(error))
            assert "threading.stack_size" in str(error.hint)
            assert kib < 768
        else:
            check_exhausted(error)
            assert kib > 128 or engine == "wasmer"


def test_a_guest_that_was_made_elsewhere(load: Any, engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("wasmer's guests stay in the thread that made them")
    host = Host(load, 0)
    with host.linked.instantiate() as guest:
        # the system may give it the stack of another thread, which is up to four times as large
        assert isinstance(in_thread(128, lambda: guest.call("again")), UnavailableError)
    with host.linked.instantiate() as guest:
        assert in_thread(768, lambda: guest.call("go", 10, 5)) is None
        assert host.deepest == 5


def test_threads_that_come_and_go_have_their_own_stacks(load: Any, engine: str) -> None:
    """A new thread may get the place, the number, and even the larger stack of one that has ended."""
    host = Host(load, 0)
    for _ in range(2):
        assert in_thread(8192, host.go) is None
        assert isinstance(in_thread(96, host.again), UnavailableError | Trap)
        check_exhausted(in_thread(8192, host.again))


@pytest.mark.parametrize("frames", [1000, 6000])
@pytest.mark.parametrize("kib", [None, 1024, 4096])
def test_guests_within_guests(load: Any, kib: int | None, frames: int) -> None:
    host = Host(load, frames)
    if kib is None:
        with pytest.raises(Trap) as caught:
            host.go()
        check_exhausted(caught.value)
        assert host.deepest > 5
    else:
        check_exhausted(in_thread(kib, host.go))
    with host.linked.instantiate() as guest:  # afterwards all is as before
        host.frames = 0
        guest.call("go", 10, 100_000)
    assert host.deepest == 100_000


@pytest.mark.parametrize("frames", [1000, 6000])
def test_guests_within_guests_in_tasks(load: Any, frames: int) -> None:
    host = Host(load, frames)

    async def run() -> None:
        with await host.linked.instantiate_async() as guest:
            await guest.call_async("go", frames, 0)

    for _ in range(2):
        with pytest.raises(Trap) as caught:
            asyncio.run(run())
        check_exhausted(caught.value)
        assert host.deepest > 0


def test_a_stack_that_is_nearly_used_up_is_free_again(load: Any) -> None:
    """A thread whose calls were looked at goes on with calls that are not."""
    deep, shallow = Host(load, 1000), Host(load, 0)

    def run() -> None:
        for _ in range(3):
            with pytest.raises(Trap):
                deep.go()
            shallow.go()

    assert in_thread(8192, run) is None


LOADING = """
import importlib.util, os, shutil, sys, threading
from wippywasm.engine import stacks

def look():
    while not loaded:
        stacks._address()

loaded = []
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=look) for _ in range(2)]
for thread in threads:
    thread.start()
for copy in range(100):
    path = shutil.copy(sys.argv[1], os.path.join(sys.argv[2], f"{copy}.so"))
    importlib.util.module_from_spec(importlib.util.spec_from_file_location("_queue", path))
loaded.append(True)
for thread in threads:
    thread.join()
"""


def test_threads_look_at_their_stacks_while_one_imports(tmp_path: Path) -> None:
    """Who loads a library holds the interpreter, and waits for those who look at the libraries that there are."""
    if (module := importlib.util.find_spec("_queue")) is None or not Path(module.origin or "").is_file():
        pytest.skip("this Python has no extension module in a file of its own to load")
    command = [sys.executable, "-c", LOADING, str(module.origin), str(tmp_path)]
    subprocess.run(command, check=True, timeout=60)
