"""Tokens: made, checked, revoked, expired; requests that carry one. Spec: SPEC section 10."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import Any

import pytest

from tests.http.client import Answer, Client, served
from tests.security.apps import STRICT
from tests.security.conftest import LoadApp
from wippywasm import App
from wippywasm.app.context import Actor, Context, entered
from wippywasm.app.entry import Entry
from wippywasm.app.security import Scope
from wippywasm.app.security.tokens import TokenStores
from wippywasm.errors import DefinitionError, InternalError, RateLimitedError

ANN = Actor("ann", {"role": "user"})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def entry(id: str, kind: str, **data: Any) -> Entry:
    return Entry(id, kind, {}, MappingProxyType(data), "x.yaml", 1)


def stores(clock: Clock, before: TokenStores | None = None, size: int = 0, **tokens: Any) -> TokenStores:
    table = [
        entry("t:memory", "store.memory", max_size=size),
        entry("t:tokens", "security.token_store", store="t:memory", **tokens),
        entry("t:others", "security.token_store", store="t:memory", **tokens),
    ]
    return TokenStores(table, before, clock)


def refuses(of: TokenStores, token: str, store: str = "t:tokens") -> bool:
    try:
        of.store(store).find(token)
    except InternalError:
        return True
    return False


def test_a_token_stands_for_an_identity_until_it_expires() -> None:
    clock = Clock()
    made = stores(clock, default_expiration=10.0)
    store = made.store("t:tokens")
    default, longer = store.create(ANN, ["t:p"], None, {}), store.create(ANN, ["t:p"], 20.0, {"ip": "::1"})
    assert (store.find(default).actor, store.find(longer).policies) == (ANN, ("t:p",))
    assert store.find(longer).meta == {"ip": "::1"}
    assert len({default, longer}) == 2
    assert len(default) == 43, "32 bytes by default"
    clock.now = 10.0
    assert [refuses(made, default), refuses(made, longer)] == [True, False]
    clock.now = 20.0
    assert refuses(made, longer)
    assert len(stores(clock, token_length=16).store("t:tokens").create(ANN, [], None, {})) == 22


def test_a_token_is_of_its_store_and_can_be_revoked() -> None:
    made = stores(Clock())
    token = made.store("t:tokens").create(ANN, [], None, {})
    assert refuses(made, token, "t:others")
    assert not made.store("t:others").revoke(token)
    assert made.store("t:tokens").revoke(token)
    assert refuses(made, token)
    assert not made.store("t:tokens").revoke(token)


def test_a_signature_is_checked_before_anything_is_looked_for() -> None:
    clock = Clock()
    signed = stores(clock, token_key="k" * 16)
    token = signed.store("t:tokens").create(ANN, [], None, {})
    text, _, signature = token.rpartition(".")
    assert len(signature) == 64
    assert not refuses(signed, token)
    for wrong in (text, f"{text}.", f"{text}.{'0' * 64}", f"x{token}", "", ".", "\ud800.x", f"{token}\n"):
        assert refuses(signed, wrong), wrong
    assert refuses(stores(clock, signed, token_key="l" * 16), token), "a key that was changed takes no older tokens"


def test_tokens_outlive_a_change_and_their_number_is_bounded() -> None:
    clock = Clock()
    first = stores(clock, size=3)
    kept = first.store("t:tokens").create(ANN, [], 100.0, {})
    second = stores(clock, first, size=3)
    assert not refuses(second, kept)
    for _ in range(2):
        second.store("t:others").create(ANN, [], 5.0, {})
    with pytest.raises(RateLimitedError, match="keeps 3 tokens"):
        second.store("t:tokens").create(ANN, [], None, {})
    clock.now = 5.0
    second.store("t:tokens").create(ANN, [], None, {})
    gone = stores(clock, TokenStores([], second, clock), size=3)
    assert refuses(gone, kept), "a store.memory that was deleted keeps nothing"


APP = """
- {name: memory, kind: store.memory, lifecycle: {auto_start: true}}
- {name: tokens, kind: security.token_store, store: memory, default_expiration: 1h, token_key: "0123456789abcdef"}
- name: reads
  kind: security.policy
  groups: [users]
  policy: {actions: [funcs.call, read, access], resources: "*", effect: allow}
- {name: web, kind: http.service, addr: "127.0.0.1:0"}
- {name: open, kind: http.router, prefix: /open, middleware: [token_auth], options: {token_auth.store: "t:tokens"}}
- name: closed
  kind: http.router
  prefix: /closed
  middleware: [token_auth]
  options: {token_auth.store: "t:tokens", token_auth.header.name: X-Token, token_auth.header.prefix: ""}
  post_middleware: [endpoint_firewall]
- {name: e1, kind: http.endpoint, meta: {router: open}, method: GET, path: /who, func: who}
- {name: e2, kind: http.endpoint, meta: {router: closed}, method: GET, path: /who, func: who}
- name: who
  kind: function.lua
  method: main
  modules: [security]
  source: |
    local security = require("security")
    return {main = function()
      local actor = security.actor()
      local id, role = actor and actor:id() or "nobody", actor and actor:meta().role or "none"
      return {id, role, security.can("read", "x"), security.can("write", "x")}
    end}
- name: log_in
  kind: function.lua
  method: main
  modules: [security]
  source: |
    local security = require("security")
    return {main = function(id, options)
      local store, err = security.token_store("t:tokens")
      if err then return nil, err end
      return store:create(security.new_actor(id, {role = "user"}), security.named_scope("t:users"), options)
    end}
- name: look
  kind: function.lua
  method: main
  modules: [security]
  source: |
    local security = require("security")
    return {main = function(token, how)
      local store = security.token_store("t:tokens")
      if how == "revoke" then return store:revoke(token) end
      if how == "close" then store:close() end
      local actor, scope, err = store:validate(token)
      if err then return {err:kind(), err:message(), actor == nil and scope == nil} end
      return {actor:id(), actor:meta().role, scope:contains("t:reads")}
    end}
"""


def test_lua_makes_and_checks_tokens(load_app: LoadApp) -> None:
    async def go(app: App) -> None:
        async with app:
            token = await app.call("t:log_in", "ann", {"expiration": "7d", "meta": {"ip": "::1"}})
            assert await app.call("t:look", token) == ["ann", "user", True]
            assert await app.call("t:look", token, "close") == ["INTERNAL", "the token store is closed", True]
            assert await app.call("t:look", token + "x") == ["INTERNAL", "the token is not valid", True]
            assert await app.call("t:look", token, "revoke") is True
            assert await app.call("t:look", token) == ["INTERNAL", "the token is not valid", True]
            short = await app.call("t:log_in", "ann", {"expiration": 1})
            await asyncio.sleep(0.02)
            assert (await app.call("t:look", short))[0] == "INTERNAL"
            for bad in ({"expiration": "soon"}, {"expiration": -1}, {"expiration": True}, {"expires": 5}):
                with pytest.raises(Exception, match=r"expiration|no option"):
                    await app.call("t:log_in", "ann", bad)

    asyncio.run(go(load_app(APP)))


def test_a_policy_that_is_gone_takes_its_tokens_along(load_app: LoadApp) -> None:
    more = "- {name: never, kind: security.policy, groups: [users], policy: {actions: x, resources: x, effect: deny}}\n"

    async def go(app: App) -> None:
        async with app:
            token = await app.call("t:log_in", "ann")
            await app.registry.changes().delete("t:never").apply()
            kind, message, _ = await app.call("t:look", token)
            assert (kind, "the token's scope is no more" in message) == ("INTERNAL", True)

    asyncio.run(go(load_app(APP + more)))


@pytest.mark.parametrize("strict", [False, True])
def test_requests_act_as_whom_their_token_stands_for(load_app: LoadApp, strict: bool) -> None:
    app = load_app(APP, _dot_wippy_dot_yaml=STRICT if strict else "{}")

    async def work(client: Client) -> list[Answer]:
        token = app.security.tokens.store("t:tokens").create(ANN, ["t:reads"], None, {})
        return [
            await client.ask("GET", "/open/who", Authorization=f"bearer {token}"),
            await client.ask("GET", f"/open/who?x-auth-token={token}"),
            await client.ask("GET", "/open/who", Cookie=f"x-auth-token={token}"),
            await client.ask("GET", "/open/who", Authorization=f"Basic {token}"),
            await client.ask("GET", "/open/who", Authorization="Bearer nonsense"),
            await client.ask("GET", "/closed/who", X_Token=token),
            await client.ask("GET", "/closed/who", X_Token=token + "x"),
            await client.ask("GET", "/closed/who"),
        ]

    answers = served(app, work)
    ann = ["ann", "user", True, False]
    assert [answer.json for answer in answers[:3]] == [ann] * 3
    if strict:
        assert [answer.status for answer in answers[3:5]] == [403, 403]
    else:
        assert [answer.json for answer in answers[3:5]] == [["nobody", "none", True, True]] * 2
    assert answers[5].json == ann
    assert [answer.status for answer in answers[6:]] == [401, 401]


def test_each_use_of_a_store_is_asked_of_the_policies(load_app: LoadApp) -> None:
    more = """
- {name: calls, kind: security.policy, policy: {actions: [funcs.call, "security.*"], resources: "*", effect: allow}}
- name: no_more
  kind: security.policy
  policy: {actions: [security.token.create, security.token.validate], resources: "*", effect: deny}
"""

    async def go(app: App) -> None:
        async with app:
            token = await app.call("t:log_in", "ann")
            held = [app.policies.policy(f"t:{id}") for id in ("calls", "no_more")]
            may_not = Context(Actor("u"), Scope(held))
            with entered(may_not):
                with pytest.raises(Exception, match=r"may not security.token.create 't:tokens'"):
                    await app.call("t:log_in", "bob")
                assert (await app.call("t:look", token))[0] == "PERMISSION_DENIED"
                assert await app.call("t:look", token, "revoke") is True

    asyncio.run(go(load_app(APP + more)))


def test_a_store_that_is_none_is_told_when_the_app_is_checked(load_app: LoadApp) -> None:
    with pytest.raises(DefinitionError, match=r"'token_auth.store' names 't:memory', which is no security.token_store"):
        load_app(APP.replace('{token_auth.store: "t:tokens"}', '{token_auth.store: "t:memory"}'))
    with pytest.raises(DefinitionError) as caught:
        load_app(APP.replace("token_key: ", "token_length: 3, token_key: "))
    assert "token_length" in str(caught.value)
    assert "token_auth" not in str(caught.value), "a store with a problem of its own is one"
    with pytest.raises(DefinitionError, match=r"needs the option 'token_auth.store'"):
        load_app(APP.replace(', options: {token_auth.store: "t:tokens"}', ""))
