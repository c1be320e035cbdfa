"""Programs that mean harm: whatever they try ends with one error, soon, and with the process alive."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from tests.app_lua.hosts import FakeHost, body, program, run
from wippywasm.app.lua import LuaLimits, LuaWorker
from wippywasm.errors import LuaError, UnavailableError

SMALL = LuaLimits(memory_bytes=16 << 20, instructions=5_000_000, busy_seconds=2)
DEEP = """local function deep(n, f)
  if n == 0 then return f() end
  return (string.gsub('x', 'x', function() deep(n - 1, f) end))
end """
FOREVER = "while true do end"

ENDLESS = {
    "a loop": "while true do end",
    "a loop that catches its end": "while true do pcall(function() while true do end end) end",
    "a loop of failures": "while true do pcall(error) end",
    "a handler": "xpcall(function() while true do end end, function() while true do end end)",
    "a coroutine": "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()",
    "many short coroutines": "while true do coroutine.wrap(function() for i = 1, 300 do end end)() end",
    "a to-be-closed variable": f"local t <close> = setmetatable({{}}, {{__close = function() {FOREVER} end}})",
    "__tostring": "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "a reader of load": "load(function() while true do end end)",
    "where the C stack is full": DEEP + "while true do pcall(deep, 196, function() while true do end end) end",
    "on every level of the C stack": DEEP
    + "for n = 180, 200 do pcall(deep, n, function() while true do end end) end while true do end",
    "a handler where the C stack is full": DEEP
    + "while true do xpcall(deep, function() while true do end end, 196, function() while true do end end) end",
    "where the Lua stack is full": "local function f() local ok = pcall(f) while true do end return ok end f()",
    "a pattern": "local s = ('a'):rep(100000) return s:find(('a-'):rep(20) .. 'b')",
    "a pattern in gsub": "local s = ('a'):rep(100000) return s:gsub(('.*'):rep(9) .. 'b', '')",
    "many dear patterns": "local s = ('a'):rep(3000) while true do s:find('.-.-b') end",
    "a replacement": "('x'):rep(1000):gsub('x', function() while true do end end)",
    "sort": "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.sort(t, rawequal) end",
    "concat through concat": "local t = setmetatable({}, {__index = table.concat})"
    " while true do pcall(table.concat, t, '', 1, 2^25) end",
    "string.rep": "while true do pcall(string.rep, 'x', 1e9) end",
    "the result": "local t = {} for i = 1, 60 do t = {t, t} end return t",
    "json": "local t = {} for i = 1, 60 do t = {t, t} end return json.encode(t)",
}


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_stopped(source: str) -> None:
    started = time.monotonic()
    with pytest.raises(LuaError, match=r"was stopped|more than \d+ values"):
        body(source, limits=SMALL)
    assert time.monotonic() - started < 20  # seconds: a hang, not a measurement


HUNGRY = {
    "a string": "local s = 'x' while true do s = s .. s end",
    "a table": "local t = {} while true do t[#t + 1] = {} end",
    "recursion": "local function f() return f() + 1 end return f()",
    "the result": "local t = {} for i = 1, 1e7 do t[i] = i end return t",
    "many coroutines": "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
    "keeping what was caught": "local function grow() while true do keep[#keep + 1] = ('x'):rep(999) .. #keep end end"
    " keep = {} while true do pcall(grow) end",
}


@pytest.mark.parametrize("source", HUNGRY.values(), ids=HUNGRY)
def test_memory_is_bounded(source: str) -> None:
    with pytest.raises(LuaError, match=r"needs more than 16777216 bytes of memory|was stopped"):
        body(source, limits=SMALL)


def test_a_full_state_survives_what_the_host_hands_it() -> None:
    host = FakeHost()
    host.serve("app:large", lambda: b"x" * (8 << 20))
    more = "function() while true do keep[#keep + 1] = ('x'):rep(500) .. #keep end end"
    fill = f"keep = {{}} local more = {more} pcall(more) pcall(more)"
    with pytest.raises(LuaError, match="was stopped"):
        body(fill + " while true do funcs.call('app:large') end", host=host, limits=SMALL)


def test_an_argument_that_is_too_large_is_an_error_and_not_an_abort() -> None:
    with pytest.raises(LuaError, match="bytes of memory"):
        run("return function(a) return #a end", b"x" * (64 << 20), limits=SMALL)


def test_a_worker_that_was_stopped_is_spent() -> None:
    worker = LuaWorker(program("return function() while true do end end"), FakeHost(), SMALL)
    with pytest.raises(LuaError) as caught:
        asyncio.run(worker.call(()))
    assert "test.lua:1" in caught.value.traceback
    assert not worker.usable_after(caught.value)
    with pytest.raises(UnavailableError):
        asyncio.run(worker.call(()))


def test_programs_that_compute_leave_the_event_loop_and_each_other_alive() -> None:
    async def main() -> None:
        spinners = [LuaWorker(program("return function() while true do end end"), FakeHost()) for _ in range(12)]
        calls = [asyncio.ensure_future(worker.call(())) for worker in spinners]
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert await LuaWorker(program("return function(x) return x + 1 end"), FakeHost()).call((41,)) == 42
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        assert all(call.cancelled() for call in calls)
        assert not any(worker.usable for worker in spinners)

    asyncio.run(main())


def test_a_cancelled_program_is_ended_in_whatever_it_catches_and_closes() -> None:
    source = """return function()
      local again <close> = setmetatable({}, {__close = function() while true do end end})
      while true do pcall(function() while true do end end) end
    end"""

    async def main() -> None:
        call = asyncio.ensure_future(LuaWorker(program(source), FakeHost()).call(()))
        await asyncio.sleep(0.02)
        call.cancel()
        await asyncio.wait([call], timeout=LuaLimits().busy_seconds / 2)
        assert call.cancelled()

    asyncio.run(main())


def test_an_ordinary_error_leaves_the_worker_usable() -> None:
    worker = LuaWorker(program("return function(x) if x then error('no') end return 1 end"), FakeHost())
    with pytest.raises(LuaError):
        asyncio.run(worker.call((True,)))
    assert worker.usable
    assert asyncio.run(worker.call((False,))) == 1


def test_each_call_has_the_whole_budget() -> None:
    worker = LuaWorker(program("return function() for i = 1, 2e6 do end return 1 end"), FakeHost(), SMALL)
    assert [asyncio.run(worker.call(())) for _ in range(5)] == [1] * 5


ABSENT = """io package debug python dofile loadfile warn string.dump
    os.execute os.exit os.getenv os.remove os.rename os.tmpname os.setlocale"""


@pytest.mark.parametrize("name", ABSENT.split())
def test_what_reaches_out_is_not_there(name: str) -> None:
    assert body(f"return {name} == nil") is True


@pytest.mark.parametrize(
    "lua",
    [
        "getmetatable('').__index",
        "getmetatable(errors.new('x')).__index",
        "getmetatable(funcs.new()).__index",
        "getmetatable(funcs.async('x')).__index",
    ],
)
def test_metatables_of_the_runtime_are_locked(lua: str) -> None:
    assert body(f"local ok, v = pcall(function() return {lua} end) return not ok or v == nil") is True


@pytest.mark.parametrize(
    "lua",
    [
        "setmetatable('', {})",
        "setmetatable(errors.new('x'), {})",
        "setmetatable({}, {__gc = print})",
        "collectgarbage()",
        "collectgarbage('stop')",
        "load('x', 'x', 'b')",
        "table.move({}, 1, 1e15, 2)",
        "table.insert(setmetatable({}, {__len = function() return 2^53 end}), 1, 1)",
    ],
)
def test_what_would_break_the_rules_is_refused(lua: str) -> None:
    with pytest.raises(LuaError, match=r"^test.lua:1: "):
        body(lua)


def test_bytecode_is_not_loaded() -> None:
    assert "binary chunk" in body("return select(2, load('\\27LuaT'))")
    assert "binary chunk" in body(
        "local done return select(2, load(function() if not done then done = 1 return '\\27Lua' end end))"
    )


def test_nothing_that_a_program_can_reach_belongs_to_python() -> None:
    source = """
      local seen, userdata = {}, {}
      local function walk(v, path)
        if type(v) == 'userdata' then userdata[#userdata + 1] = path end
        if type(v) ~= 'table' or seen[v] then return end
        seen[v] = true
        for k, item in next, v do walk(k, path .. '.key') walk(item, path .. '.' .. tostring(k)) end
        walk(getmetatable(v), path .. '.metatable')
      end
      walk(_G, '_G') walk(funcs, 'funcs') walk(json, 'json') walk({...}, 'args')
      walk({select(2, funcs.call('app:nope'))}, 'err')
      walk({pcall(error)}, 'pcall') walk(require, 'require')
      return userdata"""
    assert body(source, {"a": [1]}, "x", b"\xff") == []


def test_a_program_that_changes_the_libraries_hurts_only_itself() -> None:
    source = """
      local function mine() error('mine') end
      for _, name in ipairs{'find', 'sub', 'format', 'gmatch', 'rep', 'byte'} do string[name] = mine end
      for _, name in ipairs{'concat', 'unpack', 'pack', 'sort', 'move'} do table[name] = mine end
      utf8.len, math.type, coroutine.resume, _G.type, _G.next, _G.error = nil, nil, nil, nil, nil, nil
      local e = errors.new{message = 'm', details = {a = {1}}}
      rawset(e, 'stack', function() while true do end end)
      return {funcs.call('app:echo', {a = {1, 2.5, 'x'}}, e)}, nil"""
    host = FakeHost()
    host.serve("app:echo", lambda v, e: [v, e.message])
    assert body(source, host=host) == [[{"a": [1, 2.5, "x"]}, "m"]]


def test_a_request_to_the_host_can_not_be_forged() -> None:
    host = FakeHost()
    host.serve("app:f", lambda *a: list(a))
    source = """
      local co = coroutine.wrap(function() return coroutine.yield({}, 5, 'app:f', -1) end)
      local tag, op = co()
      return {type(tag), op, (funcs.call('app:f', 1))}"""
    assert body(source, host=host) == ["table", 5, [1]]


def test_two_workers_share_nothing() -> None:
    source = "return function(x) leak = leak or x string.leak = string.leak or x return {leak, string.leak} end"
    assert run(source, 1) == [1, 1]
    assert run(source, 2) == [2, 2]


CLOSING = "local c <close> = setmetatable({}, {__close = function() while true do end end})"


@pytest.mark.parametrize(
    "source",
    [
        f"{CLOSING} while true do end",
        f"local function f() {CLOSING} while true do end end f()",
        f"coroutine.spawn(function() {CLOSING} while true do end end) channel.new():receive()",
        f"{CLOSING} error('no')",
        f"coroutine.wrap(function() {CLOSING} while true do end end)()",
    ],
)
def test_what_closes_is_under_the_limits_too(source: str) -> None:
    with pytest.raises(LuaError, match="more than 1000000 instructions"):
        run(f"return function() {source} end", limits=LuaLimits(instructions=1_000_000))


def test_a_program_that_waits_may_have_all_instructions_again() -> None:
    source = """
    local time = require("time")
    return function() for i = 1, 5 do for j = 1, 4e5 do end time.sleep("1ms") end return "done" end
    """
    modules = frozenset({"time"})
    limits = LuaLimits(instructions=1_000_000)
    with pytest.raises(LuaError, match="instructions"):
        run(source, limits=limits, modules=modules)
    assert run(source, limits=replace(limits, renews=True), modules=modules) == "done"
