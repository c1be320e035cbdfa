"""The table of who may do what: every row by every way, with and without strict mode, each denial in the audit.

A row is an action, a resource, whether a user may and whether an admin may, and what a Lua function or a guest does.
Nobody, without actor and scope, may do all of it but what always needs a permission, or nothing in strict mode.
Spec: SPEC section 10.
"""

from __future__ import annotations

import asyncio
import logging
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.http.client import connected
from tests.security.apps import STRICT, wasm_caller
from tests.security.conftest import LoadApp
from wippywasm import App
from wippywasm.app.context import Actor, Context, entered
from wippywasm.errors import WippyError, WitError


@dataclass(frozen=True)
class Row:
    """`does` is the body of a Lua function, or `guest: …`, the `wasi` field of a guest that does nothing else."""

    action: str
    resource: str
    user: bool
    admin: bool
    does: str
    nobody: bool = True

    def may(self, who: str, *, strict: bool) -> bool:
        return self.nobody and not strict if who == "nobody" else {"user": self.user, "admin": self.admin}[who]


YES, NO = True, False
START = 'local pid, e = process.spawn("t:worker", "t:host") if e then return nil, e end '
NEAR = "http://127.0.0.1:1"
"""Where nobody listens: who may ask is refused by the system, not by us."""
WITH_SCOPE = """
local scope, e = security.scope()
if not scope then scope, e = security.new_scope() end
if e then return nil, e end
return funcs.new():with_scope(scope)
"""
TABLE = [
    Row("funcs.call", "t:open", YES, YES, 'return funcs.call("t:open")'),
    Row("funcs.call", "t:closed", NO, YES, 'return funcs.call("t:closed")'),
    Row("funcs.call", "t:never", NO, NO, 'return funcs.call("t:never")'),
    Row("funcs.call", "t:closed", NO, YES, 'return funcs.async("t:closed"):await()'),
    Row("funcs.context", "context", NO, YES, "return funcs.new():with_context({a = 1})"),
    Row("funcs.security", "security", NO, YES, WITH_SCOPE),
    Row("process.spawn", "t:worker", YES, YES, 'return process.spawn("t:worker", "t:host")'),
    Row("process.spawn", "t:digger", NO, YES, 'return process.spawn("t:digger", "t:host")'),
    Row("process.host", "t:vip", NO, YES, 'return process.spawn("t:worker", "t:vip")'),
    Row("process.spawn.linked", "t:worker", NO, YES, 'return process.spawn_linked("t:worker", "t:host")'),
    Row("process.spawn.monitored", "t:worker", NO, YES, 'return process.spawn_monitored("t:worker", "t:host")'),
    Row("process.exec", "t:quick", YES, YES, 'return process.exec("t:quick", "t:host")'),
    Row("process.exec", "t:fails", NO, YES, 'return process.exec("t:fails", "t:host")'),
    Row("process.send", "{t:host|", YES, YES, START + 'return process.send(pid, "x", 1)'),
    Row("process.terminate", "{t:host|", NO, YES, START + "return process.terminate(pid)"),
    Row("process.cancel", "{t:host|", NO, YES, START + "return process.cancel(pid)"),
    Row("process.monitor", "{t:host|", NO, YES, START + "return process.monitor(pid)"),
    Row("process.link", "{t:host|", NO, YES, START + "return process.link(pid)"),
    Row("process.registry.register", "name", NO, YES, 'return process.registry.register("name")'),
    Row("process.context", "context", NO, YES, "return process.with_context({a = 1})"),
    Row("fs.get", "t:data", YES, YES, 'return fs.get("t:data")'),
    Row("fs.get", "t:vault", NO, YES, 'return fs.get("t:vault")'),
    Row("env.get", "PLAIN", YES, YES, 'return env.get("PLAIN")'),
    Row("env.get", "SECRET", NO, YES, 'return env.get("SECRET")'),
    Row("env.set", "PLAIN", NO, YES, 'return env.set("PLAIN", "new")'),
    Row("http_client.request", f"{NEAR}/open", YES, YES, f'return http_client.get("{NEAR}/open")', nobody=NO),
    Row("http_client.request", f"{NEAR}/", NO, YES, f'return http_client.get("{NEAR}/")', nobody=NO),
    Row("http_client.private_ip", "127.0.0.2", NO, YES, 'return http_client.get("http://127.0.0.2:1/open")', nobody=NO),
    Row("registry.get", "t:open", YES, YES, 'return registry.get("t:open")'),
    Row("registry.get", "t:closed", NO, YES, 'return registry.get("t:closed")'),
    Row("registry.apply", "registry", NO, YES, 'return registry.snapshot():changes():delete("t:none"):apply()'),
    Row("registry.apply_version", "1", NO, YES, "return registry.apply_version(1)"),
    Row("security.policy.get", "t:users", NO, YES, 'return security.policy("t:users")'),
    Row("security.policy_group.get", "t:all", NO, YES, 'return security.named_scope("t:all")'),
    Row("security.scope.create", "custom", NO, YES, "return security.new_scope()"),
    Row("security.actor.create", "x", NO, YES, 'return security.new_actor("x")'),
    Row("fs.get", "t:data", YES, YES, "guest: {mounts: [{fs: data, guest: /x}]}"),
    Row("fs.get", "t:vault", NO, YES, "guest: {mounts: [{fs: data, guest: /x}, {fs: vault, guest: /y}]}"),
    Row("env.get", "PLAIN", YES, YES, "guest: {env: [{id: plain, name: A}]}"),
    Row("env.get", "SECRET", NO, YES, "guest: {env: [{id: secret, name: A}]}"),
]


PLACES = """
- name: users
  kind: security.policy
  groups: [user]
  policy:
    actions: [funcs.call, process.spawn, process.exec, process.host, process.send, fs.get, env.get, registry.get,
      http_client.request, http_client.private_ip]
    resources: ["t:do_*", "t:via_*", "t:open", "t:worker", "t:quick", "t:host", "{t:host|t:worker|*", "t:data", PLAIN,
      "http://127.0.0.1:1/open", "http://127.0.0.2:1/open", "127.0.0.1"]
    effect: allow
- {name: all, kind: security.policy, groups: [all], policy: {actions: "*", resources: "*", effect: allow}}
- {name: not_never, kind: security.policy, groups: [all], policy: {actions: "*", resources: "t:never", effect: deny}}
- {name: host, kind: process.host}
- {name: vip, kind: process.host}
- {name: worker, kind: process.lua, method: main, source: "return {main = function() process.inbox():receive() end}"}
- {name: digger, kind: process.lua, method: main, source: "return {main = function() end}"}
- {name: quick, kind: process.lua, method: main, source: "return {main = function() return 1 end}"}
- {name: fails, kind: process.lua, method: main, source: "return {main = function() error('broken') end}"}
- {name: open, kind: function.lua, method: main, source: "return {main = function() return 'ran' end}"}
- {name: closed, kind: function.lua, method: main, source: "return {main = function() return 'ran' end}"}
- {name: never, kind: function.lua, method: main, source: "return {main = function() return 'ran' end}"}
- {name: data, kind: fs.directory, directory: data, auto_init: true}
- {name: vault, kind: fs.directory, directory: vault, auto_init: true}
- {name: memory, kind: env.storage.memory}
- {name: plain, kind: env.variable, variable: PLAIN, storage: memory, default: p}
- {name: secret, kind: env.variable, variable: SECRET, storage: memory, default: s}
- name: via_lua
  kind: function.lua
  method: main
  modules: [funcs]
  source: |
    local funcs = require("funcs")
    return {main = function(target, text) return funcs.call(target, text) end}
"""
MODULES = ("funcs", "fs", "env", "http_client", "registry", "security")


def lua_doer(name: str, body: str) -> str:
    """A function that gives `done`, or the error of what it does."""
    requires = " ".join(f'local {module} = require("{module}")' for module in MODULES)
    source = textwrap.indent(
        f"{requires}\nlocal function act() {body} end\n"
        'return {main = function() local _, err = act() if err then return nil, err end return "done" end}',
        "    ",
    )
    head = f"- name: {name}\n  kind: function.lua\n  method: main\n  modules: [{', '.join(MODULES)}]\n"
    return f"{head}  source: |\n{source}\n"


def guest_doer(name: str, wasi: str) -> str:
    """A guest that takes a text and gives `done`, where it may run with what it is given."""
    return f"""\
- name: {name}
  kind: function.wat
  method: act
  imports: [wasi:filesystem, wasi:cli]
  wasi: {wasi}
  pool: {{type: inline}}
  wit: "act: func(text: string) -> string;"
  source: |
    (module (memory (export "memory") 1)
      (data (i32.const 16) "done") (data (i32.const 8) "\\10\\00\\00\\00\\04\\00\\00\\00")
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "act") (param i32 i32) (result i32) (i32.const 8)))
"""


def doer(number: int, row: Row) -> str:
    kind, _, wasi = row.does.partition(": ")
    return guest_doer(f"do_{number}", wasi) if kind == "guest" else lua_doer(f"do_{number}", row.does)


IDENTITIES = {
    "nobody": "",
    "user": ", security: {actor: {id: user}, groups: [user]}",
    "admin": ", security: {actor: {id: admin}, groups: [all]}",
}


def web(who: str) -> str:
    """A service that acts as somebody, with all of the functions behind it."""
    names = [f"do_{number}" for number in range(len(TABLE))] + ["via_wasm"]
    behind = f"kind: http.endpoint, meta: {{router: r_{who}}}, method: POST"
    endpoints = "".join(f"- {{name: {who}_{name}, {behind}, path: /{name}, func: {name}}}\n" for name in names)
    lifecycle = f"lifecycle: {{auto_start: true{IDENTITIES[who]}}}"
    return (
        f"- {{name: web_{who}, kind: http.service, addr: '127.0.0.1:0', {lifecycle}}}\n"
        f"- {{name: r_{who}, kind: http.router, meta: {{server: web_{who}}}, prefix: /}}\n{endpoints}"
    )


APP = PLACES + wasm_caller("via_wasm") + "".join(map(doer, range(len(TABLE)), TABLE)) + "".join(map(web, IDENTITIES))
Way = Callable[[App, str, int], Awaitable[bool]]
"""Tells whether the row of that number was allowed to somebody."""


def called(target: str | None) -> Way:
    """From Python as somebody: the function itself, or one that calls it."""

    async def way(app: App, who: str, number: int) -> bool:
        context = Context()
        if who != "nobody":
            context = Context(Actor(who), app.policies.group("t:all" if who == "admin" else f"t:{who}"))
        doing = f"t:do_{number}"
        with entered(context):
            try:
                await (app.call(f"t:{target}", doing, "x") if target else app.call(doing, "x"))
            except WitError as error:
                return not str(error.payload).startswith("PERMISSION_DENIED")
            except WippyError as error:
                return error.kind.value != "PERMISSION_DENIED"
        return True

    return way


async def by_http(app: App, who: str, number: int) -> bool:
    return await _posted(app, who, f"do_{number}", '"x"')


async def by_http_and_wasm(app: App, who: str, number: int) -> bool:
    return await _posted(app, who, "via_wasm", f'["t:do_{number}", "x"]')


async def _posted(app: App, who: str, name: str, body: str) -> bool:
    async with connected(app.addresses[f"t:web_{who}"]) as client:
        answer = await client.ask("POST", f"/{name}", body)
    assert answer.status != 400, answer
    return answer.status != 403 and b"PERMISSION_DENIED" not in answer.body


WAYS: dict[str, Way] = {
    "itself": called(None),
    "lua": called("via_lua"),
    "wasm": called("via_wasm"),
    "http": by_http,
    "http and wasm": by_http_and_wasm,
}


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
@pytest.mark.parametrize("way", WAYS)
def test_the_table(load_app: LoadApp, caplog: pytest.LogCaptureFixture, way: str, strict: bool) -> None:
    caplog.set_level(logging.WARNING, "wippywasm.audit")

    async def tried(app: App, who: str, number: int) -> None:
        row = TABLE[number]
        caplog.clear()
        allowed = await WAYS[way](app, who, number)
        denials = [record.__dict__["denial"] for record in caplog.records if record.name == "wippywasm.audit"]
        assert allowed is row.may(who, strict=strict), (who, row, denials)
        if who != "nobody" and allowed:
            assert denials == [], (who, row, denials)
        elif who != "nobody":
            assert [denial["action"] for denial in denials] == [row.action], (who, row)
            assert denials[0]["resource"].startswith(row.resource), (who, row, denials)
            assert denials[0]["actor"] == who

    async def go() -> None:
        async with load_app(APP, _dot_wippy_dot_yaml=STRICT if strict else "{}") as app:
            for number in range(len(TABLE)):
                for who in IDENTITIES:
                    await tried(app, who, number)

    asyncio.run(go())
