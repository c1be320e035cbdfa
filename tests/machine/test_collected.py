"""Guests that wait when the garbage collector finds them and the tasks that called them, in whatever order it does."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, gc, sys, threading, weakref
import wippywasm

GUEST = '''(module (import "t:h/c" "wait" (func $wait)) (import "t:h/c" "plain" (func $plain))
  (import "t:h/c" "text" (func $text (param i32))) (memory (export "memory") 1)
  (func (export "wait") (call $wait)) (func (export "plain") (call $plain))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $l (br $l)) unreachable)
  (func (export "allocate") (call $text (i32.const 8)))
  (func (export "spin") (loop $l (br $l))))'''
WIT = '''package t:x;
world w { import t:h/c; export wait: func(); export plain: func(); export spin: func(); export allocate: func(); }
package t:h { interface c { wait: func(); plain: func(); text: func() -> string; } }'''

async def wait():
    await asyncio.Future()  # which nobody else holds

async def text():
    await asyncio.sleep(0)
    return "x"

def plain():
    gc.collect()

mode = sys.argv[1]
linked = wippywasm.load(GUEST, wit=WIT, engine="wasmtime").link({"t:h/c": {"wait": wait, "plain": plain, "text": text}})
frames = []

async def job(guest, export, with_block):
    guest = guest or linked.instantiate()
    frames.append(weakref.ref(guest._frame))
    if not with_block:
        await guest.call_async(export)
    with guest:
        await guest.call_async(export)

async def start(count=4, export="wait"):
    made = [k < 2 and linked.instantiate() for k in range(count)]  # before their coroutines, or in them
    tasks = [asyncio.ensure_future(job(guest, export, k % 2)) for k, guest in enumerate(made)]
    del made
    await asyncio.sleep(0.02)
    return tasks

async def in_loop():
    await start()
    if mode == "thread":
        thread = threading.Thread(target=gc.collect)
        thread.start()
        thread.join()
    elif mode == "host":
        await linked.instantiate().call_async("plain")
    elif mode == "host-sync":
        linked.instantiate().call("plain")
    else:
        gc.collect()

gc.disable()
if mode in ("loop", "thread", "host", "host-sync"):
    asyncio.run(in_loop())
else:
    loop = asyncio.new_event_loop()
    tasks = loop.run_until_complete(start(export={"spinning": "spin", "allocating": "allocate"}.get(mode, "wait")))
    if mode in ("closed", "spinning", "allocating"):
        loop.close()
        del loop, tasks
        gc.collect()
    elif mode == "frozen":
        gc.freeze()
        loop.close()
        del loop, tasks
        gc.collect()
        gc.unfreeze()
        gc.collect()
    elif mode == "exit-frozen":
        gc.freeze()
print("left", sum(frame() is not None for frame in frames), flush=True)
"""
COLLECTED = ("loop", "thread", "host", "host-sync", "closed", "spinning", "allocating", "frozen")
ENDED = ("exit", "exit-frozen")


@pytest.mark.parametrize("mode", COLLECTED + ENDED)
def test_a_guest_that_waits_ends_quietly_when_it_is_collected(engine: str, mode: str) -> None:
    if engine != "wasmtime":
        pytest.skip("on wasmer the thread of a guest holds it")
    program = [sys.executable, "-c", PROGRAM, mode]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    if mode in COLLECTED:
        assert ended.stdout == "left 0\n", ended.stderr
    assert "Traceback" not in ended.stderr
