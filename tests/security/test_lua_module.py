"""Lua's `security` and `ctx`, and calls that `funcs.new()` sets up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.security.apps import APP, POLICIES, STRICT, TARGETS
from tests.security.conftest import LoadApp
from wippywasm.app.context import Actor, Context, entered
from wippywasm.app.lua import handles
from wippywasm.app.security import Scope
from wippywasm.errors import LuaError, PermissionDeniedError

MORE = """
- name: may_call
  kind: security.policy
  policy: {actions: funcs.call, resources: "*", effect: allow}
- name: may_make
  kind: security.policy
  policy: {actions: "security.*", resources: "*", effect: allow}
- name: may_hand_over
  kind: security.policy
  policy: {actions: [funcs.security, funcs.context], resources: "*", effect: allow}
- name: owners
  kind: security.policy
  policy:
    actions: edit
    resources: "doc:*"
    effect: allow
    conditions: [{field: meta.owner, operator: eq, value_from: actor.id}]
- name: who
  kind: function.lua
  method: main
  modules: [security, ctx]
  source: |
    local security, ctx = require("security"), require("ctx")
    return {main = function()
      local actor, scope, ids = security.actor(), security.scope(), {}
      for i, policy in ipairs(scope and scope:policies() or {}) do ids[i] = policy:id() end
      return {
        id = actor and actor:id(), role = actor and actor:meta().role, values = ctx.all(), policies = ids,
        edits = security.can("edit", "doc:1", {owner = "lua"}),
      }
    end}
- name: sleeps
  kind: function.lua
  method: main
  modules: [time]
  source: |
    local time = require("time")
    return {main = function(ms) time.sleep(ms .. "ms") return "slept" end}
"""


def lua(body: str, modules: str = "security, funcs, ctx") -> str:
    """A function whose body has these modules."""
    indented = "\n".join("      " + line for line in body.strip().splitlines())
    return f"""
- name: main
  kind: function.lua
  method: main
  modules: [{modules}]
  source: |
    local security, funcs, ctx = require("security"), require("funcs"), require("ctx")
    return {{main = function(arg)
{indented}
    end}}
"""


def go(load_app: LoadApp, body: str, arg: Any = None, context: Context | None = None, strict: bool = False) -> Any:
    async def run() -> Any:
        files = {"_dot_wippy_dot_yaml": STRICT} if strict else {}
        async with load_app(APP + MORE + lua(body), **files) as app:
            with entered(context or Context()):
                return await app.call("t:main", arg)

    return asyncio.run(run())


def scope_of(load_app: LoadApp, *ids: str) -> Scope:
    policies = load_app(POLICIES + TARGETS + MORE).policies
    return Scope(map(policies.policy, ids))


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("return {security.actor(), security.scope()}", []),
        (
            "local a = security.new_actor('u', {role = 'x'}) a:meta().role = 'y' return {a:id(), a:meta().role}",
            ["u", "x"],
        ),
        ("local s = security.new_scope() return {#s:policies(), s:contains('t:owners')}", [0, False]),
        (
            """
            local p, s = security.policy('t:owners'), security.new_scope()
            local more = s:with(p):with(p)
            return {#s:policies(), #more:policies(), more:contains('t:owners'), #more:without('t:owners'):policies()}
            """,
            [0, 1, True, 0],
        ),
        ("return #security.new_scope({security.policy('t:owners'), security.policy('t:may_call')}):policies()", 2),
        (
            """
            local s = security.named_scope('t:users')
            local u, b = security.new_actor('u'), security.new_actor('b', {years = 10})
            return {s:evaluate(u, 'funcs.call', 't:open'), s:evaluate(u, 'funcs.call', 't:closed'),
              s:evaluate(u, 'funcs.call', 't:senior'), s:evaluate(b, 'funcs.call', 't:senior')}
            """,
            ["allow", "deny", "undefined", "allow"],
        ),
        (
            """
            local p, u = security.policy('t:owners'), security.new_actor('u')
            return {p:evaluate(u, 'edit', 'doc:1', {owner = 'u'}), p:evaluate(u, 'edit', 'doc:1', {})}
            """,
            ["allow", "undefined"],
        ),
        ("local _, err = security.policy('t:owner') return {err:kind(), err:message()}", None),
        ("local _, err = security.named_scope('t:user') return err:kind()", "NOT_FOUND"),
        ("local _, err = security.new_actor('') return err:kind()", "INVALID"),
        ("local _, err = security.new_actor('u', {1, 2}) return err:kind()", "INVALID"),
        (
            "local _, err = security.new_scope({'t:owners'}) return err:message()",
            "scope:with takes a policy, got string",
        ),
        ("local _, err = ctx.get('x') return err:kind()", "NOT_FOUND"),
        ("local _, err = ctx.get('') return err:kind()", "INVALID"),
        (r"local _, err = ctx.get('\xff') return err:kind()", "INVALID"),
        ("return ctx.all()", []),
    ],
)
def test_the_modules(load_app: LoadApp, body: str, result: Any) -> None:
    got = go(load_app, body)
    if result is None:
        kind, message = got
        assert kind == "NOT_FOUND"
        assert "did you mean 't:owners'" in message
    else:
        assert got == result


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("security.new_actor('u').id()", "actor expected; call its methods with ':'"),
        ("security.new_actor('u'):name()", "an actor has no 'name'"),
        ("security.can(1, 'x')", "action must be a string, got number"),
        ("return security.new_actor('u')", "a security actor can't leave its program"),
        ("funcs.new():with_nothing()", "an executor has no 'with_nothing'"),
    ],
)
def test_mistakes_say_what_is_wrong(load_app: LoadApp, body: str, message: str) -> None:
    with pytest.raises(LuaError, match=message):
        go(load_app, body)


def test_an_object_is_still_good_in_the_next_call(load_app: LoadApp) -> None:
    body = "kept = kept or security.new_scope({security.policy('t:owners')}) return #kept:policies()"

    async def run() -> None:
        async with load_app(APP + MORE + lua(body)) as app:
            assert [await app.call("t:main") for _ in range(2)] == [1, 1]

    asyncio.run(run())


HANDS_OVER = """
local exec = funcs.new()
  :with_actor(security.new_actor('lua', {role = 'x'}))
  :with_scope(security.new_scope({security.policy('t:owners')}))
  :with_context({trace = 'a', n = {1, 2}})
  :with_context({trace = 'b', more = true})
"""
HANDED = {
    "id": "lua",
    "role": "x",
    "values": {"trace": "b", "n": [1, 2], "more": True},
    "policies": ["t:owners"],
    "edits": True,
}


@pytest.mark.parametrize("call", ["return exec:call('t:who')", "return exec:async('t:who'):await()"])
def test_what_is_handed_on_is_what_the_callee_has(load_app: LoadApp, call: str) -> None:
    assert go(load_app, HANDS_OVER + call) == HANDED


def test_an_executor_never_changes(load_app: LoadApp) -> None:
    body = """
    local base = funcs.new():with_context({a = 1})
    local more = base:with_context({b = 2})
    return {base:call('t:who').values, more:call('t:who').values, funcs.call('t:who').values}
    """
    assert go(load_app, body) == [{"a": 1}, {"a": 1, "b": 2}, []]


def test_values_go_on_through_every_call(load_app: LoadApp) -> None:
    """Lua hands them to wasm, which calls Lua."""
    body = """
    local exec = funcs.new():with_context({trace = 'a'})
    return {exec:call('t:via_wasm', 't:reads', ''), exec:call('t:via_thread', 't:reads', '')}
    """
    reads = """
- name: reads
  kind: function.lua
  method: main
  modules: [ctx]
  source: return {main = function() return (require("ctx").get("trace")) end}
"""

    async def run() -> Any:
        async with load_app(APP + MORE + reads + lua(body)) as app:
            return await app.call("t:main")

    assert asyncio.run(run()) == ["a", "a"]


def test_who_calls_is_asked_and_not_who_is_called(load_app: LoadApp) -> None:
    """A callee may run with less than it takes to call it; and nobody gets further by handing on more."""
    own = Context(Actor("caller"), scope_of(load_app, "t:may_call", "t:may_make", "t:may_hand_over", "t:nobody_closed"))
    less = "return funcs.new():with_scope(security.new_scope()):call('t:open', 'x')"
    assert go(load_app, less, context=own) == "x"
    more = """
    local all = security.named_scope('t:admins'):without('t:nobody_closed')
    return funcs.new():with_scope(all):call('t:closed', 'x')
    """
    with pytest.raises(PermissionDeniedError, match=r"'caller' may not funcs.call 't:closed': t:nobody_closed"):
        go(load_app, more, context=own)


@pytest.mark.parametrize(
    ("body", "action"),
    [
        ("return funcs.new():with_context({a = 1})", "funcs.context"),
        ("return funcs.new():with_actor(security.new_actor('u'))", "funcs.security"),
        ("return funcs.new():with_scope(security.new_scope())", "funcs.security"),
    ],
)
def test_to_hand_on_takes_permission(load_app: LoadApp, body: str, action: str) -> None:
    own = Context(Actor("caller"), scope_of(load_app, "t:may_call", "t:may_make"))
    with pytest.raises(PermissionDeniedError, match=f"'caller' may not {action}"):
        go(load_app, body, context=own)


@pytest.mark.parametrize(
    ("body", "action"),
    [
        ("return security.new_actor('root')", "security.actor.create 'root'"),
        ("return security.new_scope()", "security.scope.create 'custom'"),
        ("return security.policy('t:owners')", "security.policy.get 't:owners'"),
        ("return security.named_scope('t:users')", "security.policy_group.get 't:users'"),
    ],
)
def test_to_make_identities_takes_permission(load_app: LoadApp, body: str, action: str) -> None:
    with pytest.raises(PermissionDeniedError, match=f"may not {action}"):
        go(load_app, body, context=Context(Actor("u"), scope_of(load_app, "t:may_call")))
    with pytest.raises(PermissionDeniedError, match="strict_mode"):
        go(load_app, body, strict=True)


def test_an_executor_that_is_kept_is_asked_again(load_app: LoadApp) -> None:
    """It was made for one who may hand on an identity; the next to use it may not."""
    body = """
    kept = kept or funcs.new():with_actor(security.new_actor('root'))
    local told, err = kept:call('t:who')
    return told and told.id, err
    """
    one, other = (
        Context(Actor(name), scope_of(load_app, "t:may_call", "t:may_make", *more))
        for name, more in (("one", ["t:may_hand_over"]), ("other", []))
    )

    async def run() -> None:
        async with load_app(APP + MORE + lua(body)) as app:
            with entered(one):
                assert await app.call("t:main") == "root"
            with entered(other), pytest.raises(PermissionDeniedError, match=r"'other' may not funcs.security"):
                await app.call("t:main")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ("{timeout = 20}", "TIMEOUT"),
        ("{timeout = '20ms'}", "TIMEOUT"),
        ("{timeout = 60000}", None),
        ("{}", None),
        ("{timeout = 0}", "INVALID"),
        ("{timeout = -1}", "INVALID"),
        ("{timeout = 'soon'}", "INVALID"),
        ("{timeout = true}", "INVALID"),
        ("{retries = 1}", "INVALID"),
        ("5", "INVALID"),
    ],
)
@pytest.mark.parametrize("call", ["call('t:sleeps', arg)", "async('t:sleeps', arg):await()"])
def test_options(load_app: LoadApp, options: str, kind: str | None, call: str) -> None:
    body = f"""
    local exec, err = funcs.new():with_options({options})
    if not exec then return err:kind() end
    local value, failed = exec:{call}
    return value or failed:kind()
    """
    slow = kind == "TIMEOUT"
    assert go(load_app, body, 5000 if slow else 1) == (kind or "slept")


def test_an_id_can_name_no_setup(load_app: LoadApp) -> None:
    """Only `funcs.prepare` gives numbers of setups."""
    assert go(load_app, "local _, err = funcs.call('t:who\\0001') return err:kind()") == "INVALID"


@pytest.mark.parametrize("call", ["call('t:nope')", "call('t:via_wasm', {})"])
def test_many_calls_with_a_setup_keep_nothing(load_app: LoadApp, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where there is nobody to call, nor where the arguments do not fit."""
    body = f"""
    local exec = funcs.new():with_context({{a = 1}})
    local kinds = {{NOT_FOUND = true, INVALID = true}}
    for i = 1, 100 do
      local _, err = exec:{call}
      if not kinds[err:kind()] then return err:message() end
    end
    return 'all'
    """
    monkeypatch.setattr(handles, "MAX_HANDLES", 10)
    assert go(load_app, body) == "all"


def test_a_refusal_has_its_facts_in_lua(load_app: LoadApp) -> None:
    body = "local _, err = funcs.call('t:open') return {err:kind(), err:details().action, err:details().resource}"
    assert go(load_app, body, strict=True) == ["PERMISSION_DENIED", "funcs.call", "t:open"]
