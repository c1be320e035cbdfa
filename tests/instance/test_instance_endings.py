"""How guests and what they hold end: closed, dropped by the guest, or found by the garbage collector in any order."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import threading
from contextlib import suppress
from typing import Any

import pytest

import wippywasm
from wippywasm.errors import Trap
from wippywasm.instance.guest_thread import GuestThread

COUNTERS = """
(component
  (import "log" (func $log (param "n" u32)))
  (core func $log (canon lower (func $log)))
  (core module $d
    (import "" "log" (func $log (param i32)))
    (func (export "dtor") (param i32) (call $log (local.get 0))))
  (core instance $d (instantiate $d (with "" (instance (export "log" (func $log))))))
  (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
  (export $r "counter" (type $r'))
  (core func $new (canon resource.new $r'))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "value") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (func (export "[constructor]counter") (param "n" u32) (result (own $r)) (canon lift (core func $i "make")))
  (func (export "[method]counter.value") (param "self" (borrow $r)) (result u32) (canon lift (core func $i "value"))))
"""


def test_a_guest_and_its_resources_are_collected_together(load: Any) -> None:
    """Their finalizers run in any order; a destructor may find half of its guest gone, and then nothing happens."""
    for _ in range(5):
        engine = type(load("(module)").engine)()
        guest = wippywasm.load(COUNTERS, engine=engine).instantiate({"log": lambda n: None})
        circle: list[Any] = [engine, guest, guest.exports.Counter(1), guest.exports.Counter(2)]
        circle.append(circle)
        del engine, guest, circle
        gc.collect()


def test_guests_and_resources_are_not_copied(load: Any) -> None:
    dropped: list[int] = []
    with load(COUNTERS).instantiate({"log": dropped.append}) as guest:
        counter = guest.exports.Counter(5)
        for thing in (guest, counter):
            for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match="can't be copied"):
                    duplicate(thing)
        counter.close()
        assert dropped == [5]


KEEPER = """
(component
  (import "host" (instance $host (export "blob" (type $b (sub resource)))))
  (alias export $host "blob" (type $b))
  (core module $m (func (export "keep") (param i32)))
  (core instance $i (instantiate $m))
  (func (export "keep") (param "b" (own $b)) (canon lift (core func $i "keep"))))
"""


class Blob:
    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.ends = 0

    def close(self) -> None:
        self.ends += 1
        if self.error is not None:
            raise self.error


def test_all_objects_of_a_guest_are_closed_whatever_they_raise(load: Any) -> None:
    blobs = [Blob(), Blob(KeyError("first")), Blob(ValueError("second")), Blob()]
    guest = load(KEEPER).instantiate({"host": {}})
    for blob in blobs:
        guest.call("keep", blob)
    with pytest.raises(KeyError, match="first"):
        guest.close()
    assert [blob.ends for blob in blobs] == [1, 1, 1, 1]
    guest.close()
    assert guest.closed


def test_all_objects_of_a_tasks_guest_are_closed_when_close_returns(load: Any) -> None:
    blobs = [Blob(), Blob(KeyError("first")), Blob()]

    async def main() -> None:
        guest = await load(KEEPER).link({"host": {}}).instantiate_async()
        for blob in blobs:
            await guest.call_async("keep", blob)
        with pytest.raises(KeyError, match="first"):
            guest.close()
        assert [blob.ends for blob in blobs] == [1, 1, 1]
        assert guest.closed

    asyncio.run(main())


def test_making_a_guest_for_a_task_does_not_hold_the_loop(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is made in a thread of its own, which may wait for the interpreter."""

    def refuse(self: Any, *args: Any) -> None:
        raise AssertionError("the loop waits for the thread")

    async def main() -> None:
        linked = load(KEEPER).link({"host": {}})
        monkeypatch.setattr(GuestThread, "do", refuse)
        with await linked.instantiate_async() as guest:
            await guest.call_async("keep", Blob())
        assert guest.closed

    asyncio.run(main())


def test_guests_that_fail_or_are_given_up_while_tasks_make_them_leave_no_thread(load: Any) -> None:
    linked = load(KEEPER).link({"host": {}})
    trapping = load(
        "(component (core module $m (func $f unreachable) (start $f)) (core instance (instantiate $m)))"
    ).link()

    def count() -> int:
        return sum(thread.name == "wippywasm guest" for thread in threading.enumerate())

    async def main() -> None:
        (await linked.instantiate_async()).close()
        before = count()
        for turns in range(6):
            with pytest.raises(Trap, match="unreachable"):
                await trapping.instantiate_async()
            making = asyncio.ensure_future(linked.instantiate_async())
            for _ in range(turns):
                await asyncio.sleep(0)
            making.cancel()
            with suppress(asyncio.CancelledError):
                (await making).close()
            await asyncio.sleep(0.01)  # in which the thread gives itself back
        assert count() <= before + 1

    asyncio.run(main())


def test_what_was_finalized_before_its_guest_is_not_freed_again(load: Any, engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("wasmer keeps no trap for the next host function that raises")

    def refuse(n: int) -> None:
        raise KeyError(n)

    for _ in range(20):
        guest = load(COUNTERS).instantiate({"log": refuse})
        counter = guest.exports.Counter(7)
        guest._frame.store.running.spare.__del__()  # as the collector does where all is garbage
        with pytest.raises(KeyError, match="7"):
            counter.close()
        guest.close()


USER = """
(component
  (import "a:b/counters" (instance $z
    (export "counter" (type $r (sub resource)))
    (export "[constructor]counter" (func (param "n" u32) (result (own $r))))))
  (core func $new (canon lower (func $z "[constructor]counter")))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "keep") (param i32) (drop (call $new (local.get 0))))
    (func (export "fail") unreachable))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (func (export "keep") (param "n" u32) (canon lift (core func $i "keep")))
  (func (export "fail") (canon lift (core func $i "fail"))))
"""


def _pair(load: Any, log: Any) -> tuple[Any, Any]:
    provider = load(COUNTERS).instantiate({"log": log})
    return provider, load(USER).instantiate({"a:b/counters": provider.exports})


@pytest.mark.parametrize("poisoned", [False, True])
def test_what_a_closed_guest_owned_of_another_is_dropped(load: Any, poisoned: bool) -> None:
    dropped: list[int] = []
    provider, user = _pair(load, dropped.append)
    for n in (5, 6, 7):
        user.call("keep", n)
    if poisoned:
        with pytest.raises(Trap):
            user.call("fail")
    assert dropped == []
    user.close()
    assert dropped == [5, 6, 7]
    user.close()
    with provider:
        assert provider.exports.Counter(8).value() == 8
    assert dropped[:3] == [5, 6, 7]


def test_a_destructor_that_fails_does_not_spare_the_others(load: Any) -> None:
    """Its own guest is barred by it, another is not."""
    dropped: list[int] = []

    def log(n: int) -> None:
        dropped.append(n)
        if n == 6:
            raise KeyError(n)

    provider, user = _pair(load, log)
    for n in (5, 6, 7):
        user.call("keep", n)
    with pytest.raises(KeyError, match="6"):
        user.close()
    assert user.closed
    assert dropped == [5, 6]
    assert not provider.usable
    provider.close()


def test_what_went_with_its_guest_is_not_dropped_again(load: Any) -> None:
    dropped: list[int] = []
    provider, user = _pair(load, dropped.append)
    user.call("keep", 5)
    provider.close()
    user.close()
    assert dropped == []


def test_a_guest_that_is_closed_by_a_host_function_of_the_other(load: Any) -> None:
    """The other guest is running, so its destructor waits until it has returned."""
    dropped: list[int] = []
    seen: list[list[int]] = []
    users: list[Any] = []

    def log(n: int) -> None:
        dropped.append(n)
        while users:
            users.pop().close()
            seen.append(list(dropped))

    provider, user = _pair(load, log)
    user.call("keep", 5)
    users.append(user)
    provider.exports.Counter(1).close()
    assert seen == [[1]]
    assert provider.exports.Counter(2).value() == 2
    assert dropped[:2] == [1, 5]
    provider.close()
