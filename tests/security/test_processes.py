"""Whom processes act as: what their service or spawner declares, never their caller."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from tests.security.apps import POLICIES, STRICT
from tests.security.conftest import LoadApp
from tests.security.policies import policy
from wippywasm import App
from wippywasm.app.context import Actor, Context, entered
from wippywasm.app.security import Policy, Scope
from wippywasm.engine import wat2wasm
from wippywasm.errors import PermissionDeniedError

ENTRIES = (
    POLICIES
    + """
- {name: host, kind: process.host}
- name: who
  kind: process.lua
  method: main
  modules: [security, ctx]
  source: |
    local security, ctx = require("security"), require("ctx")
    function main()
      local actor, scope = security.actor(), security.scope()
      return {id = actor and actor:id(), policies = scope and #scope:policies(), trace = (ctx.get("trace"))}
    end
- name: plain
  kind: function.lua
  method: main
  source: function main() return process.exec("t:who", "t:host") end
- name: declared
  kind: function.lua
  method: main
  modules: [security]
  source: |
    local security = require("security")
    function main()
      local spawner, err = process.with_context({trace = "a"})
      if not spawner then return nil, err end
      local actor = security.new_actor("worker")
      local scope = security.named_scope("t:users")
      spawner, err = spawner:with_actor(actor)
      if not spawner then return nil, err end
      return spawner:with_scope(scope):exec("t:who", "t:host")
    end
"""
)
ALL = policy("t:everything")
NO_SECURITY = policy("t:no_security", actions="process.security", effect="deny")


def ask(app: App, id: str, *policies: Policy) -> Any:
    async def go() -> Any:
        async with app:
            with entered(Context(Actor("caller"), Scope(policies), {"trace": "mine"})):
                return await app.call(id)

    return asyncio.run(go())


def test_nothing_of_the_caller_goes_to_a_process(load_app: LoadApp) -> None:
    assert ask(load_app(ENTRIES), "t:plain", ALL) in ({}, [])


def test_a_spawner_declares_whom_it_acts_as(load_app: LoadApp) -> None:
    assert ask(load_app(ENTRIES), "t:declared", ALL) == {"id": "worker", "policies": 3, "trace": "a"}


def test_to_declare_an_identity_takes_permission(load_app: LoadApp) -> None:
    with pytest.raises(PermissionDeniedError, match=r"'caller' may not process.security 'security': t:no_security"):
        ask(load_app(ENTRIES), "t:declared", ALL, NO_SECURITY)


SERVICE = """
- {name: told, kind: env.storage.memory}
- {name: found, kind: env.variable, variable: FOUND, storage: told, default: ""}
- {name: told_env, kind: security.policy, policy: {actions: "env.*", resources: FOUND, effect: allow}}
- name: tells
  kind: process.lua
  method: main
  modules: [security, env]
  source: |
    local security, env = require("security"), require("env")
    function main()
      local can = security.can("funcs.call", "t:open") and not security.can("funcs.call", "t:closed")
      env.set("FOUND", security.actor():id() .. " " .. tostring(can))
    end
- name: service
  kind: process.service
  process: tells
  host: host
  lifecycle:
    auto_start: true
    security: {actor: {id: "service:tells"}, policies: [told_env], groups: [users]}
"""


def test_a_service_acts_as_its_lifecycle_says(load_app: LoadApp) -> None:
    """In strict mode it may do what its policies allow, and nothing else."""

    async def go(app: App) -> str:
        async with app:
            for _ in range(500):
                if found := app.environment.get("FOUND"):
                    return found
                await asyncio.sleep(0.01)
        raise AssertionError("it never told")

    app = load_app(ENTRIES + SERVICE, _dot_wippy_dot_yaml=STRICT)
    assert asyncio.run(go(app)) == "service:tells true"


MOUNTED = """
- {name: host, kind: process.host}
- {name: modules, kind: fs.directory, directory: modules}
- {name: data, kind: fs.directory, directory: data, auto_init: true}
- name: job
  kind: process.wasm
  fs: modules
  path: job.wasm
  hash: HASH
  wit: "job: func() -> s32;"
  method: job
  imports: [wasi:filesystem]
  wasi: {mounts: [{fs: data, guest: /data}]}
- {name: mounts, kind: security.policy, policy: {actions: fs.get, resources: "t:data", effect: allow}}
- name: starts
  kind: function.lua
  method: main
  modules: [security]
  source: |
    local security = require("security")
    function main(...)
      local policies = {}
      for i, id in ipairs({...}) do policies[i] = security.policy(id) end
      local spawner = process.with_context({}):with_actor(security.new_actor("worker"))
      return spawner:with_scope(security.new_scope(policies)):exec("t:job", "t:host")
    end
"""


def test_the_mounts_of_a_process_are_asked_of_whom_it_acts_as(load_app: LoadApp) -> None:
    module = wat2wasm('(module (func (export "job") (result i32) (i32.const 7)))')
    entries = MOUNTED.replace("HASH", f"sha256:{hashlib.sha256(module).hexdigest()}")

    async def go(app: App) -> None:
        async with app:
            assert await app.call("t:starts", "t:mounts") == 7
            with pytest.raises(PermissionDeniedError, match=r"'worker' may not fs.get 't:data'"):
                await app.call("t:starts")

    asyncio.run(go(load_app(entries, modules__job_dot_wasm=module)))
