"""Guests that own resources of other guests, and drop them at any moment: nothing is lost, and nobody is poisoned."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from tests.instance.test_instance_destructors import OWNER as NAMED_OWNER
from tests.instance.test_instance_races import many_switches  # noqa: F401  (the fixture)
from tests.instance.test_instance_threads import WAIT
from wippywasm import Limits
from wippywasm.errors import ThreadError, Trap

OWNER = NAMED_OWNER.replace("$owner", "", 1)
HOLDER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "make" (func $make (param "n" u32) (result (own $thing))))
  (core func $make (canon lower (func $make)))
  (core func $drop (canon resource.drop $thing))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "hold") (param i32) (result i32) (call $make (local.get 0)))
    (func (export "keep") (param i32) (result i32) (local.get 0))
    (func (export "drop") (param i32) (call $drop (local.get 0))))
  (core instance $i (instantiate $m
    (with "" (instance (export "make" (func $make)) (export "drop" (func $drop))))))
  (func (export "hold") (param "n" u32) (result u32) (canon lift (core func $i "hold")))
  (func (export "keep") (param "x" (own $thing)) (result u32) (canon lift (core func $i "keep")))
  (func (export "drop") (param "handle" u32) (canon lift (core func $i "drop"))))
"""


class Pause:
    """Stops the owner in a call until it is told to go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def pause(self) -> None:
        self.reached.set()
        assert self.go_on.wait(WAIT)


@pytest.fixture(params=[None, Limits(max_execution_ms=60_000)], ids=["", "limited"])
def limits(request: pytest.FixtureRequest) -> Limits | None:
    """Those of all guests here: what bounds the one that drops bounds the destructor."""
    found: Limits | None = request.param
    return found


@pytest.fixture
def owner_of(load: Any, limits: Limits | None) -> Any:
    return lambda gone, pause: load(OWNER).instantiate({"gone": gone.append, "pause": pause}, limits=limits)


@pytest.fixture
def holder_of(load: Any, limits: Limits | None) -> Any:
    def make(owner: Any, make: Any = None) -> Any:
        imports = {"thing": owner.exports.Thing, "make": make or owner.func("make")}
        return load(HOLDER).instantiate(imports, limits=limits)

    return make


def test_one_that_is_dropped_while_a_thread_is_in_its_guest(owner_of: Any, holder_of: Any, engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("wasmer's guests are used by their own thread only")
    pause, gone = Pause(), list[int]()
    with owner_of(gone, pause.pause) as owner, holder_of(owner) as holder, ThreadPoolExecutor(1) as other:
        handle = holder.call("hold", 5)
        waiting = other.submit(owner.call, "wait")
        assert pause.reached.wait(WAIT)
        try:
            holder.call("drop", handle)
            assert gone == []
        finally:
            pause.go_on.set()
        waiting.result(WAIT)
        assert gone == [5]
        handle = holder.call("hold", 6)
        holder.call("drop", handle)
        assert gone == [5, 6]
        with pytest.raises(Trap, match="unknown handle"):
            holder.call("drop", handle)


@pytest.mark.usefixtures("many_switches")
def test_none_is_lost_where_threads_come_and_go(owner_of: Any, holder_of: Any, engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("wasmer's guests are used by their own thread only")

    def call() -> None:
        while not done.is_set():
            with suppress(ThreadError):
                owner.call("wait")

    gone: list[int] = []
    done = threading.Event()
    with owner_of(gone, lambda: None) as owner, holder_of(owner) as holder, ThreadPoolExecutor(1) as other:
        for first in range(0, 2000, 50):
            handles = [holder.call("hold", first + n) for n in range(50)]
            done.clear()
            calling = other.submit(call)
            try:
                for handle in handles:
                    holder.call("drop", handle)
            finally:
                done.set()
            calling.result(WAIT)
            assert sorted(gone) == list(range(first + 50))


def test_one_that_is_dropped_in_another_thread_than_its_guests(owner_of: Any, holder_of: Any, engine: str) -> None:
    """On wasmer its destructor runs in that thread, when the next call there returns."""

    def make() -> None:
        owner = owner_of(gone, lambda: None)
        made.append(owner)
        things.append(owner.call("make", 5))

    gone: list[int] = []
    made: list[Any] = []
    things: list[Any] = []
    with ThreadPoolExecutor(1) as other:
        other.submit(make).result(WAIT)
        [owner] = made
        with holder_of(owner, lambda n: things[n]) as holder:
            handle = holder.call("keep", things.pop())
            holder.call("drop", handle)
            assert gone == ([5] if engine == "wasmtime" else [])
            with pytest.raises(Trap, match="unknown handle"):
                holder.call("drop", handle)
        other.submit(owner.call, "wait").result(WAIT)
        assert gone == [5]
        other.submit(owner.close).result(WAIT)


def test_one_that_is_dropped_while_a_task_waits_in_its_guest(owner_of: Any, holder_of: Any) -> None:
    async def use() -> None:
        async def pause() -> None:
            reached.set()
            await go_on.wait()

        reached, go_on = asyncio.Event(), asyncio.Event()
        with owner_of(gone, pause) as owner, holder_of(owner) as holder:
            handle = await holder.call_async("hold", 5)
            waiting = asyncio.ensure_future(owner.call_async("wait"))
            await reached.wait()
            await holder.call_async("drop", handle)
            assert gone == []
            go_on.set()
            await waiting
            for _ in range(WAIT * 100):
                if gone:
                    break
                await asyncio.sleep(0.01)
            assert gone == [5]
            handle = await holder.call_async("hold", 6)
            await holder.call_async("drop", handle)

    gone: list[int] = []
    asyncio.run(use())
    assert gone[0] == 5


def test_one_whose_guest_has_trapped_went_with_it(owner_of: Any, holder_of: Any) -> None:
    def pause() -> None:
        raise ZeroDivisionError

    gone: list[int] = []
    with owner_of(gone, pause) as owner, holder_of(owner) as holder:
        handle = holder.call("hold", 5)
        with pytest.raises(ZeroDivisionError):
            owner.call("wait")
        holder.call("drop", handle)
        assert holder.usable
    assert gone == []


def test_one_whose_guest_is_closed_went_with_it(owner_of: Any, holder_of: Any) -> None:
    gone: list[int] = []
    owner = owner_of(gone, lambda: None)
    with holder_of(owner) as holder:
        handle = holder.call("hold", 5)
        owner.close()
        holder.call("drop", handle)
        assert holder.usable
    assert gone == []


def test_what_a_guest_calls_may_not_drop_its_resources(owner_of: Any, holder_of: Any) -> None:
    """The component model allows no such re-entrance, and no other thread is there to be waited for.

    The one that tried is ended, which is no reason to lose the resource.
    """

    def pause() -> None:
        with pytest.raises(Trap, match="cannot enter component instance"):
            holder.call("drop", handle)

    gone: list[int] = []
    with owner_of(gone, pause) as owner, holder_of(owner) as holder:
        handle = holder.call("hold", 5)
        owner.call("wait")
        assert not holder.usable
        assert gone == [5]
    assert gone == [5]


def test_those_of_a_guest_that_is_collected_go_when_their_guest_has_next_been_called(
    owner_of: Any, holder_of: Any
) -> None:
    """Not at once: a collection may happen in the middle of anything, in any thread."""
    gone: list[int] = []
    with owner_of(gone, lambda: None) as owner:
        holder = holder_of(owner)
        for n in range(3):
            holder.call("hold", n)
        holder.call("drop", 2)
        assert gone == [1]
        del holder
        gc.collect()
        assert gone == [1]
        owner.call("wait")
        assert gone == [1, 0, 2]
        owner.call("wait")
        assert gone == [1, 0, 2]


def test_a_guest_of_which_a_function_is_held_is_not_collected(owner_of: Any, holder_of: Any) -> None:
    gone: list[int] = []
    with owner_of(gone, lambda: None) as owner:
        holder = holder_of(owner)
        handle, drop = holder.call("hold", 5), holder.func("drop")
        del holder
        gc.collect()
        owner.call("wait")
        assert gone == []
        drop(handle)
        assert gone == [5]


def test_guests_that_are_collected_together_leave_nothing(owner_of: Any, holder_of: Any) -> None:
    gone: list[int] = []
    owner = owner_of(gone, lambda: None)
    holder = holder_of(owner)
    holder.call("hold", 5)
    frames = [weakref.ref(guest._frame) for guest in (owner, holder)]
    del owner, holder
    gc.collect()
    assert [frame() for frame in frames] == [None, None]
    assert gone == []


def test_those_of_a_tasks_guest_that_is_collected(owner_of: Any, holder_of: Any) -> None:
    async def use() -> None:
        with owner_of(gone, lambda: None) as owner:
            holder = holder_of(owner)
            await holder.call_async("hold", 5)
            del holder
            for _ in range(WAIT * 100):
                gc.collect()
                await owner.call_async("wait")
                if gone:
                    return
                await asyncio.sleep(0.01)

    gone: list[int] = []
    asyncio.run(use())
    assert gone == [5]
