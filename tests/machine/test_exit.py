"""Processes that end while guests run in threads that nobody waits for: they do end, and soon."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

PROGRAM = """
import asyncio, sys, threading, time
import wippywasm
from wippywasm import Limits

def linked(text):
    return wippywasm.load(text, engine=sys.argv[1]).link()

SPIN = '(module (func (export "spin") (loop $l (br $l))))'
START = "(module (func $s (loop $l (br $l))) (start $s))"
LONG = Limits(max_execution_ms=600_000)
begun = threading.Event()

def in_thread(work):
    threading.Thread(target=work, daemon=True).start()
    begun.wait()
    time.sleep(0.2)

def spin(guest):
    begun.set()
    guest.call("spin")

def plain():
    spin(linked(SPIN).instantiate())

def limited():
    spin(linked(SPIN).instantiate(limits=LONG))

def in_loop():
    async def main():
        guest = linked(SPIN).instantiate()
        begun.set()
        await guest.call_async("spin")

    asyncio.run(main())

def start():
    async def main():
        begun.set()
        linked(START).instantiate()

    asyncio.run(main())

def elsewhere():
    async def main():
        return linked(SPIN).instantiate()

    spin(asyncio.run(main()))

in_thread(globals()[sys.argv[2]])
print("done", flush=True)
"""


@pytest.mark.parametrize("guest", ["plain", "limited", "in_loop", "start", "elsewhere"])
def test_a_guest_that_spins_in_a_daemon_thread(engine: str, guest: str) -> None:
    started = time.monotonic()
    program = [sys.executable, "-c", PROGRAM, engine, guest]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr
    assert "Fatal" not in ended.stderr
    assert time.monotonic() - started < 30


LATE = """
import atexit, sys, threading

def after_all():  # registered first, so called last
    go_on.set()
    done.wait(20)
    print(*outcome)

atexit.register(after_all)
import wippywasm
from wippywasm import Limits

ready, go_on, done = threading.Event(), threading.Event(), threading.Event()
outcome = []

def work():
    limits = Limits(max_execution_ms=60_000) if sys.argv[1] == "limited" else None
    guest = wippywasm.load('(module (func (export "run")))', engine="wasmer").instantiate(limits=limits)
    guest.call("run")
    ready.set()
    go_on.wait()
    try:
        outcome.append(guest.call("run"))
    except BaseException as error:
        outcome.append(f"{type(error).__name__}: {error}")
    done.set()

threading.Thread(target=work, daemon=True).start()
ready.wait()
"""


@pytest.mark.parametrize("limits", ["plain", "limited"])
def test_no_call_begins_when_those_of_daemon_threads_have_been_waited_for(engine: str, limits: str) -> None:
    if engine != "wasmer":
        pytest.skip("a guest of wasmer's that comes back too late would abort the process")
    program = [sys.executable, "-c", LATE, limits]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "CanceledError: the interpreter ends\n"), ended.stderr
