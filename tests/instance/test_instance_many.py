"""Many instances of one linked component: told apart while they live, and gone when they are closed."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from wippywasm import Resource
from wippywasm.errors import PermissionDeniedError

ALONE = """
(component
  (core module $m (func (export "double") (param i32) (result i32) (i32.add (local.get 0) (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "double") (param "x" s32) (result s32) (canon lift (core func $i "double"))))
"""
TWO_HOSTS = """
(component
  (import "first" (func $first (param "x" s32) (result s32)))
  (import "second" (func $second (param "x" s32) (result s32)))
  (core func $a (canon lower (func $first)))
  (core func $b (canon lower (func $second)))
  (core module $inner
    (import "h" "first" (func $first (param i32) (result i32)))
    (import "h" "second" (func $second (param i32) (result i32)))
    (func (export "both") (param i32) (result i32) (call $second (call $first (local.get 0)))))
  (core module $outer
    (import "i" "both" (func $both (param i32) (result i32)))
    (import "h" "second" (func $second (param i32) (result i32)))
    (func (export "run") (param i32) (result i32) (call $second (call $both (local.get 0)))))
  (core instance $h (export "first" (func $a)) (export "second" (func $b)))
  (core instance $i (instantiate $inner (with "h" (instance $h))))
  (core instance $o (instantiate $outer (with "i" (instance $i)) (with "h" (instance $h))))
  (func (export "run") (param "x" s32) (result s32) (canon lift (core func $o "run"))))
"""
COUNTER = """
(component
  (import "counter" (type $counter (sub resource)))
  (import "make" (func $make (result (own $counter))))
  (core func $make (canon lower (func $make)))
  (core func $drop (canon resource.drop $counter))
  (core module $m
    (import "h" "make" (func $make (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "run") (param i32)
      (local $i i32)
      (loop $next
        (drop (call $make))
        (call $drop (call $make))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))))
  (core instance $i (instantiate $m (with "h" (instance (export "make" (func $make)) (export "drop" (func $drop))))))
  (func (export "run") (param "times" u32) (canon lift (core func $i "run"))))
"""

COUNTERS = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "dtor") (param i32)))
  (core instance $i (instantiate $m))
  (type $counter' (resource (rep i32) (dtor (core func $i "dtor"))))
  (export $counter "counter" (type $counter'))
  (core func $new (canon resource.new $counter'))
  (func (export "make") (param "x" u32) (result (own $counter)) (canon lift (core func $new))))
"""


_GUESTS = ("wippywasm.instance", "wippywasm.engine", "wippywasm.abi", "wasmtime", "wasmer", "tests")
"""Where what a guest consists of is from; a component that an earlier test had may be let go of meanwhile."""


def garbage_of(use: Any) -> int:
    """How many parts of guests only the garbage collector can free after `use`."""
    use()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        use()
        gc.collect()
        return sum(map(_is_ours, gc.garbage))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _is_ours(object: Any) -> bool:
    modules = type(object).__module__, getattr(object, "__module__", None)
    return any(str(module).startswith(_GUESTS) for module in modules)


def test_a_closed_guest_leaves_nothing_to_collect(load: Any) -> None:
    alone, counters = load(ALONE).link(), load(COUNTERS).link()
    hosted = load(TWO_HOSTS).link({"first": lambda x: x + 1, "second": lambda x: x * 2})

    def use() -> None:
        with alone.instantiate() as guest:
            assert guest.call("double", 4) == 8
        with hosted.instantiate() as guest:
            assert guest.call("run", 4) == 20
        with counters.instantiate() as guest:
            guest.call("make", 1).close()
            guest.call("make", 2)

    assert garbage_of(use) == 0


def test_a_guest_of_its_own_is_freed_as_soon_as_nobody_holds_it(load: Any, engine: str) -> None:
    linked = load(ALONE).link()

    def use() -> None:
        guest = linked.instantiate()
        assert guest.call("double", 4) == 8

    if engine == "wasmer":
        pytest.skip("wasmer's stores keep their callers' frames in a cycle")
    assert garbage_of(use) == 0


def test_dropped_guests_with_host_functions_are_collected(load: Any) -> None:
    linked = load(TWO_HOSTS).link({"first": lambda x: x + 1, "second": lambda x: x * 2})
    frames = []
    for _ in range(20):
        guest = linked.instantiate()
        assert guest.call("run", 4) == 20
        frames.append(weakref.ref(guest._frame))
    del guest
    gc.collect()
    assert [frame() for frame in frames] == [None] * 20


def test_host_functions_of_one_type_are_told_apart(load: Any) -> None:
    """Within a guest, and between guests that live at the same time, each closed before the next calls."""
    component = load(TWO_HOSTS)
    guests = [
        component.link({"first": lambda x, n=n: x + n, "second": lambda x, n=n: x * (n + 2)}).instantiate()
        for n in range(12)
    ]
    for n, guest in enumerate(guests):
        assert guest.call("run", 1) == (1 + n) * (n + 2) * (n + 2)
        guest.close()


def test_what_a_host_function_raises_is_its_own_guests(load: Any) -> None:
    linked = load(TWO_HOSTS).link({"first": lambda x: 1 // x, "second": lambda x: x}, undeclared="deny")
    denied = load(TWO_HOSTS).link(undeclared="deny")
    with linked.instantiate() as one, linked.instantiate() as two, denied.instantiate() as three:
        with pytest.raises(ZeroDivisionError):
            one.call("run", 0)
        assert two.call("run", 1) == 1
        with pytest.raises(PermissionDeniedError, match="first"):
            three.call("run", 1)


def test_guests_made_inside_of_a_host_function(load: Any) -> None:
    """A host function of one guest instantiates, calls and closes another of the same linked component."""
    depth: list[int] = []

    def first(x: int) -> int:
        if len(depth) == 3:
            return x
        depth.append(x)
        with linked.instantiate() as inner:
            return int(inner.call("run", x + 1))

    linked = load(TWO_HOSTS).link({"first": first, "second": lambda x: x + 10})
    with linked.instantiate() as guest:
        assert guest.call("run", 0) == 3 + 4 * 20
    assert depth == [0, 1, 2]


def test_one_linked_component_in_many_threads(load: Any) -> None:
    linked = load(TWO_HOSTS).link({"first": lambda x: x + 1, "second": lambda x: x * 2})
    results: list[int] = []

    def work() -> None:
        for x in range(30):
            with linked.instantiate() as guest:
                results.append(guest.call("run", x) - (x + 1) * 4)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [0] * 120


def test_resources_of_the_host_appear_when_they_are_used(load: Any) -> None:
    closed: list[int] = []

    class Counter:
        def __init__(self) -> None:
            self.number = len(made)
            made.append(self)

        def close(self) -> None:
            closed.append(self.number)

    made: list[Counter] = []
    linked = load(COUNTER).link({"counter": Counter, "make": Counter})
    with linked.instantiate():
        pass
    with linked.instantiate() as guest:
        guest.call("run", 3)
        assert closed == [1, 3, 5]
    assert closed == [1, 3, 5, 0, 2, 4]
    assert not any(isinstance(counter, Resource) for counter in made)
