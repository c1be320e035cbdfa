"""Calls that wait: through coroutines and pcall, beside each other, and cut short."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.app_lua.hosts import FakeHost, body, program
from wippywasm.app.lua import LuaLimits, LuaWorker
from wippywasm.errors import LuaError


async def later(value: Any) -> Any:
    await asyncio.sleep(0.001)
    return value


def echo_host() -> FakeHost:
    host = FakeHost()
    host.serve("app:later", later)
    return host


@pytest.mark.parametrize(
    "source",
    [
        "return funcs.call('app:later', 5)",
        "local ok, v = pcall(funcs.call, 'app:later', 5) return v",
        "return coroutine.wrap(function() return (funcs.call('app:later', 5)) end)()",
        """local co = coroutine.create(function(a)
             local b = coroutine.yield(a + 1)
             return b + funcs.call('app:later', 1)
           end)
           local _, a = coroutine.resume(co, 1)
           local _, b = coroutine.resume(co, a)
           return a + b""",
        """local sum = 0
           local function two() for i = 1, 2 do coroutine.yield((funcs.call('app:later', i))) end end
           for v in coroutine.wrap(two) do sum = sum + v end
           return sum + 2""",
        "local t = setmetatable({}, {__index = function(_, k) return (funcs.call('app:later', k)) end}) return t[5]",
        """local function inner() return (funcs.call('app:later', 5)) end
           return coroutine.wrap(function() return coroutine.wrap(inner)() end)()""",
    ],
)
def test_a_host_call_waits_wherever_lua_can(source: str) -> None:
    assert body(source, host=echo_host()) == 5


def test_where_lua_can_not_wait_it_says_so() -> None:
    with pytest.raises(LuaError, match=r"funcs\.call can't wait here"):
        body("table.sort({2, 1}, function(a, b) funcs.call('app:later', 1) return a < b end)", host=echo_host())


def test_coroutines_know_where_they_are() -> None:
    source = """
      local main, is_main = coroutine.running()
      local inside = coroutine.wrap(function() return select(2, coroutine.running()), coroutine.isyieldable() end)
      local a, b = inside()
      local co = coroutine.create(function()
        local x <close> = setmetatable({}, {__close = function() a = 'closed' end})
        coroutine.yield()
      end)
      coroutine.resume(co)
      return {is_main, coroutine.isyieldable(), b, coroutine.status(co), coroutine.close(co), a, coroutine.status(co),
              type(main)}"""
    assert body(source) == [True, False, True, "suspended", True, "closed", "dead", "thread"]


def test_a_program_can_not_yield_to_nobody() -> None:
    with pytest.raises(LuaError, match=r"test\.lua:1: attempt to yield from outside a coroutine"):
        body("coroutine.yield(1)")


def test_a_failing_coroutine_reports_to_its_resumer() -> None:
    source = """local ok, m = coroutine.resume(coroutine.create(function() error('x') end))
      return {ok, m, (pcall(coroutine.resume, 5))}"""
    assert body(source) == [False, "test.lua:1: x", False]


# futures ------------------------------------------------------------------------------------------------------------


def test_async_calls_run_beside_each_other() -> None:
    running: list[int] = []

    async def work(n: int) -> int:
        running.append(n)
        while len(running) < 4:  # for ever, if it were one after the other
            await asyncio.sleep(0.001)
        return n * n

    host = FakeHost()
    host.serve("app:square", work)
    source = """
      local futures, sum = {}, 0
      for i = 1, 4 do futures[i] = funcs.async('app:square', i) end
      for _, f in ipairs(futures) do sum = sum + f:await() end
      return sum"""
    assert body(source, host=host) == 30


def test_a_future_tells_how_it_is() -> None:
    source = """
      local f = funcs.async('app:held', 7)
      local early = {f:is_complete(), (f:result()) == nil, select(2, f:error())}
      funcs.call('app:let_go')
      local value, err = f:await()
      return {early, value, err == nil, f:is_complete(), f:result():data(), f:await(), f:cancel(), f:is_canceled()}"""
    host, gate = FakeHost(), asyncio.Event()

    async def held(value: Any) -> Any:
        await gate.wait()
        return value

    host.serve("app:held", held)
    host.serve("app:let_go", gate.set)
    assert body(source, host=host) == [[False, True, False], 7, True, True, 7, 7, False, False]


def test_a_failed_future_gives_its_error() -> None:
    source = """
      local f = funcs.async('app:nope')
      local v, e = f:await()
      local known, has = f:error()
      return {v == nil, e:kind(), known == e, has, select(2, f:result()):kind(), (f:result()) == nil}"""
    assert body(source) == [True, "NOT_FOUND", True, True, "NOT_FOUND", True]


def test_a_cancelled_future_is_canceled() -> None:
    host = FakeHost()
    host.serve("app:forever", lambda: asyncio.sleep(60))
    source = """
      local f = funcs.async('app:forever')
      local done = f:cancel()
      local v, e = f:await()
      return {done, f:is_canceled(), v == nil, e:kind()}"""
    assert body(source, host=host) == [True, True, True, "CANCELED"]


def test_no_future_outlives_its_call() -> None:
    ended = []

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    host = FakeHost()
    host.serve("app:forever", forever)
    host.serve("app:later", later)
    source = """local funcs = require('funcs')
      return function() if not kept then kept = funcs.async('app:forever') funcs.call('app:later', 1) return 'kept' end
        return select(2, kept:await()):message() end"""

    async def two_calls() -> list[Any]:
        worker = LuaWorker(program(source), host)
        return [await worker.call(()), await worker.call(())]

    first, second = asyncio.run(two_calls())
    assert (first, ended) == ("kept", [True])
    assert "the call that started this future is over" in second


@pytest.mark.parametrize(
    ("lua", "message"),
    [
        ("funcs.async('app:later'):than()", "a future has no 'than'; it has response, channel, await, result"),
        ("funcs.new():with_context_of({})", "an executor has no 'with_context_of'; it has call, async, with_actor"),
        ("funcs.async('app:later').await()", "call its methods with ':'"),
    ],
)
def test_what_is_not_there_yet_says_so(lua: str, message: str) -> None:
    with pytest.raises(LuaError) as caught:
        body(lua, host=echo_host())
    assert message in str(caught.value)
    assert str(caught.value).startswith("test.lua:1: ")


def test_an_executor_calls_too() -> None:
    assert body(
        "local e = funcs.new() return {(e:call('app:later', 1)), (e:async('app:later', 2):await())}", host=echo_host()
    ) == [
        1,
        2,
    ]


# cancelling ---------------------------------------------------------------------------------------------------------


def test_a_cancelled_caller_cancels_its_callee_and_the_worker_lives_on() -> None:
    events: list[str] = []

    async def forever() -> None:
        events.append("callee called")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("callee cancelled")
            raise

    host = FakeHost()
    host.serve("app:forever", forever)
    source = """return function(wait)
      local guard <close> = setmetatable({}, {__close = function() print('closed') end})
      if wait then pcall(require('funcs').call, 'app:forever') print('never') end
      return 'fine' end"""

    async def cancel_one() -> Any:
        worker = LuaWorker(program(source), host)
        task = asyncio.ensure_future(worker.call((True,)))
        while not events:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert worker.usable
        assert host.printed == "closed\n"
        return await worker.call((False,))

    assert asyncio.run(cancel_one()) == "fine"
    assert events == ["callee called", "callee cancelled"]


def test_what_is_no_plain_exception_goes_through() -> None:
    class Stop(BaseException):
        pass

    def stop() -> None:
        raise Stop

    host = FakeHost()
    host.serve("app:stop", stop)
    with pytest.raises(Stop):
        body("pcall(funcs.call, 'app:stop') return 1", host=host)


def test_a_program_whose_calls_never_wait_leaves_the_event_loop_alive() -> None:
    async def main() -> None:
        host = FakeHost()
        host.serve("app:f", lambda: 1)
        source = "return function() local funcs = require('funcs') while true do funcs.call('app:f') end end"
        call = asyncio.ensure_future(LuaWorker(program(source), host, LuaLimits(busy_seconds=20)).call(()))
        for _ in range(5):
            await asyncio.sleep(0.001)
        assert not call.done()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()

    asyncio.run(main())
