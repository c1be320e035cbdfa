"""Channels against a small model of Go's: the same random programs, run by both, leave the same trace.

A program is some coroutines, each with a list of operations over a few channels. They take turns in the order in which
they can go on. Only the choice among several ready cases of a select is taken from the run; the model checks that the
chosen one was ready.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app_lua.hosts import FakeHost, run
from wippywasm.errors import LuaError

Case: TypeAlias = list[Any]
"""["send", channel, value] or ["receive", channel]."""
Op: TypeAlias = list[Any]
"""A case, ["close", channel], ["yield"], or ["select", cases, has default]."""
Trace: TypeAlias = list[list[Any]]
"""[fiber, index of the operation, what it gave], in the order in which operations were done."""

RUNNER = """
local json = require("json")
local function perform(channels, op)
  local what, ch = op[1], channels[op[2]]
  if what == "send" then return {ch:send(op[3])} end
  if what == "receive" then local v, ok = ch:receive() return {v or "none", ok} end
  if what == "close" then ch:close() return {} end
  if what == "yield" then return {} end
  local cases = {default = op[3] or nil}
  for i, case in ipairs(op[2]) do
    local c = channels[case[2]]
    cases[i] = case[1] == "send" and c:case_send(case[3]) or c:case_receive()
  end
  local r = channel.select(cases)
  if r.default then return {"default"} end
  for i, c in ipairs(channels) do if c == r.channel then return {i, r.value or "none", r.ok} end end
end
return function(program)
  local channels = {}
  for i, size in ipairs(program.channels) do channels[i] = channel.new(size) end
  local done = channel.new(#program.fibers)
  for f, ops in ipairs(program.fibers) do
    coroutine.spawn(function()
      for i, op in ipairs(ops) do
        local ok, got = pcall(perform, channels, op)
        print((json.encode({f, i, ok and got or {"closed"}})))
      end
      done:send(f)
    end)
  end
  for _ = 1, #program.fibers do done:receive() end
end
"""


@dataclass(eq=False)
class Waiter:
    fiber: int
    case: Case
    together: list[Waiter] = field(default_factory=list)


@dataclass
class Chan:
    size: int
    buffer: deque[Any] = field(default_factory=deque)
    senders: list[Waiter] = field(default_factory=list)
    receivers: list[Waiter] = field(default_factory=list)
    closed: bool = False


class Model:
    """Go's channels: the run-time's rules in a few lines; `choose` tells what a select did."""

    def __init__(self, program: dict[str, Any], choose: Callable[[int, int], Any]) -> None:
        self.channels = [Chan(size) for size in program["channels"]]
        self.choose = choose
        self.trace: Trace = []
        self.ready: deque[tuple[int, Any]] = deque()
        self.fibers = {i: self.fiber(i, ops) for i, ops in enumerate(program["fibers"], 1)}
        self.ready.extend((i, None) for i in self.fibers)
        self.ended: set[int] = set()

    def run(self) -> Trace:
        while self.ready:
            fiber, value = self.ready.popleft()
            try:
                self.fibers[fiber].send(value)
            except StopIteration:
                self.ended.add(fiber)
        return self.trace

    def fiber(self, number: int, ops: list[Op]) -> Generator[None, Any, None]:
        for index, op in enumerate(ops, 1):
            result = self.begin(number, index, op)
            if result is None:
                result = yield
            self.trace.append([number, index, result])

    def begin(self, number: int, index: int, op: Op) -> list[Any] | None:
        """What an operation gives, or None where its fiber waits."""
        if op[0] == "yield":
            return []
        if op[0] == "close":
            return self.close(self.channels[op[1] - 1])
        if op[0] != "select":
            return self.perform(op) if self.is_ready(op) else self.wait(number, [op], False)
        ready = [case for case in op[1] if self.is_ready(case)]
        if ready:
            return self.chosen(ready, self.choose(number, index))
        return ["default"] if op[2] else self.wait(number, op[1], True)

    def chosen(self, ready: list[Case], told: list[Any]) -> list[Any]:
        """The outcome that was told, which must be that of a ready case."""
        for case in ready:
            possible = self.outcome(case)
            if possible == told:
                result = self.perform(case)
                return ["closed"] if result == ["closed"] else told
        raise AssertionError(f"{told} is not what any of {ready} gives")

    def outcome(self, case: Case) -> list[Any]:
        """What a select that chooses this ready case gives."""
        channel = self.channels[case[1] - 1]
        if case[0] == "send":
            return ["closed"] if channel.closed else [case[1], case[2], True]
        if channel.buffer:
            return [case[1], channel.buffer[0], True]
        return [case[1], channel.senders[0].case[2], True] if channel.senders else [case[1], "none", False]

    def is_ready(self, case: Case) -> bool:
        channel = self.channels[case[1] - 1]
        if case[0] == "send":
            return channel.closed or bool(channel.receivers) or len(channel.buffer) < channel.size
        return bool(channel.buffer) or bool(channel.senders) or channel.closed

    def perform(self, case: Case) -> list[Any]:
        channel = self.channels[case[1] - 1]
        if case[0] == "receive":
            return self.receive(channel)
        if channel.closed:
            return ["closed"]
        if channel.receivers:
            self.serve(channel.receivers[0], case[2], True)
        else:
            channel.buffer.append(case[2])
        return [True]

    def receive(self, channel: Chan) -> list[Any]:
        if channel.buffer:
            value = channel.buffer.popleft()
            if channel.senders:
                channel.buffer.append(channel.senders[0].case[2])
                self.serve(channel.senders[0], None, True)
            return [value, True]
        if channel.senders:
            value = channel.senders[0].case[2]
            self.serve(channel.senders[0], None, True)
            return [value, True]
        return ["none", False]

    def wait(self, number: int, cases: list[Case], is_select: bool) -> list[Any] | None:
        together = [Waiter(number, [*case, is_select]) for case in cases]
        for waiter in together:
            waiter.together = together
            self.queue_of(waiter).append(waiter)
        return None

    def queue_of(self, waiter: Waiter) -> list[Waiter]:
        channel: Chan = self.channels[waiter.case[1] - 1]
        return channel.senders if waiter.case[0] == "send" else channel.receivers

    def serve(self, waiter: Waiter, value: Any, ok: bool) -> None:
        for other in waiter.together:
            self.queue_of(other).remove(other)
        case, is_select = waiter.case, waiter.case[-1]
        if case[0] == "send":
            result = ([case[1], case[2], True] if is_select else [True]) if ok else ["closed"]
        else:
            result = [case[1], value, ok] if is_select else [value, ok]
        self.ready.append((waiter.fiber, result))

    def close(self, channel: Chan) -> list[Any]:
        channel.closed = True
        while channel.senders:
            self.serve(channel.senders[0], None, False)
        while channel.receivers:
            self.serve(channel.receivers[0], "none", False)
        return []


def numbered(program: dict[str, Any]) -> dict[str, Any]:
    """The program, where each send has a value of its own: what a select did can be told by what it gave."""
    ops = [op for fiber in program["fibers"] for op in fiber]
    sends = [case for op in ops for case in (op[1] if op[0] == "select" else [op]) if case[0] == "send"]
    for value, send in enumerate(sends, 1):
        send[2:] = [value]
    return program


numbers = st.sampled_from([1, 1, 2])
cases = st.one_of(st.tuples(st.just("send"), numbers).map(list), st.tuples(st.just("receive"), numbers).map(list))
ops = st.one_of(
    cases,
    cases,
    cases,
    st.tuples(st.just("close"), numbers).map(list),
    st.just(["yield"]),
    st.tuples(st.just("select"), st.lists(cases, min_size=1, max_size=4), st.booleans()).map(list),
)
programs = st.fixed_dictionaries(
    {
        "channels": st.lists(st.sampled_from([0, 1, 1, 2]), min_size=2, max_size=2),
        "fibers": st.lists(st.lists(ops, min_size=1, max_size=8), min_size=1, max_size=5),
    }
).map(numbered)


def run_in_lua(program: dict[str, Any]) -> tuple[Trace, str]:
    """The trace that a program leaves, and the deadlock that it ends in."""
    host, stuck = FakeHost(), ""
    try:
        run(RUNNER, program, host=host)
    except LuaError as error:
        stuck = error.message
    trace = [json.loads(line) for line in host.printed.splitlines()]
    return [[f, i, got if isinstance(got, list) else []] for f, i, got in trace], stuck


@settings(max_examples=150)
@given(programs)
def test_channels_do_what_gos_do(program: dict[str, Any]) -> None:
    trace, stuck = run_in_lua(program)
    told = {(fiber, index): result for fiber, index, result in trace}
    model = Model(program, lambda fiber, index: told[fiber, index])
    assert model.run() == trace
    waiting = len(program["fibers"]) - len(model.ended)
    assert stuck.startswith("deadlock: ") == (waiting > 0)
    assert f"all {waiting + 1} coroutines wait" in stuck or not waiting
