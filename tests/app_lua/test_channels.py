"""Channels and coroutines of a program that run beside each other. Spec: SPEC section 11."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.app_lua.hosts import FakeHost, body, program, run
from wippywasm.app.lua import LuaLibrary, LuaLimits, LuaSource, LuaWorker
from wippywasm.errors import InvalidError, LuaError, NotFoundError

TIMED = frozenset({"funcs", "json", "time"})


async def later(value: Any, seconds: float = 0.001) -> Any:
    await asyncio.sleep(seconds)
    return value


def host_with_later() -> FakeHost:
    host = FakeHost()
    host.serve("app:later", later)
    return host


@pytest.mark.parametrize(
    ("lua", "result"),
    [
        (
            "local c = channel.new(2) return {c:send(1), c:send(nil), {c:receive()}, (select(2, c:receive()))}",
            [True, True, [1, True], True],
        ),
        (
            "local c = channel.new(2) c:send(1) c:close() c:close() return {{c:receive()}, select(2, c:receive())}",
            [[1, True], False],
        ),
        ("local c = channel.new(1) return {channel.select{c:case_send(5)}.value, (c:receive())}", [5, 5]),
        (
            "local c = channel.new() local r = channel.select{c:case_receive(), default = true} return r",
            {"default": True, "ok": True},
        ),
        (
            "local c = channel.new() c:close() local r = channel.select{c:case_receive()} return {r.ok, r.value}",
            [False],
        ),
        ("local c = channel.new() coroutine.spawn(function() c:send('x') end) return (c:receive())", "x"),
        ("local t, c = {}, channel.new(1) c:send(t) return c:receive() == t", True),
        ("return type(coroutine.spawn(function() end))", "thread"),
        (
            """local out, log = channel.new(), {}
               for i = 1, 3 do coroutine.spawn(function() log[#log + 1] = i out:send(i) end) end
               log[#log + 1] = 'main' for i = 1, 3 do local v = out:receive() log[#log + 1] = v * 10 end return log""",
            ["main", 1, 2, 3, 10, 20, 30],
        ),
        (
            """local c = channel.new()
               local inner = coroutine.wrap(function() coroutine.yield(c:receive()) coroutine.yield(c:receive()) end)
               coroutine.spawn(function() c:send(1) c:send(2) end)
               return {(inner()), (inner())}""",
            [1, 2],
        ),
    ],
)
def test_examples(lua: str, result: Any) -> None:
    assert body(lua) == result


def test_a_send_on_a_closed_channel_is_an_error_where_it_stands() -> None:
    with pytest.raises(LuaError, match=r"^test\.lua:1: send on closed channel$"):
        body("local c = channel.new(1) c:close() c:send(1)")
    waiting = "local c = channel.new() coroutine.spawn(function() c:close() end) return {pcall(c.send, c, 1)}"
    assert body(waiting) == [False, "send on closed channel"]
    selecting = """local c = channel.new() coroutine.spawn(function() c:close() end)
      return {pcall(channel.select, {c:case_send(1)})}"""
    assert body(selecting) == [False, "send on closed channel"]


@pytest.mark.parametrize(
    ("lua", "message"),
    [
        ("channel.new(-1)", r"channel\.new takes a size, a whole number that is not negative; got -1"),
        ("channel.new(1.5)", "got 1.5"),
        ("channel.new('x')", "got x"),
        ("channel.select(5)", "takes a table of cases, got number"),
        ("channel.select{5}", "case 1 is a number: make cases with case_receive and case_send"),
        ("channel.select{channel.new()}", "case 1 is a channel"),
        ("channel.new():recieve()", "a channel has no 'recieve'; it has send, receive"),
        ("channel.new().send(5)", "channel expected; call its methods with ':'"),
        ("channel.new().x = 5", "a channel can't be changed"),
        ("coroutine.spawn(5)", "bad argument #1 to 'spawn'"),
        ("coroutine.spawn(function() coroutine.yield() end) channel.new():receive()", "yield from outside a coroutine"),
    ],
)
def test_misuse_says_what_is_wrong_and_where(lua: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test\.lua:1: .*{message}"):
        body(lua)


def test_a_channel_can_not_leave_its_program() -> None:
    with pytest.raises(LuaError, match=r"result\[1\]: a channel can't leave its program"):
        body("return {channel.new()}")
    assert body("local _, err = funcs.call('app:f', channel.new()) return err:message()").startswith("argument 1: a ch")


def test_select_is_fair() -> None:
    source = """local a, b, c = channel.new(1), channel.new(1), channel.new()
      local count = {a = 0, b = 0}
      for _ = 1, 1000 do
        channel.select{a:case_send(1), default = true} channel.select{b:case_send(1), default = true}
        local r = channel.select{c:case_receive(), a:case_receive(), b:case_receive()}
        if r.channel == a then count.a = count.a + 1 else count.b = count.b + 1 end
      end
      return count"""
    count = body(source)
    assert count["a"] + count["b"] == 1000
    assert min(count["a"], count["b"]) > 400


def test_who_looks_again_and_again_lets_others_run() -> None:
    source = """local done, looks = channel.new(1), 0
      coroutine.spawn(function() done:send((funcs.call('app:later', 'x'))) end)
      while true do
        local r = channel.select{done:case_receive(), default = true}
        if not r.default then return r.value end
        looks = looks + 1
      end"""
    assert body(source, host=host_with_later()) == "x"


def test_a_busy_pair_of_coroutines_leaves_the_event_loop_alive() -> None:
    source = """return function()
      local c = channel.new() coroutine.spawn(function() while true do c:send(1) end end)
      while true do c:receive() end end"""
    turns = 0

    async def main() -> None:
        nonlocal turns
        worker = LuaWorker(program(source), FakeHost(), LuaLimits(instructions=20_000_000))
        call = asyncio.ensure_future(worker.call(()))
        while not call.done():
            turns += 1
            await asyncio.sleep(0)
        with pytest.raises(LuaError, match="executed more than 20000000 instructions"):
            await call

    asyncio.run(main())
    assert turns > 20


def test_host_calls_of_coroutines_run_beside_each_other() -> None:
    running = most = 0

    async def work(n: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002 * (5 - n))
        running -= 1
        return n

    host = FakeHost()
    host.serve("app:work", work)
    source = """local out, order = channel.new(), {}
      for i = 1, 4 do coroutine.spawn(function() out:send((funcs.call('app:work', i))) end) end
      for i = 1, 4 do order[i] = out:receive() end return order"""
    assert sorted(body(source, host=host)) == [1, 2, 3, 4]
    assert most == 4


def test_the_end_of_the_call_ends_its_coroutines() -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("host call")

    host = FakeHost()
    host.serve("app:forever", forever)
    source = """
      for i = 1, 2 do coroutine.spawn(function()
        local x <close> = setmetatable({}, {__close = function() print('closed', i) end})
        funcs.call('app:forever')
      end) end
      funcs.call('app:later', 1)
      return 'done'"""
    host.serve("app:later", later)
    assert body(source, host=host) == "done"
    assert host.printed == "closed\t2\nclosed\t1\n"
    assert ended == ["host call", "host call"]


def test_an_error_in_a_coroutine_ends_the_call_and_says_who_spawned_it() -> None:
    with pytest.raises(LuaError, match=r"^test\.lua:2: bad$") as caught:
        body("local c = channel.new()\ncoroutine.spawn(function() error('bad') end)\nc:receive()")
    assert caught.value.traceback.splitlines()[-1] == "test.lua:2: spawned here"
    with pytest.raises(NotFoundError):
        body("coroutine.spawn(function() error(errors.new{kind='NOT_FOUND', message='x'}) end) channel.new():receive()")


def test_cancelling_the_caller_cancels_what_every_coroutine_waits_for() -> None:
    ended: list[int] = []
    started: list[int] = []

    async def forever(n: int) -> None:
        started.append(n)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(n)

    host = FakeHost()
    host.serve("app:forever", forever)
    source = """local funcs = require('funcs') return function(wait)
      if not wait then return 'fine' end
      for i = 1, 3 do coroutine.spawn(function() funcs.call('app:forever', i) end) end
      channel.select{require('time').after('1h'):case_receive()} end"""

    async def main() -> Any:
        worker = LuaWorker(program(source, modules=TIMED), host)
        task = asyncio.ensure_future(worker.call((True,)))
        while len(started) < 3:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        timers = [handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
        assert (sorted(ended), timers) == ([1, 2, 3], [])
        return await worker.call((False,))

    assert asyncio.run(main()) == "fine"


def test_a_channel_outlives_its_call_and_who_waited_does_not() -> None:
    source = """local kept = channel.new(2) local time = require('time')
      return function(n)
        if n == 1 then
          coroutine.spawn(function() kept:receive() end) time.sleep('1ms') return 'left'
        end
        kept:send(n) return {channel.select{kept:case_receive(), default = true}.value}
      end"""

    async def main() -> list[Any]:
        worker = LuaWorker(program(source, modules=TIMED), FakeHost())
        return [await worker.call((n,)) for n in (1, 2, 3)]

    assert asyncio.run(main()) == ["left", [2], [3]]


def test_a_library_that_waits_while_it_loads_is_loaded_once() -> None:
    library = LuaLibrary(
        "app:lib", LuaSource("print('loading') require('time').sleep('2ms') return {n = 5}", "l"), TIMED
    )
    source = """return function() local out = channel.new()
      for _ = 1, 3 do coroutine.spawn(function() out:send(require('lib').n) end) end
      return out:receive() + out:receive() + out:receive() end"""
    host = FakeHost()
    assert run(source, host=host, modules=TIMED, imports={"lib": library}) == 15
    assert host.printed == "loading\n"


# what a program must not get at ---------------------------------------------------------------------------------------


def test_nobody_resumes_what_the_scheduler_resumes() -> None:
    source = """local c, out = channel.new(), {}
      local fiber = coroutine.spawn(function() c:receive() end)
      local inner = coroutine.create(function() return funcs.call('app:later', 'own') end)
      local wrapped = coroutine.wrap(function() return funcs.call('app:later', 'own') end)
      local answers = channel.new(2)
      coroutine.spawn(function() answers:send((select(2, coroutine.resume(inner)))) end)
      coroutine.spawn(function() answers:send((wrapped())) end)
      require('time').sleep(1)
      out[1] = {coroutine.resume(fiber, 'forged')}
      out[2] = {coroutine.resume(inner, 0, 0, 'forged')}
      out[3] = {pcall(coroutine.close, fiber)}
      out[4] = {pcall(coroutine.close, inner)}
      out[5] = {pcall(wrapped)}
      out[6] = coroutine.status(inner)
      out[7] = {(answers:receive()), (answers:receive())}
      return out"""
    refused = [False, "cannot resume non-suspended coroutine"]
    closing = [False, "cannot close a running coroutine"]
    lua = f'local funcs = require("funcs") return function() {source} end'
    out = run(lua, host=host_with_later(), modules=TIMED)
    assert out == [refused, refused, closing, closing, refused, "normal", ["own", "own"]]


ENDLESS = {
    "spawning": "while true do coroutine.spawn(function() end) end",
    "spawning and yielding": "while true do coroutine.spawn(function() end) require('time').sleep(0) end",
    "a coroutine that spins": "coroutine.spawn(function() while true do end end) channel.new():receive()",
    "a coroutine that spawns itself": "local function f() coroutine.spawn(f) end f() channel.new():receive()",
    "channels": "local t = {} while true do t[#t + 1] = channel.new(5) end",
    "a full channel": "local c = channel.new(1 << 31) while true do c:send(1) end",
    "waiters": "local c = channel.new() for i = 1, 1e7 do coroutine.spawn(function() c:receive() end) end",
    "looking": "local c = channel.new() while true do channel.select{c:case_receive(), default = true} end",
    "closing": "coroutine.spawn(function() local x<close> = setmetatable({}, {__close = function() while 1 do end end})"
    " channel.new():receive() end) require('time').sleep(1)",
    "ticks": "local t = require('time') for i = 1, 50 do t.ticker(1) end channel.select{t.after('1h'):case_receive()}",
}


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_limits_hold(source: str) -> None:
    limits = LuaLimits(memory_bytes=16 << 20, instructions=5_000_000, busy_seconds=2)
    with pytest.raises(LuaError, match="was stopped"):
        run(f"return function() {source} end", modules=TIMED, limits=limits)


# deadlocks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lua", "message"),
    [
        (
            "local c = channel.new()\nc:receive()",
            "deadlock: the call waits at test.lua:2 to receive from the channel made at test.lua:1",
        ),
        ("channel.select{}", "deadlock: the call waits at test.lua:1 to select from no case at all"),
        (
            """local a, b = channel.new(),
channel.new()
coroutine.spawn(function()
a:send(1) end)
channel.select{b:case_receive(), b:case_send(1)}""",
            (
                "deadlock: all 2 coroutines wait, and nothing can wake them: the call waits at test.lua:5 to select "
                "from the channel made at test.lua:2, the channel made at test.lua:2; the coroutine spawned at "
                "test.lua:3 waits at test.lua:4 to send to the channel made at test.lua:1"
            ),
        ),
        (
            "local t = require('time').timer('1h') t:stop() t:response():receive()",
            "to receive from the channel of the time.timer made at test.lua:1",
        ),
        (
            "require('time').ticker('1ms')\nchannel.new():receive()",
            "deadlock: the call waits at test.lua:2 to receive from the channel made at test.lua:2",
        ),
    ],
)
def test_a_deadlock_says_who_waits_for_what(lua: str, message: str) -> None:
    with pytest.raises(LuaError) as caught:
        run(f"return function() {lua} end", modules=TIMED)
    assert message in str(caught.value)


def test_a_deadlock_of_many_names_some() -> None:
    source = "local c = channel.new() for i = 1, 100 do coroutine.spawn(function() c:send(i) end) end channel.select{}"
    with pytest.raises(LuaError, match=r"all 101 coroutines wait.*; … and 81 more$"):
        body(source)


def test_after_a_deadlock_the_worker_serves_on() -> None:
    source = "return function(wait) if wait then channel.new():receive() end return 'fine' end"

    async def main() -> Any:
        worker = LuaWorker(program(source), FakeHost())
        with pytest.raises(LuaError, match="deadlock"):
            await worker.call((True,))
        return await worker.call((False,))

    assert asyncio.run(main()) == "fine"


# futures ------------------------------------------------------------------------------------------------------------


def test_a_future_has_a_channel() -> None:
    source = """local f = funcs.async('app:later', 7)
      local ch = f:response()
      local payload, ok = ch:receive()
      return {f:channel() == ch, payload:data(), ok, select(2, ch:receive()), f:result():data(), f:await()}"""
    assert body(source, host=host_with_later()) == [True, 7, True, False, 7, 7]


def test_the_channel_of_a_failed_future_gives_its_error() -> None:
    assert body("return (funcs.async('app:nope'):response():receive()):kind()") == "NOT_FOUND"


def test_select_takes_the_first_of_several() -> None:
    source = """local slow, fast = funcs.async('app:later', 'slow', 60), funcs.async('app:later', 'fast')
      local r = channel.select{slow:response():case_receive(), fast:response():case_receive()}
      slow:cancel()
      return {r.channel == fast:response(), r.value:data(), (select(2, slow:await())):kind(), slow:is_canceled()}"""
    assert body(source, host=host_with_later()) == [True, "fast", "CANCELED", True]


def test_several_coroutines_await_one_future() -> None:
    source = """local f, out = funcs.async('app:later', 3), channel.new()
      for _ = 1, 3 do coroutine.spawn(function() out:send((f:await())) end) end
      return out:receive() + out:receive() + out:receive() + f:await()"""
    assert body(source, host=host_with_later()) == 12


def test_looking_at_a_future_lets_it_proceed() -> None:
    source = "local f = funcs.async('app:later', 1) while not f:is_complete() do end return f:result():data()"
    assert body(source, host=host_with_later()) == 1


def test_every_call_is_accounted_for() -> None:
    async def sometimes(n: int) -> int:
        await asyncio.sleep(60 if n % 5 == 0 else 0)
        if n % 3 == 0:
            raise InvalidError("three")
        return n

    host = FakeHost()
    host.serve("app:f", sometimes)
    source = """local out, count = channel.new(), {}
      for i = 1, 900 do coroutine.spawn(function()
        local f = funcs.async('app:f', i)
        if i % 5 == 0 then f:cancel() end
        local v, err = f:await()
        out:send(err and err:kind() or 'fine')
      end) end
      local kinds = {} for i = 1, 900 do kinds[i] = out:receive() end return kinds"""
    counted = Counter(body(source, host=host))
    assert sum(counted.values()) == 900
    assert counted == {"CANCELED": 180, "INVALID": 240, "fine": 480}
