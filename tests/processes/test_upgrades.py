"""Processes that go on with other code: `process.upgrade`, and the news that there is some. Spec: SPEC section 9."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.processes.conftest import lua
from wippywasm.app import App
from wippywasm.app.processes.request import Start
from wippywasm.app.processes.upgrades import sources_of

Load = Callable[..., App]
ONE = lua(
    "one",
    """
    local boss, how = ...
    local inbox, jobs = process.inbox(), process.listen("job")
    process.registry.register("worker")
    process.set_options({trap_links = true})
    local first = jobs:receive()
    if how == "waits" then coroutine.spawn(function() inbox:receive() end) end
    process.send(boss, "from", {"one", first, process.pid()})
    local none, err = process.upgrade(how == "bad" and "t:nothing" or "t:two", boss, {first = first})
    process.send(boss, "from", {"still here", err:kind()})
    """,
)
TWO = lua(
    "two",
    """
    local boss, state = ...
    local jobs, events = process.listen("job"), process.events()
    process.send(boss, "from", {"two", state.first, process.pid(), process.id(), process.registry.lookup("worker"),
      process.get_options().trap_links})
    for _ = 1, 3 do process.send(boss, "from", {"job", (jobs:receive())}) end
    return "done"
    """,
)


def run(load_app: Load, entries: str, work: Callable[[App], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with load_app(entries) as app:
            return await work(app)

    return asyncio.run(main())


def function(body: str) -> str:
    return lua("f", body, kind="function.lua")


@pytest.mark.parametrize("how", ["", "waits"])
def test_a_process_stays_itself_with_other_code_and_loses_no_message(load_app: Load, how: str) -> None:
    body = f"""
    local told, events = process.listen("from"), process.events()
    local pid = process.spawn_monitored("t:one", "t:host", process.pid(), "{how}")
    for i = 1, 4 do process.send(pid, "job", i) end
    local all = {{}}
    for i = 1, 5 do all[i] = told:receive() end
    local e = events:receive()
    return {{pid, all, e.kind, e.from == pid, e.result.value}}
    """
    pid, told, kind, from_it, value = run(load_app, ONE + TWO + function(body), lambda app: app.call("t:f"))
    assert told == [["one", 1, pid], ["two", 1, pid, "t:two", pid, True], ["job", 2], ["job", 3], ["job", 4]]
    assert (kind, from_it, value) == ("pid.exit", True, "done")


def test_what_can_not_be_does_not_end_the_program(load_app: Load) -> None:
    body = """
    local told = process.listen("from")
    local pid = process.spawn("t:one", "t:host", process.pid(), "bad")
    process.send(pid, "job", 1)
    told:receive()
    local _, call = process.upgrade("t:one")
    local _, text = process.upgrade("")
    local _, option = process.set_options({upgradable = true})
    return {told:receive(), call:message(), text:message(), option:message()}
    """
    still, call, text, option = run(load_app, ONE + TWO + function(body), lambda app: app.call("t:f"))
    assert still == ["still here", "NOT_FOUND"]
    assert "a call of a function ends by itself" in call
    assert "must be text, got an empty text" in text
    assert "upgradable stays false" in option


def test_nothing_catches_it_and_what_is_to_be_closed_is(load_app: Load) -> None:
    again = lua(
        "again",
        """
        local boss, depth = ...
        if depth == 3 then return depth end
        local x <close> = setmetatable({}, {__close = function() print("closed", depth) end})
        pcall(pcall, process.upgrade, nil, boss, depth + 1)
        process.send(boss, "from", "caught")
        """,
    )
    body = 'return {process.exec("t:again", "t:host", process.pid(), 0)}'
    assert run(load_app, again + function(body), lambda app: app.call("t:f")) == [3]


VERSION = """
- name: lib
  kind: library.lua
  source: 'return {{version = {}}}'
"""
SERVED = lua(
    "served",
    """
    local version = require("lib").version
    local events, asks = process.events(), process.listen("ask")
    process.set_options({upgradable = true})
    process.registry.register("served")
    local news
    while true do
      local r = channel.select {events:case_receive(), asks:case_receive()}
      if r.channel == events then
        news = r.value
        if news.kind == process.event.OUTDATED then process.upgrade(nil, ...) end
        return
      end
      process.send(r.value, "told", {version, process.pid()})
    end
    """,
    modules="]\n  imports: {lib: lib}\n  # [",
)
SERVICE = """
- {name: service, kind: process.service, process: served, host: host, lifecycle: {auto_start: true}}
"""
ASK = function(
    """
    local time = require("time")
    while not process.send("served", "ask", process.pid()) do time.sleep("5ms") end
    return (process.listen("told"):receive())
    """
)


def test_a_service_takes_up_other_code_by_itself(load_app: Load) -> None:
    async def work(app: App) -> Any:
        before = await app.call("t:f")
        entry = dict(app.registry.get("t:lib"))
        entry["data"] = {"source": "return {version = 2}"}
        await app.registry.changes().update(entry).apply()
        after = await app.call("t:f")
        while after[0] != 2:
            after = await app.call("t:f")
        return before, after, app.processes.services["t:service"].all_restarts

    before, after, restarts = run(load_app, VERSION.format(1) + SERVED + SERVICE + ASK, work)
    assert (before[0], after[0]) == (1, 2)
    assert before[1] == after[1], "it is the same process"
    assert restarts == 0


def test_news_are_told_once_with_all_that_is_other(load_app: Load) -> None:
    waits = lua(
        "waits",
        """
        process.set_options({upgradable = true})
        process.inbox():receive()
        local events = process.events()
        local first, more = events:receive(), channel.select {events:case_receive(), default = true}
        return {first.kind, first.sources, more.default}
        """,
        modules="]\n  imports: {lib: lib}\n  # [",
    )
    other = "- {name: other, kind: library.lua, source: 'return {}'}\n"

    async def work(app: App) -> Any:
        pid = app.processes.actions.spawn(Start("t:waits", "t:host"))
        await asyncio.sleep(0.1)
        for id in ("t:other", "t:lib", "t:waits"):
            entry = {**app.registry.get(id), "meta": {"changed": True}}
            await app.registry.changes().update(entry).apply()
        ended = next(process.ended for process in app.processes.processes.table.processes() if process.pid == pid)
        app.processes.actions.send(None, pid, "go", True)
        return (await ended).value

    kind, sources, no_more = run(load_app, VERSION.format(1) + other + waits, work)
    assert (kind, sources, no_more) == ("pid.outdated", ["t:lib", "t:waits"], True)


POLICY = """
- name: some
  kind: security.policy
  policy: {actions: "*", resources: ["t:host", "t:one", "functions*", "{*", "worker"], effect: allow}
"""


def test_an_upgrade_to_another_program_is_asked_of_the_policies(load_app: Load) -> None:
    body = """
    local told = process.listen("from")
    local pid = process.spawn("t:one", "t:host", process.pid(), "")
    process.send(pid, "job", 1)
    told:receive()
    return (told:receive())
    """
    entries = POLICY + ONE.replace(
        "kind: process.lua", "kind: process.lua\n  security: {actor: {id: x}, policies: [some]}"
    )
    assert run(load_app, entries + TWO + function(body), lambda app: app.call("t:f")) == [
        "still here",
        "PERMISSION_DENIED",
    ]


def test_what_a_program_is_made_of() -> None:
    assert sources_of("x", {}, ["x"]) == {"x"}
    assert sources_of("x", {}, ["y"]) == frozenset()
