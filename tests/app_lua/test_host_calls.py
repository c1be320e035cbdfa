"""How a module asks the host: values both ways, failures, objects that the host keeps, channels that it feeds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import wippywasm.app.lua.sandbox as sandbox
from tests.app_lua.hosts import FakeHost, run
from wippywasm.app.lua import LuaSource
from wippywasm.app.lua.compiler import compile_source
from wippywasm.app.lua.host import LuaCaller
from wippywasm.app.lua.modules import MODULES
from wippywasm.errors import InvalidError, LuaError, NotFoundError

PROBE = """
local W = ...
W.modules.probe = {
  ask = function(...) return W.call_host("probe.ask", ...) end,
  listen = function(...) return W.listen("the probe's channel", "probe.next", ...).object end,
  open = function() return W.call_host("probe.open") end,
  read = function(handle) return W.call_host("probe.read", handle) end,
  close = function(handle) return W.call_host("probe.close", handle) end,
}
"""


@pytest.fixture(autouse=True)
def probe_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `probe`, as one of the runtime's own is made."""
    compiled = compile_source(LuaSource(PROBE, "[wippy]"))
    monkeypatch.setattr(sandbox, "MODULES", {**MODULES, "probe": ("probe",)})
    real = sandbox.prelude
    monkeypatch.setattr(sandbox, "prelude", lambda name: compiled if name == "probe" else real(name))


def go(source: str, *args: Any, **operations: Any) -> Any:
    host = FakeHost()
    host.operations = {f"probe.{name}": operation for name, operation in operations.items()}
    return run(source, *args, host=host, modules=frozenset({"probe"}))


def main(body: str) -> str:
    return f'local probe = require("probe")\nreturn function(...) {body} end'


VALUE = {"a": [1, 2.5, "x", True], "b": {"c": b"\xff"}}


@pytest.mark.parametrize("is_async", [False, True])
def test_values_go_both_ways(is_async: bool) -> None:
    async def later(caller: LuaCaller, *args: Any) -> Any:
        await asyncio.sleep(0)
        return [caller.id, *args]

    def now(caller: LuaCaller, *args: Any) -> Any:
        return [caller.id, *args]

    result = go(main("return probe.ask(...)"), VALUE, None, 7, ask=later if is_async else now)
    assert result == ["app:test", VALUE, None, 7]


def test_failures_are_the_programs_to_handle() -> None:
    def ask(_: LuaCaller) -> Any:
        raise NotFoundError("no such thing")

    assert go(main("local v, err = probe.ask(); return {v == nil, err:kind()}"), ask=ask) == [True, "NOT_FOUND"]
    with pytest.raises(NotFoundError, match="no such thing"):
        go(main("return probe.ask()"), ask=ask)
    assert go(main("local _, err = probe.ask(print); return err:message()")) == (
        "argument 1: a function can't leave its program"
    )
    assert "no operation" in go(main("local _, err = probe.ask(); return err:message()"))


class Thing:
    def __init__(self, log: list[str]) -> None:
        self.log = log

    async def close(self) -> None:
        self.log.append("closed")


def test_what_the_host_keeps_is_closed_with_the_call() -> None:
    log: list[str] = []

    def open(caller: LuaCaller) -> int:
        return caller.handles.add(Thing(log))

    def read(caller: LuaCaller, number: int) -> str:
        caller.handles.get(number, Thing)
        return "here"

    async def close(caller: LuaCaller, number: int) -> None:
        await caller.handles.drop(number)

    operations = {"open": open, "read": read, "close": close}
    assert go(main("return probe.read(probe.open())"), **operations) == "here"
    assert log == ["closed"]
    log.clear()
    body = "local h = probe.open(); probe.close(h); probe.close(h); return probe.read(h)"
    with pytest.raises(InvalidError, match="this thing is closed"):
        go(main(body), **operations)
    assert log == ["closed"]


def test_a_channel_fed_by_the_host_gives_all_in_order_and_closes() -> None:
    values = iter([1, "two", {"three": 3}])

    async def next_(_: LuaCaller, name: str) -> Any:
        assert name == "events"
        await asyncio.sleep(0)
        return next(values, None)

    body = """
      local got, ch = {}, probe.listen("events")
      while true do
        local value, ok = ch:receive()
        if not ok then return got end
        got[#got + 1] = value
      end
    """
    assert go(main(body), next=next_) == [1, "two", {"three": 3}]


def test_a_channel_that_nothing_feeds_ends_with_the_call() -> None:
    ended: list[str] = []

    async def next_(_: LuaCaller) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    assert go(main("probe.listen(); coroutine.spawn(function() end); return 'over'"), next=next_) == "over"
    assert ended in ([], ["ended"])  # it may not have been asked yet


def test_a_call_that_waits_at_another_channel_is_stuck_all_the_same() -> None:
    async def next_(_: LuaCaller) -> Any:
        await asyncio.Event().wait()

    with pytest.raises(LuaError, match=r"deadlock: the call waits at test.lua:\d+ to receive from the channel made"):
        go(main("probe.listen(); local ch = channel.new(); ch:receive()"), next=next_)


def test_a_channel_that_the_program_closed_takes_nothing_more() -> None:
    asked: list[int] = []

    async def next_(_: LuaCaller) -> Any:
        asked.append(1)
        await asyncio.sleep(0)
        return "x"

    body = "local ch = probe.listen(); local v = ch:receive(); ch:close(); return v"
    assert go(main(body), next=next_) == "x"
    assert len(asked) <= 3
