"""Threads: a guest is used by one at a time, and says so clearly, whatever the engine."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from wippywasm.errors import ConflictError, ThreadError, Trap

CALLER = """
(component
  (import "host" (func $host (param "n" u32) (result u32)))
  (core func $host (canon lower (func $host)))
  (core module $m
    (import "" "host" (func $host (param i32) (result i32)))
    (func (export "call") (param i32) (result i32) (call $host (local.get 0)))
    (func (export "same") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m (with "" (instance (export "host" (func $host))))))
  (func $call (export "call") (param "n" u32) (result u32) (canon lift (core func $i "call")))
  (func $same (export "same") (param "n" u32) (result u32) (canon lift (core func $i "same"))))
"""

NESTED = f"""
(component
  (import "host" (func $host (param "n" u32) (result u32)))
  {CALLER.strip().replace("(component", "(component $inner", 1)}
  (instance $i (instantiate $inner (with "host" (func $host))))
  (export "call" (func $i "call"))
  (export "same" (func $i "same")))
"""

WAIT = 20
"""Seconds within which another thread surely has its turn."""


class Host:
    """Stops a guest in the middle of a call until it is told to go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def host(self, n: int) -> int:
        self.reached.set()
        assert self.go_on.wait(WAIT)
        return n + 1


@pytest.mark.parametrize("source", [CALLER, NESTED], ids=["plain", "nested"])
def test_another_thread_may_not_enter_meanwhile(load: Any, engine: str, source: str) -> None:
    host = Host()
    component = load(source)

    def use() -> tuple[Any, int]:
        with component.instantiate({"host": host.host}) as guest:
            guests.append(guest)
            return guest.call("call", 1), guest.call("same", 2)

    guests: list[Any] = []
    with ThreadPoolExecutor(1) as other:
        calls = other.submit(use)
        assert host.reached.wait(WAIT)
        with pytest.raises(ThreadError) as refused:
            guests[0].call("same", 5)
        with pytest.raises(ThreadError):
            guests[0].exports.same(5)
        with pytest.raises(ConflictError):  # of which ThreadError is one
            guests[0].close()
        assert guests[0].usable
        host.go_on.set()
        assert calls.result(WAIT) == (2, 2)
    if engine == "wasmtime":
        assert "another thread or task is in the guest" in str(refused.value)


@pytest.mark.parametrize("source", [CALLER, NESTED], ids=["plain", "nested"])
def test_what_a_guest_calls_may_not_call_it(load: Any, source: str) -> None:
    errors: list[BaseException] = []

    def host(n: int) -> int:
        try:
            return int(guest.call("same", n))
        except Trap as error:
            errors.append(error)
            return 0

    with load(source).instantiate({"host": host}) as guest:
        assert guest.call("call", 1) == 0
        assert guest.call("same", 3) == 3
    assert "cannot enter component instance" in str(errors[0])


def test_guests_move_between_threads_where_the_engine_lets_them(load: Any, engine: str) -> None:
    with load(CALLER).instantiate({"host": abs}) as guest, ThreadPoolExecutor(1) as other:
        if engine == "wasmer":
            with pytest.raises(ThreadError, match="thread"):
                other.submit(guest.call, "same", 4).result(WAIT)
        else:
            assert other.submit(guest.call, "same", 4).result(WAIT) == 4
        assert guest.call("same", 5) == 5


def test_many_threads_at_one_guest(load: Any, engine: str) -> None:
    """Each call is done or refused; none runs beside another."""
    inside: list[int] = []
    beside: list[int] = []

    def host(n: int) -> int:
        inside.append(n)
        if len(inside) > 1:
            beside.append(n)
        inside.remove(n)
        return n

    def use(n: int) -> tuple[int, int]:
        done = refused = 0
        for _ in range(300):
            try:
                done += guest.call("call", n) == n
            except ThreadError:
                refused += 1
        return done, refused

    with load(CALLER).instantiate({"host": host}) as guest, ThreadPoolExecutor(4) as others:
        counts = list(others.map(use, range(4)))
        assert guest.call("same", 1) == 1
    assert all(done + refused == 300 for done, refused in counts)
    assert not beside
    if engine == "wasmer":
        assert not any(done for done, _ in counts)


def test_a_refusal_keeps_nobodys_frames(load: Any, engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("wasmer's guests know their thread: nothing is looked for")
    host = Host()
    gc.collect()
    gc.disable()
    try:
        with load(CALLER).instantiate({"host": host.host}) as guest, ThreadPoolExecutor(1) as other:
            calls = other.submit(guest.call, "call", 1)
            assert host.reached.wait(WAIT)
            with pytest.raises(ThreadError):
                guest.call("same", Marked(5))
            host.go_on.set()
            assert calls.result(WAIT) == 2
        assert not Marked.alive
    finally:
        gc.enable()


class Marked(int):
    """A number that knows how many of it there are."""

    alive: ClassVar[int] = 0

    def __init__(self, _: int) -> None:
        Marked.alive += 1

    def __del__(self) -> None:
        Marked.alive -= 1
