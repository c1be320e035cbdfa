"""Processes among others: who computes stalls nobody and ends when told; wasm runs as processes; order under load."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.processes.conftest import lua
from tests.processes.guests import FAILS, FILES, SPIN, SPIN_WIT, SUCCEEDS, wasm_process
from wippywasm.app import App
from wippywasm.errors import UnavailableError

Load = Callable[..., App]
WIT = f"  wit: '{SPIN_WIT}'\n"
SPINS = {
    "plain": "while true do end",
    "guarded": "while true do pcall(function() while true do end end) end",
    "coroutines": "while true do local co = coroutine.wrap(function() while true do end end) pcall(co) end",
    "closing": "local c <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
}


def run(load_app: Load, entries: str, **files: bytes) -> Any:
    """What the function `t:f` gives, once nothing is left of the app."""

    async def call() -> Any:
        async with load_app(entries, **files) as app:
            result = await app.call("t:f")
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    result = asyncio.run(call())
    for thread in threading.enumerate():
        if thread.name.startswith("t:"):
            thread.join()  # those of hosts end with them
    return result


def function(body: str) -> str:
    return lua("f", body, kind="function.lua", modules="time, funcs")


KILL = """
local time = require("time")
local pid = process.spawn_monitored("t:spin", "t:host")
local other = process.spawn_monitored("t:echo", "t:host", process.pid())
local replies, events = process.listen("reply"), process.events()
local hello = replies:receive()
process.send(other, "go", 5)
local answer = replies:receive()
process.terminate(pid)
local e
repeat e = events:receive() until e.from == pid -- the other has ended by now, or is about to
return {hello, answer, e.from == pid, e.result.error:kind()}
"""
ECHO = lua(
    "echo",
    """
    local parent = ...
    process.send(parent, "reply", "hello")
    process.send(parent, "reply", process.inbox():receive():payload():data())
    """,
)


@pytest.mark.parametrize("how", list(SPINS))
def test_lua_that_computes_for_ever_stalls_nobody_and_can_be_ended(load_app: Load, how: str) -> None:
    entries = lua("spin", SPINS[how]) + ECHO + function(KILL)
    entries = entries.replace("t:host", "t:two") + "- name: two\n  kind: process.host\n  host: {workers: 2}\n"
    assert run(load_app, entries) == ["hello", 5, True, "CANCELED"]


def test_wasm_that_computes_for_ever_stalls_nobody_and_can_be_ended(load_app: Load) -> None:
    entry, wasm = wasm_process("spin", SPIN, "spin", WIT)
    result = run(load_app, FILES + entry + ECHO + function(KILL), spin_dot_wasm=wasm)
    assert result == ["hello", 5, True, "CANCELED"]


def test_wasm_takes_arguments_and_gives_its_result(load_app: Load) -> None:
    entry, wasm = wasm_process("add", SPIN, "add", WIT)
    body = """
    local process = require("process")
    local pid, err = process.spawn_monitored("t:add", "t:host", 6, 7)
    if err then error(tostring(err)) end
    local event = process.events():receive()
    local value, refused = process.exec("t:add", "t:host", 1)
    return {event.kind == process.event.EXIT, event.result.value, value == nil, refused:kind()}
    """
    result = run(load_app, FILES + entry + function(body), add_dot_wasm=wasm)
    assert result == [True, 13, True, "INVALID"]


def test_a_trap_is_the_error_of_its_exit_and_takes_the_linked_with_it(load_app: Load) -> None:
    entry, wasm = wasm_process("trap", SPIN, "trap", WIT)
    parent = lua("parent", 'process.spawn_linked("t:trap", "t:host") process.inbox():receive()')
    body = """
    process.spawn_monitored("t:trap", "t:host")
    local own = process.events():receive().result.error
    process.spawn_monitored("t:parent", "t:host")
    local shared = process.events():receive().result.error
    return {own:kind(), own:message(), shared:message()}
    """
    kind, own, shared = run(load_app, FILES + entry + parent + function(body), trap_dot_wasm=wasm)
    assert kind == "INTERNAL"
    assert "unreachable" in own
    assert "unreachable" in shared


def test_wasm_hears_nothing(load_app: Load) -> None:
    entry, wasm = wasm_process("spin", SPIN, "spin", WIT)
    body = """
    local pid = process.spawn_monitored("t:spin", "t:host")
    local _, err = process.send(pid, "x", 1)
    process.cancel(pid, "1h")
    return {err:message(), process.events():receive().result.error:kind()}
    """
    message, kind = run(load_app, FILES + entry + function(body), spin_dot_wasm=wasm)
    assert "receives no messages" in message
    assert kind == "CANCELED"


@pytest.mark.parametrize(("wat", "expected"), [(SUCCEEDS, {}), (FAILS, {"error": True})])
def test_a_component_with_wasi_cli_run_is_a_process(load_app: Load, wat: str, expected: Any) -> None:
    entry, wasm = wasm_process("run", wat, "wasi:cli/run#run")
    body = """
    process.spawn_monitored("t:run", "t:host")
    local result = process.events():receive().result
    return {error = result.error ~= nil or nil}
    """
    result = run(load_app, FILES + entry + function(body), run_dot_wasm=wasm)
    assert (result or {}) == expected


def test_messages_of_each_sender_stay_in_order_under_load(load_app: Load) -> None:
    receiver = lua(
        "receiver",
        """
        local inbox, last, count = process.inbox(), {}, 0
        while count < 20 * 50 do
          local m = inbox:receive()
          local from, n = m:from(), m:payload():data()
          if (last[from] or 0) + 1 ~= n then return {from, last[from], n} end
          last[from], count = n, count + 1
        end
        return "in order"
        """,
    )
    sender = lua(
        "sender",
        """
        local to = ...
        for i = 1, 50 do
          repeat
            local ok, err = process.send(to, "n", i)
            if not ok and err:kind() ~= "RATE_LIMITED" then error(err) end
            if not ok then require("time").sleep("1ms") end
          until ok
        end
        """,
    )
    body = """
    local pid = process.spawn_monitored("t:receiver", "t:small")
    for i = 1, 20 do assert(process.spawn("t:sender", "t:host", pid)) end
    return process.events():receive().result.value
    """
    small = "- name: small\n  kind: process.host\n  host: {queue_size: 16}\n"
    assert run(load_app, small + receiver + sender + function(body)) == "in order"


def test_a_full_mailbox_is_told_to_the_sender(load_app: Load) -> None:
    wait = lua("wait", "process.events():receive()")
    body = """
    local pid = process.spawn("t:wait", "t:small")
    for i = 1, 3 do assert(process.send(pid, "x", i)) end
    local ok, err = process.send(pid, "x", 4)
    return {ok == nil, err:kind(), err:retryable()}
    """
    small = "- name: small\n  kind: process.host\n  host: {queue_size: 3}\n"
    assert run(load_app, small + wait + function(body)) == [True, "RATE_LIMITED", True]


def test_a_thousand_lua_processes(load_app: Load) -> None:
    child = lua("child", "process.send((...), 'up') process.inbox():receive() return 1")
    body = """
    local inbox, events, pids, sum = process.inbox(), process.events(), {}, 0
    for i = 1, 1000 do pids[i] = assert(process.spawn_monitored("t:child", "t:host", process.pid())) end
    for i = 1, 1000 do inbox:receive() end
    for i = 1, 1000 do assert(process.send(pids[i], "stop")) end
    for i = 1, 1000 do sum = sum + events:receive().result.value end
    return sum
    """
    assert run(load_app, child + function(body)) == 1000


def test_a_function_that_waits_for_itself_through_a_process_is_told(load_app: Load) -> None:
    back = lua("back", 'return require("funcs").call("t:f")', modules="funcs")
    body = 'local value, err = process.exec("t:back", "t:host") if err then error(err) end return value'
    with pytest.raises(UnavailableError, match="wait for itself"):
        run(load_app, back + function(body) + "  pool: {type: static, workers: 1}\n")


# whom they act as

POLICIES = """
- name: may_read
  kind: security.policy
  policy: {actions: "*", resources: "*", effect: allow}
- name: may_not_spawn
  kind: security.policy
  policy: {actions: [process.spawn, process.send], resources: "*", effect: deny}
"""


SERVICE = """
- name: service
  kind: process.service
  process: parent
  host: host
  lifecycle:
    auto_start: true
    stop_timeout: 0
    security: {actor: {id: the-service}, policies: [may_read]}
"""


def test_a_service_acts_as_its_lifecycle_says_and_its_children_as_nobody(load_app: Load) -> None:
    parent = lua(
        "parent",
        """
        local security = require("security")
        local actor = security.actor()
        process.registry.register("parent")
        local request = process.inbox():receive()
        local child = process.exec("t:child", "t:host")
        process.send(request:from(), "answer", {actor and actor:id(), child})
        process.inbox():receive()
        """,
        modules="security",
    )
    child = lua("child", 'return require("security").actor() == nil', modules="security")
    body = """
    local time, answers = require("time"), process.listen("answer")
    while not process.send("parent", "who") do time.sleep("1ms") end
    return (answers:receive())
    """
    assert run(load_app, POLICIES + SERVICE + parent + child + function(body)) == ["the-service", True]


def test_what_policies_deny_is_refused(load_app: Load) -> None:
    entries = (
        POLICIES
        + lua("wait", "process.inbox():receive()")
        + lua(
            "f",
            'local _, err = process.spawn("t:wait", "t:host") return {err:kind(), err:details().action}',
            kind="function.lua",
        )
        + "  security: {actor: {id: somebody}, policies: [may_read, may_not_spawn]}\n"
    )
    assert run(load_app, entries) == ["PERMISSION_DENIED", "process.spawn"]
