"""What a host function was given by a guest whose task is ended: it belongs to the one that has begun to use it."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import Any

import pytest

from tests.instance.test_instance_failed_calls import Things
from tests.machine.staging import Stage
from wippywasm.errors import ConflictError


class Host:
    """Takes things; `held` has those that it has got."""

    def __init__(self) -> None:
        self.held: list[Any] = []

    async def put(self, thing: Any) -> None:
        self.held.append(thing)
        await asyncio.sleep(3600)

    async def __call__(self, thing: Any) -> None:
        await self.put(thing)

    def put_now(self, thing: Any) -> Any:
        """What it returns is a coroutine, too, but it has the thing already."""
        self.held.append(thing)
        return asyncio.sleep(3600)

    @property
    def partial(self) -> Any:
        return partial(Host.put, self)

    def check_held(self, stage: Stage) -> None:
        """The one thing is its own: nobody has closed it."""
        stage.check_gone()
        self.held.pop().close()
        stage.check_gone(5)


names = pytest.mark.parametrize("name", ["put", "try-put"])


@names
@pytest.mark.parametrize("put", [Host().put, Host(), Host().partial], ids=["method", "object", "partial"])
async def test_what_was_given_to_a_host_function_that_has_not_begun(stage: Stage, put: Any, name: str) -> None:
    """The guest is ending: it is its own again."""
    guest = stage.make(put)
    await stage.lose(guest, name)
    stage.check_gone()
    assert not guest.usable
    guest.close()
    stage.check_gone(5)
    gc.collect()
    stage.check_gone(5)


@names
async def test_what_was_given_to_a_host_function_that_has_begun(stage: Stage, name: str) -> None:
    host = Host()
    guest = stage.make(host.put)
    task = await stage.begin(guest.call_async(name))
    stage.end()
    while not host.held:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    guest.close()
    host.check_held(stage)


@names
async def test_what_was_given_to_a_plain_host_function_whose_awaitable_nobody_awaits(stage: Stage, name: str) -> None:
    host = Host()
    guest = stage.make(host.put_now)
    await stage.lose(guest, name)
    guest.close()
    host.check_held(stage)


@names
async def test_what_was_given_to_a_host_function_that_would_hold_the_event_loop(stage: Stage, name: str) -> None:
    host = Host()
    guest = stage.make(host.put)
    stage.go_on.set()
    with pytest.raises(ConflictError, match="has to wait"):
        guest.call(name)
    guest.close()
    stage.check_gone(5)
    assert not host.held


LENDER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "look" (func $look (param "x" (borrow $thing))))
  (core func $look (canon lower (func $look)))
  (core module $m (import "" "look" (func $look (param i32)))
    (func (export "run") (param i32) (call $look (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "look" (func $look))))))
  (func (export "run") (param "x" (borrow $thing)) (canon lift (core func $i "run"))))
"""


async def test_what_was_lent_to_a_host_function_whose_awaitable_nobody_awaits(load: Any) -> None:
    def look(thing: Any) -> Any:
        held.append(thing)
        return asyncio.sleep(3600)

    held: list[Any] = []
    things = Things(load, has_guest=True)
    guest = load(LENDER).instantiate({"thing": things.thing, "look": look})
    thing = things.make(5)
    with pytest.raises(ConflictError, match="has to wait"):
        guest.call("run", thing)
    assert held.pop().closed
    guest.close()
    thing.close()
    things.owner.close()


REEXPORT = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "get" (func $get (result (own $thing))))
  (import "put" (func $put (param "x" (own $thing))))
  (export $exported "thing" (type $thing))
  (export "get" (func $get) (func (result (own $exported))))
  (export "put" (func $put) (func (param "x" (own $exported)))))
"""


@pytest.mark.parametrize("is_taken", [True, False], ids=["taken", "lost"])
async def test_the_result_of_a_function_that_is_exported_as_it_is(stage: Stage, engine: str, is_taken: bool) -> None:
    def get() -> Any:
        stage.pause()
        return stage.things.make(5)

    if engine == "wasmtime":
        pytest.skip("the event loop's own thread makes such calls")
    guest = stage.things._load(REEXPORT).instantiate({"thing": stage.things.thing, "get": get, "put": print})
    if is_taken:
        task = await stage.begin(guest.call_async("get"))
        stage.end()
        thing = await task
        stage.check_gone()
        thing.close()
    else:
        await stage.lose(guest, "get")
    stage.check_gone(5)
    guest.close()
    stage.check_gone(5)


async def test_what_was_given_to_one_that_is_exported_as_it_is_and_has_not_begun(stage: Stage) -> None:
    host = Host()
    hosts = {"get": print, "put": host.put}
    guest = stage.things._load(REEXPORT).instantiate({"thing": stage.things.thing, **hosts})
    with pytest.raises(ConflictError, match="has to wait"):
        guest.call("put", stage.things.make(5))
    stage.check_gone(5)
    guest.close()
    stage.check_gone(5)
    assert not host.held
