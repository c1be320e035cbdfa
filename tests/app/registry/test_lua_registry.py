"""Lua's `registry`. Spec: SPEC sections 2 and 11."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.app.conftest import LoadApp
from wippywasm.app.context import Actor, Context, entered
from wippywasm.app.security import Scope

APP = """\
- {name: data, kind: registry.entry, meta: {type: note}, key: value}
- {name: hidden, kind: registry.entry, secret: "${env:SECRET}"}
- {name: s, kind: env.storage.static, values: {SECRET: hush}}
- {name: v, kind: env.variable, variable: SECRET, storage: s}
- name: f
  kind: function.lua
  modules: [registry, funcs]
  method: main
  source: |
    local registry, funcs = require("registry"), require("funcs")
    return {main = function()
"""


def go(load_app: LoadApp, body: str) -> Any:
    app = load_app(APP + "".join(f"      {line}\n" for line in body.splitlines()) + "    end}\n")

    async def main() -> Any:
        async with app:
            return await app.call("t:f")

    return asyncio.run(main())


def test_entries(load_app: LoadApp) -> None:
    assert go(load_app, "return registry.get('t:data')") == {
        "id": "t:data",
        "kind": "registry.entry",
        "meta": {"type": "note"},
        "data": {"key": "value"},
    }
    assert go(load_app, "return registry.get('t:hidden').data.secret") == "${env:SECRET}"
    assert go(load_app, "local e, err = registry.get('t:nope'); return {e == nil, err:kind()}") == [True, "NOT_FOUND"]
    criteria = "{['.kind'] = 'registry.entry', ['meta.type'] = 'note'}"
    assert go(load_app, f"return registry.find({criteria})[1].id") == "t:data"
    assert go(load_app, "return registry.parse_id('a.b:c/d')") == {"ns": "a.b", "name": "c/d"}
    counts = "local s = registry.snapshot(); return {#s:entries(), #s:namespace('t'), #s:namespace('u')}"
    assert go(load_app, counts) == [5, 5, 0]


def test_changes_and_versions(load_app: LoadApp) -> None:
    body = """
    local changes = registry.snapshot():changes()
    local data = {method = "m", source = "return function() return 42 end"}
    changes:create({id = "t:new", kind = "function.lua", data = data})
    changes:update({id = "t:data", kind = "registry.entry", data = {key = "other"}})
    local version, err = changes:apply()
    if err then return nil, err end
    local value = funcs.call("t:new")
    local previous = version:previous()
    local old = registry.snapshot_at(previous):get("t:data").data.key
    assert(registry.apply_version(previous))
    local _, gone = funcs.call("t:new")
    return {
      value, old, registry.get("t:data").data.key, gone:kind(), version:id(), tostring(version), #registry.versions(),
      registry.current_version():string(), version == registry.history():get_version(2), #changes:ops(),
    }
    """
    assert go(load_app, body) == [42, "value", "value", "NOT_FOUND", 2, "v2", 3, "v3", True, 2]


def test_refusals(load_app: LoadApp) -> None:
    body = """
    local kinds = {}
    local function kind(value, err) kinds[#kinds + 1] = value == nil and err:kind() or "?" end
    kind(registry.snapshot():changes():apply())
    kind(registry.snapshot():changes():delete("t:nope"):apply())
    kind(registry.snapshot():changes():create({id = "t:data", kind = "registry.entry"}):apply())
    kind(registry.snapshot():changes():create({id = "t:x", kind = "function.lua", data = {}}):apply())
    kind(registry.snapshot_at(77))
    kind(registry.apply_version("x"))
    kind(registry.get(5))
    kind(registry.parse_id("x"))
    return kinds
    """
    assert go(load_app, body) == [
        "INVALID",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "INVALID",
        "NOT_FOUND",
        "INVALID",
        "INVALID",
        "INVALID",
    ]


SOME = """\
- name: some
  kind: security.policy
  policy: {actions: [funcs.call, registry.get], resources: ["t:f", "t:dat*", "t:hidde"], effect: allow}
"""


def test_a_hint_names_only_what_may_be_seen(load_app: LoadApp) -> None:
    body = """
    local _, near = registry.get("t:datum")
    local _, far = registry.get("t:hidde")
    return {near:message(), far:message()}
    """
    near, far = go(load_app, body)
    assert ("did you mean 't:data'?" in near, "did you mean 't:hidden'?" in far) == (True, True)
    app = load_app(SOME + APP + "".join(f"      {line}\n" for line in body.splitlines()) + "    end}\n")

    async def main() -> Any:
        with entered(Context(Actor("u"), Scope([app.policies.policy("t:some")]))):
            async with app:
                return await app.call("t:f")

    near, far = asyncio.run(main())
    assert "did you mean 't:data'?" in near
    assert "hidden" not in far


def test_build_delta(load_app: LoadApp) -> None:
    body = """
    local ops = registry.build_delta(
      {{id = "t:a", kind = "k", meta = {}, data = {}}, {id = "t:c", kind = "k", data = {x = 1}}},
      {{id = "t:b", kind = "k", meta = {}, data = {}}, {id = "t:c", kind = "k", data = {x = 2}}})
    local said = {}
    for i, op in ipairs(ops) do said[i] = op.kind .. " " .. op.entry.id end
    return said
    """
    assert go(load_app, body) == ["entry.delete t:a", "entry.create t:b", "entry.update t:c"]
