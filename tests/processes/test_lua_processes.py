"""Processes as Lua programs know them: spawned, told, watched, linked, named. Spec: SPEC section 9."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.processes.conftest import lua
from wippywasm.app import App
from wippywasm.errors import NotFoundError, WippyError

Load = Callable[..., App]
ECHO = lua(
    "echo",
    """
    local inbox, words = process.inbox(), process.listen("words", {message = true})
    while true do
      local got = channel.select {inbox:case_receive(), words:case_receive()}
      local m = got.value
      if m:topic() == "stop" then return m:payload():data() end
      process.send(m:from(), "reply", {m:topic(), m:payload():data(), got.channel == words and "words" or "inbox"})
    end
    """,
)
FAIL = lua("fail", 'process.inbox():receive() error("broken")')
WAIT = lua("wait", "process.inbox():receive()")


def run(load_app: Load, entries: str, *args: Any) -> Any:
    """What the function `t:f` gives."""

    async def call() -> Any:
        async with load_app(entries) as app:
            result = await app.call("t:f", *args)
            await asyncio.sleep(0)
            return result

    return asyncio.run(call())


def function(body: str) -> str:
    return lua("f", body, kind="function.lua")


def test_messages_go_to_the_listener_of_their_topic_or_to_the_inbox(load_app: Load) -> None:
    body = """
    local pid = process.spawn_monitored("t:echo", "t:host")
    local replies, events = process.listen("reply"), process.events()
    process.send(pid, "words", 1)
    process.send(pid, "other", {2, 3})
    local a, b = replies:receive(), replies:receive()
    process.send(pid, "stop", "done")
    local e = events:receive()
    return {a, b, e.kind == process.event.EXIT, e.from == pid, e.result.value, e.result.error == nil}
    """
    result = run(load_app, ECHO + function(body))
    assert sorted(result[:2]) == [["other", [2, 3], "inbox"], ["words", 1, "words"]]
    assert result[2:] == [True, True, "done", True]


def test_several_values_are_an_array_and_what_came_with_no_error_is_one(load_app: Load) -> None:
    body = """
    local function gives(...) return ... end
    local me, words = process.pid(), process.listen("x")
    process.send(me, "x", process.pid())
    process.send(me, "x", gives(1, nil))
    process.send(me, "x", 1, nil, 3)
    process.send(me, "x", nil)
    local a, b, c = words:receive(), words:receive(), words:receive()
    return {a == me, b, c[1], c[2] == nil, c[3], (words:receive()) == nil, select("#", process.pid())}
    """
    assert run(load_app, function(body)) == [True, 1, 1, True, 3, True, 1]


def test_what_came_before_anybody_listened_is_not_lost(load_app: Load) -> None:
    late = lua(
        "late",
        """
        local time = require("time")
        time.sleep("1ms")
        local inbox, ch = process.inbox(), process.listen("x")
        return {ch:receive(), ch:receive(), inbox:receive():payload():data()}
        """,
    )
    body = """
    local pid = process.spawn_monitored("t:late", "t:host")
    for i, topic in ipairs({"x", "y", "x"}) do process.send(pid, topic, i) end
    return process.events():receive().result.value
    """
    assert run(load_app, late + function(body)) == [1, 3, 2]


def test_a_failure_is_the_error_of_an_exit(load_app: Load) -> None:
    body = """
    local pid = process.spawn_monitored("t:fail", "t:host")
    process.send(pid, "go")
    local e = process.events():receive()
    return {e.result.value == nil, e.result.error:kind(), e.result.error:message()}
    """
    nothing, kind, message = run(load_app, FAIL + function(body))
    assert (nothing, kind) == (True, "INTERNAL")
    assert message.endswith(": broken")


def test_an_error_that_a_process_returns_is_its_error(load_app: Load) -> None:
    refuse = lua("refuse", 'return nil, "no"')
    body = 'process.spawn_monitored("t:refuse", "t:host") return process.events():receive().result'
    assert run(load_app, refuse + function(body)) == {"error": "no"}


def test_exec_gives_what_a_process_returns_and_raises_what_it_fails_with(load_app: Load) -> None:
    add = lua("add", "local a, b = ... if not b then return nil, 'two' end return a + b")
    body = """
    local five = process.exec("t:add", "t:host", 2, 3)
    local nothing, err = process.exec("t:add", "t:host", 2)
    return {five, nothing == nil, err}
    """
    assert run(load_app, add + function(body)) == [5, True, "two"]


def test_processes_that_wait_for_one_another_without_end_are_refused(load_app: Load) -> None:
    again = lua("again", 'local depth = ... return process.exec("t:again", "t:host", depth + 1)')
    kinds = 'local v, e = process.exec("t:again", "t:host", 1) return {v == nil, e:kind(), e:message(), e:retryable()}'
    failed, kind, message, retryable = run(load_app, again + function(kinds))
    assert (failed, kind, retryable) == (True, "UNAVAILABLE", False)
    assert "nested 64 deep: t:again calls t:again" in message


def test_a_linked_process_that_fails_takes_the_others_with_it(load_app: Load) -> None:
    middle = lua(
        "middle",
        """
        local pid = process.spawn_linked("t:fail", "t:host")
        process.send(pid, "go")
        process.inbox():receive()
        """,
    )
    body = """
    process.spawn_monitored("t:middle", "t:host")
    local e = process.events():receive()
    return {e.result.error:kind(), e.result.error:message()}
    """
    kind, message = run(load_app, FAIL + middle + function(body))
    assert kind == "INTERNAL"
    assert "t:fail" in message
    assert "broken" in message


def test_who_traps_links_is_told_instead(load_app: Load) -> None:
    trap = lua(
        "trap",
        """
        assert(process.set_options({trap_links = true}))
        local pid = process.spawn_linked_monitored("t:fail", "t:host")
        process.send(pid, "go")
        local events = process.events()
        local a, b = events:receive(), events:receive()
        return {[a.kind] = a.from == pid, [b.kind] = b.from == pid, trap = process.get_options().trap_links}
        """,
    )
    body = 'process.spawn_monitored("t:trap", "t:host") return process.events():receive().result.value'
    assert run(load_app, FAIL + trap + function(body)) == {"pid.exit": True, "pid.link.down": True, "trap": True}


def test_a_linked_process_that_returns_takes_nobody_with_it(load_app: Load) -> None:
    body = """
    local pid = process.spawn_monitored("t:parent", "t:host")
    local events = process.events()
    return events:receive().result.value
    """
    parent = lua(
        "parent",
        """
        local time = require("time")
        local pid = process.spawn_linked("t:echo", "t:host")
        process.send(pid, "stop", 1)
        process.monitor(pid)
        process.events():receive()
        return "alive"
        """,
    )
    assert run(load_app, ECHO + parent + function(body)) == "alive"


def test_cancel_is_an_event_with_its_reason(load_app: Load) -> None:
    polite = lua(
        "polite",
        """
        local e = process.events():receive()
        return {e.kind == process.event.CANCEL, e.reason, e.deadline}
        """,
    )
    body = """
    local events, got = process.events(), {}
    for i, how in ipairs({{"60s"}, {500, "why"}, {"because"}, {}}) do
      local pid = process.spawn_monitored("t:polite", "t:host")
      assert(process.cancel(pid, how[1], how[2]))
      got[i] = events:receive().result.value
    end
    return got
    """
    assert run(load_app, polite + function(body)) == [
        {1: True, 3: 60000},
        [True, "why", 500],
        [True, "because"],
        [True],
    ]


def test_terminate_ends_at_once(load_app: Load) -> None:
    body = """
    local pid = process.spawn_monitored("t:wait", "t:host")
    assert(process.terminate(pid))
    local e = process.events():receive()
    local sent, err = process.send(pid, "x", 1)
    return {e.result.error:kind(), sent == nil, err:kind()}
    """
    assert run(load_app, WAIT + function(body)) == ["CANCELED", True, "NOT_FOUND"]


def test_names_stand_for_pids_until_their_process_ends(load_app: Load) -> None:
    named = lua("named", 'assert(process.registry.register("service")) process.inbox():receive() return "end"')
    body = """
    local pid = process.with_context({}):with_name("other"):spawn_monitored("t:named", "t:host")
    local same = process.registry.lookup("other") == pid
    local _, taken = process.registry.register("other")
    process.send("other", "x")
    local value = process.events():receive().result.value
    local gone, err = process.registry.lookup("other")
    return {same, taken:kind(), value, gone == nil, err:kind(), process.registry.unregister("other")}
    """
    assert run(load_app, named + function(body)) == [True, "ALREADY_EXISTS", "end", True, "NOT_FOUND", False]


def test_a_spawner_sends_messages_before_anybody_else_can(load_app: Load) -> None:
    first = lua("first", "local m = process.inbox():receive() return {m:topic(), m:payload():data(), m:from()}")
    body = """
    local spawner = process.with_context({a = 1}):with_message("hello", 1, 2)
    spawner:spawn_monitored("t:first", "t:host")
    return {process.events():receive().result.value, process.pid()}
    """
    value, pid = run(load_app, first + function(body))
    assert value == ["hello", [1, 2], pid]


TAKE_A_TEXT = [
    "cancel",
    "link",
    "listen",
    "monitor",
    "registry.lookup",
    "registry.register",
    "terminate",
    "unlink",
    "unmonitor",
    "upgrade",
]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        ('process.spawn("t:nothing", "t:host")', "NOT_FOUND", "t:nothing"),
        ('process.spawn("t:f", "t:host")', "INVALID", "not a process"),
        ('process.spawn("t:wait", "t:wait")', "INVALID", "not a host"),
        ('process.spawn(1, "t:host")', "INVALID", "must be text"),
        ('process.spawn("wait", "t:host")', "INVALID", "'wait' has no namespace"),
        ('process.spawn("t:wait", "host")', "INVALID", "'host' has no namespace"),
        ('process.exec(":wait", "t:host")', "INVALID", "the namespace of ':wait' is empty"),
        ('process.spawn("t:wa it", "t:host")', "INVALID", "other characters"),
        ('process.spawn("", "t:host")', "INVALID", "id must be text, got an empty text"),
        ('process.send("nobody", "x", 1)', "NOT_FOUND", "nobody"),
        ('process.send("", "x", 1)', "INVALID", "destination must be text, got an empty text"),
        ('process.send("nobody", "", 1)', "INVALID", "topic must be text, got an empty text"),
        ('process.send("nobody", "@x", 1)', "INVALID", "@"),
        ('process.listen("@x")', "INVALID", "@"),
        ("process.link(process.pid())", "INVALID", "itself"),
        ('process.registry.register("{x}")', "INVALID", "name"),
        ('process.registry.register("x", nil, process.registry.STRONG)', "INVALID", "local"),
        ("process.terminate(process.pid())", "INVALID", "call of a function"),
        ("process.cancel(process.pid(), -1)", "INVALID", "milliseconds"),
        ('process.with_options({network = "x"})', "INVALID", "network"),
        ('process.registry.register("x", {})', "INVALID", "pid must be text, got table"),
        *((f'process.{name}("\\xff")', "INVALID", "must be text in UTF-8, got other bytes") for name in TAKE_A_TEXT),
        (r'process.send("nobody", "\xff")', "INVALID", "topic must be text in UTF-8"),
        (r'process.registry.register("x", "\xff")', "INVALID", "pid must be text in UTF-8"),
    ],
)
def test_what_can_not_be_done_says_why(load_app: Load, call: str, kind: str, words: str) -> None:
    body = f"local _, err = {call} return {{err:kind(), err:message()}}"
    got, message = run(load_app, WAIT + function(body))
    assert got == kind
    assert words in message


def test_unlisten_closes_the_channel_and_sends_the_rest_to_the_inbox(load_app: Load) -> None:
    body = """
    local ch = process.listen("x")
    process.unlisten(ch)
    local _, ok = ch:receive()
    process.send(process.pid(), "x", 5)
    return {ok, process.inbox():receive():payload():data()}
    """
    assert run(load_app, function(body)) == [False, 5]


def test_waiting_for_a_message_is_no_deadlock_and_waiting_for_nothing_is_one(load_app: Load) -> None:
    stuck = lua("stuck", "process.inbox() channel.new():receive()")
    body = 'process.spawn_monitored("t:stuck", "t:host") return process.events():receive().result.error:message()'
    assert "deadlock" in run(load_app, stuck + function(body))


def test_nothing_is_left_when_the_app_ends(load_app: Load) -> None:
    async def go() -> tuple[int, set[asyncio.Task[Any]]]:
        async with load_app(WAIT + function('for i = 1, 20 do process.spawn("t:wait", "t:host") end')) as app:
            await app.call("t:f")
            processes = app.processes.processes
            before = len(list(processes.table.processes()))
        assert not list(processes.table.processes())
        assert processes.table.topology.is_empty
        return before, asyncio.all_tasks() - {asyncio.current_task()}

    before, left = asyncio.run(go())
    assert before == 20
    assert not left


def test_processes_need_a_running_app(load_app: Load) -> None:
    with pytest.raises(WippyError, match="not running"):
        load_app(WAIT).processes  # noqa: B018


def test_a_process_is_no_function(load_app: Load) -> None:
    async def go() -> None:
        async with load_app(WAIT) as app:
            await app.call("t:wait")

    with pytest.raises((NotFoundError, WippyError), match="not a function"):
        asyncio.run(go())
