"""A guest that threads share with a lock: what one of them forgets is destroyed past the lock, and the others wait.

Spec: SPEC section 14 (threads); `CanonicalABI.md`, "`canon resource.drop`".
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from wippywasm.abi import entry
from wippywasm.errors import ThreadError, Trap

GUEST = """(component
  (import "told" (func $told (param "n" u32)))
  (core func $told (canon lower (func $told)))
  (core module $d (import "" "told" (func $told (param i32)))
    (func (export "end") (param i32) (call $told (local.get 0))))
  (core instance $d (instantiate $d (with "" (instance (export "told" (func $told))))))
  (type $r (resource (rep i32) (dtor (core func $d "end"))))
  (core func $new (canon resource.new $r))
  (core module $m (import "" "new" (func $new (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "same") (param i32) (result i32) (local.get 0))
    (func (export "count") (param i32 i32) (result i32) (local.get 1))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (export $thing "thing" (type $r))
  (func (export "make") (param "n" u32) (result (own $thing)) (canon lift (core func $i "make")))
  (func (export "same") (param "n" u32) (result u32) (canon lift (core func $i "same")))
  (func (export "many") (param "l" (list u32)) (result u32)
    (canon lift (core func $i "count") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func (export "count") (param "s" string) (result u32)
    (canon lift (core func $i "count") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"""
NESTED = f"""(component
  (import "told" (func $told (param "n" u32)))
  {GUEST.replace("(component", "(component $inner", 1)}
  (instance $i (instantiate $inner (with "told" (func $told))))
  (export "all" (instance $i)))"""
USER = """(component
  (import "of" (instance $of (export "count" (func (param "s" string) (result u32)))))
  (core module $memory (memory (export "memory") 1))
  (core instance $memory (instantiate $memory))
  (core func $count (canon lower (func $of "count") (memory (core memory $memory "memory")) string-encoding=utf16))
  (core module $m (import "" "count" (func $count (param i32 i32) (result i32)))
    (func (export "same") (param i32) (result i32) (call $count (i32.const 0) (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "count" (func $count))))))
  (func (export "same") (param "n" u32) (result u32) (canon lift (core func $i "same"))))"""
WAIT = 20
"""Seconds within which another thread surely has its turn."""


class Host:
    """Holds the guest's destructor until it may go on."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.told: list[int] = []

    def told_(self, n: int) -> None:
        self.reached.set()
        assert self.go_on.wait(WAIT)
        self.told.append(n)


@contextmanager
def collecting(guest: Any, host: Host, make: str = "make", count: int = 1) -> Iterator[None]:
    """While a thread beside this one destroys what nobody holds any more."""
    things = [guest.call(make, n) for n in range(count)]

    def forget() -> None:
        while things:
            things.pop(0)

    thread = threading.Thread(target=forget)
    thread.start()
    assert host.reached.wait(WAIT)
    try:
        yield
    finally:
        host.go_on.set()
        thread.join(WAIT)


@pytest.fixture
def shared(engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("a guest on wasmer stays in its thread, where nobody needs a lock")


@pytest.fixture
def goes_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Host], None]:
    """Lets the destructor go on once somebody waits for it."""

    def when_one_waits(host: Host) -> None:
        def sleep(seconds: float) -> None:
            host.go_on.set()
            time.sleep(seconds)

        monkeypatch.setattr(entry, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))

    return when_one_waits


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(("source", "within"), [(GUEST, ""), (NESTED, "all#")], ids=["plain", "nested"])
def test_a_call_waits(load: Any, goes_on: Callable[[Host], None], source: str, within: str) -> None:
    host = Host()
    goes_on(host)
    with load(source).instantiate({"told": host.told_}) as guest, collecting(guest, host, f"{within}make", 2):
        assert guest.call(f"{within}same", 7) == 7
    assert host.told == [0, 1]


@pytest.mark.usefixtures("shared")
def test_a_call_waits_where_that_begins_while_its_arguments_are_looked_at(
    load: Any, goes_on: Callable[[Host], None]
) -> None:
    host = Host()
    goes_on(host)
    begun: list[Any] = []

    class Numbers(list[int]):
        def __iter__(self) -> Iterator[int]:
            begun.append(collecting(guest, host))
            begun[0].__enter__()
            return super().__iter__()

    with load(GUEST).instantiate({"told": host.told_}) as guest:
        assert guest.call("many", Numbers([1, 2, 3])) == 3
        assert len(begun) == 1
        begun[0].__exit__(None, None, None)
    assert host.told == [0]


@pytest.mark.usefixtures("shared")
def test_another_guest_waits(load: Any, goes_on: Callable[[Host], None]) -> None:
    host = Host()
    goes_on(host)
    with (
        load(GUEST).instantiate({"told": host.told_}) as guest,
        load(USER).instantiate({"of": guest}) as user,
        collecting(guest, host),
    ):
        assert user.call("same", 0) == 0
    assert host.told == [0]


@pytest.mark.usefixtures("shared")
def test_closing_waits(load: Any, goes_on: Callable[[Host], None]) -> None:
    host = Host()
    goes_on(host)
    guest = load(GUEST).instantiate({"told": host.told_})
    with collecting(guest, host):
        guest.close()
        assert host.told == [0]


@pytest.mark.usefixtures("shared")
def test_a_look_for_a_function_waits(load: Any, goes_on: Callable[[Host], None]) -> None:
    host = Host()
    goes_on(host)
    with load(GUEST).instantiate({"told": host.told_}) as guest, collecting(guest, host):
        same = guest.func("same")
        assert host.told == [0]
        assert same(3) == 3


@pytest.mark.usefixtures("shared")
def test_nobody_waits_for_ever(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The destructor may want the lock that its caller holds."""
    monkeypatch.setattr(entry, "COLLECTOR_S", 0.01)
    host = Host()
    with load(GUEST).instantiate({"told": host.told_}) as guest, collecting(guest, host):
        with pytest.raises(ThreadError, match="another thread or task is in the guest"):
            guest.call("same", 1)
        host.go_on.set()
        assert guest.call("same", 2) == 2


def test_what_a_destructor_calls_does_not_wait_for_it(load: Any) -> None:
    refused: list[Trap] = []

    def told(n: int) -> None:
        with pytest.raises(Trap, match="what it has called calls it") as info:
            guest.call("same", n)
        refused.append(info.value)

    with load(GUEST).instantiate({"told": told}) as guest:
        guest.call("make", 1)
        gc.collect()
        assert len(refused) == 1
        assert guest.call("same", 2) == 2
