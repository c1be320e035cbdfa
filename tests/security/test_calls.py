"""Who may call what: through Lua, wasm and threads, with and without strict mode, before the callee runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.security.apps import APP, STRICT, WAYS
from tests.security.conftest import LoadApp
from wippywasm import App
from wippywasm.app.context import Actor, Context, entered
from wippywasm.app.security import Scope
from wippywasm.errors import InvalidError, PermissionDeniedError, WippyError, WitError


def context(app: App, who: str | None) -> Context:
    """Alice is a user, Bob one of long standing, Root an admin."""
    if who is None:
        return Context()
    group = "t:admins" if who == "root" else "t:users"
    return Context(Actor(who, {"years": 20 if who == "bob" else 1}), app.policies.group(group))


async def attempt(app: App, who: str | None, way: str, target: str) -> str:
    """`allowed`, or the kind of the refusal."""
    with entered(context(app, who)):
        try:
            assert await app.call(f"t:{way}", f"t:{target}", "x") == "x"
        except WitError as error:
            return str(error.payload).partition(":")[0]
        except WippyError as error:
            return error.kind.value
    return "allowed"


ALLOWED: dict[tuple[str | None, str], bool] = {
    ("alice", "open"): True,
    ("alice", "closed"): False,
    ("alice", "other"): False,
    ("alice", "senior"): False,
    ("bob", "senior"): True,
    ("root", "other"): True,
    ("root", "closed"): False,
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_who_may_call_what(load_app: LoadApp, capfd: pytest.CaptureFixture[str], way: str, strict: bool) -> None:
    """Every row by one way: the answer, and whether the callee ran."""
    rows = {**ALLOWED, (None, "open"): not strict, (None, "closed"): not strict}

    async def go() -> None:
        async with load_app(APP, _dot_wippy_dot_yaml=STRICT if strict else "{}") as app:
            for (who, target), allowed in rows.items():
                assert await attempt(app, who, way, target) == ("allowed" if allowed else "PERMISSION_DENIED")
                assert (f"ran {target}" in capfd.readouterr().out) is allowed, (who, target)

    asyncio.run(go())


def test_the_user_of_the_app_may_call_everything(load_app: LoadApp) -> None:
    """Strict mode is for what entries do; who has no identity and is no entry is the app's own user."""

    async def go(app: App) -> Any:
        async with app:
            assert await app.call("t:closed", "x") == "x"
            with entered(context(app, "root")), pytest.raises(PermissionDeniedError, match="t:nobody_closed denies it"):
                await app.call("t:closed", "x")

    asyncio.run(go(load_app(APP, _dot_wippy_dot_yaml=STRICT)))


def test_a_refusal_says_nothing_of_what_there_is(load_app: LoadApp) -> None:
    """Who may not call an id does not learn whether there is one."""

    async def go(app: App) -> None:
        async with app:
            for target in ("other", "nope"):
                assert await attempt(app, "alice", "via_lua", target) == "PERMISSION_DENIED"

    asyncio.run(go(load_app(APP)))


def test_a_hint_names_only_what_may_be_called(load_app: LoadApp) -> None:
    async def hint(app: App, who: str, id: str) -> str:
        with entered(context(app, who)), pytest.raises(WippyError) as caught:
            await app.call(id)
        return caught.value.hint or ""

    async def go(app: App) -> None:
        async with app:
            assert "t:closed" not in await hint(app, "root", "t:close"), "even the admin may not call that one"
            assert "t:other" in await hint(app, "root", "t:othe")
            assert "t:other" in await hint(app, "root", "other")
            assert "t:other" not in await hint(app, "alice", "t:open_nothing")
            assert "t:open" in await hint(app, "alice", "t:open_nothing")
            assert await hint(app, "alice", "other") == ""

    asyncio.run(go(load_app(APP)))


WASM = """
- name: typed
  kind: function.wat
  source: (module (func (export "typed") (param i32)))
  wit: "typed: func(number: s32);"
  method: typed
- name: wrong
  kind: function.lua
  method: main
  modules: [funcs]
  source: |
    local funcs = require("funcs")
    return {main = function(target) return funcs.call(target, {}, "too", "many") end}
- name: calls_all
  kind: security.policy
  policy: {actions: funcs.call, resources: "t:wrong", effect: allow}
"""


def test_nor_what_it_takes(load_app: LoadApp) -> None:
    """One worker serves both: what it has learnt for one is not told to the other."""

    async def go(app: App) -> None:
        may = Context(Actor("u"), app.policies.group("t:admins"))
        may_not = Context(Actor("u"), Scope([app.policies.policy("t:calls_all")]))
        async with app:
            with entered(may), pytest.raises(InvalidError, match="expected 1 argument, got 3"):
                await app.call("t:wrong", "t:typed")
            with entered(may_not), pytest.raises(PermissionDeniedError):
                await app.call("t:wrong", "t:typed")

    asyncio.run(go(load_app(APP + WASM)))


def test_a_change_of_a_policy_holds_from_the_next_call_on(load_app: LoadApp) -> None:
    async def go(app: App) -> None:
        async with app:
            assert await attempt(app, "alice", "via_lua", "open") == "allowed"
            changes = app.registry.changes()
            entry = dict(app.registry.get("t:nobody_closed"))
            policy = dict(entry["data"]["policy"], resources=["t:closed", "t:open"])
            changes.update({**entry, "data": {**entry["data"], "policy": policy}})
            await changes.apply()
            assert await attempt(app, "alice", "via_lua", "open") == "PERMISSION_DENIED"

    asyncio.run(go(load_app(APP)))


OWN = """
- name: as_bob
  kind: function.lua
  method: main
  modules: [funcs]
  security: {actor: {id: bob, meta: {years: 20, teams: [{name: a}]}}, groups: [users]}
  source: |
    local funcs = require("funcs")
    return {main = function(target) return funcs.call(target, "x") end}
- name: tells
  kind: function.lua
  method: main
  modules: [security]
  security: {actor: {id: bob, meta: {years: 20, teams: [{name: a}]}}}
  source: return {main = function() return require("security").actor():meta() end}
- name: narrowed
  kind: function.lua
  method: main
  modules: [funcs]
  security: {policies: [users_call]}
  source: |
    local funcs = require("funcs")
    return {main = function(target) return funcs.call(target, "x") end}
"""


def test_a_function_may_have_an_identity_of_its_own(load_app: LoadApp) -> None:
    async def go(app: App) -> None:
        async with app:
            assert await app.call("t:as_bob", "t:senior") == "x"
            assert await app.call("t:tells") == {"years": 20, "teams": [{"name": "a"}]}
            with pytest.raises(PermissionDeniedError, match="'bob' may not"):
                await app.call("t:as_bob", "t:other")
            with entered(context(app, "root")):
                assert await app.call("t:narrowed", "t:open") == "x"
                with pytest.raises(PermissionDeniedError, match="'root' may not"):
                    await app.call("t:narrowed", "t:other")

    asyncio.run(go(load_app(APP + OWN, _dot_wippy_dot_yaml=STRICT)))
