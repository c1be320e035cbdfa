"""What can't be an id is refused as such at every door; one that names nothing is not found. Spec: SPEC section 2."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app.ids import split_id
from wippywasm.errors import InvalidError, NotFoundError

DOORS = """\
- {name: host, kind: process.host}
- name: f
  kind: function.lua
  modules: [funcs, fs, registry, security]
  method: main
  source: |
    local fs, funcs, registry, security = require("fs"), require("funcs"), require("registry"), require("security")
    local doors = {
      call = funcs.call, async = funcs.async, executor = function(id) return funcs.new():call(id) end,
      spawn = function(id) return process.spawn(id, "t:host") end,
      host = function(id) return process.spawn("t:f", id) end,
      exec = function(id) return process.exec(id, "t:host") end,
      registry = registry.get, snapshot = function(id) return registry.snapshot():get(id) end,
      policy = security.policy, named_scope = security.named_scope, fs = fs.get,
    }
    return {main = function(door, id)
      local value, err = doors[door](id)
      if door == "async" and value then value, err = value:await() end
      return {value == nil, err:kind(), err:message()}
    end}
"""
NAMES = ["call", "async", "executor", "spawn", "host", "exec", "registry", "snapshot", "policy", "named_scope", "fs"]
NO_IDS = ["", ":", "x:", ":x", "a b:c", "a:b c", "a:b:c", "t:ü", "t:" + "x" * 300]


def test_doors_of_lua(load_app: LoadApp) -> None:
    async def tried() -> list[Any]:
        async with load_app(DOORS) as app:
            return [(d, id, await app.call("t:f", d, id)) for d in NAMES for id in [*NO_IDS, "t:nothing"]]

    for door, id, (failed, kind, message) in asyncio.run(tried()):
        expected = "INVALID" if id != "t:nothing" or door == "host" else "NOT_FOUND"
        assert (failed, kind) == (True, expected), f"{door} {id!r}: {message}"


def test_a_name_without_its_namespace(load_app: LoadApp) -> None:
    async def tried() -> list[Any]:
        async with load_app(DOORS) as app:
            return [(door, await app.call("t:f", door, "nothing")) for door in NAMES]

    for door, (failed, kind, message) in asyncio.run(tried()):
        # a folder may be called by the name that it has in the caller's own namespace
        assert (failed, kind) == (True, "NOT_FOUND" if door == "fs" else "INVALID"), door
        assert door == "fs" or "'nothing' has no namespace" in message


def test_doors_of_python(load_app: LoadApp) -> None:
    async def test() -> None:
        async with load_app(DOORS) as app:
            for id in NO_IDS:
                with pytest.raises(InvalidError):
                    await app.call(id)
                with pytest.raises(InvalidError):
                    app.registry.get(id)
            with pytest.raises(InvalidError) as caught:
                await app.call("f")
            assert caught.value.hint == "an id has its namespace in front: 't:f'"
            with pytest.raises(NotFoundError):
                await app.call("t:nothing")

    asyncio.run(test())


@pytest.mark.parametrize(
    ("id", "words"),
    [
        (None, "got nothing"),
        (5, "got a number"),
        ("", "got an empty text"),
        ("x", "'x' has no namespace"),
        ("x:", "the name of 'x:' is empty"),
        (":x", "the namespace of ':x' is empty"),
        ("a:b c", "other characters"),
    ],
)
def test_what_is_wrong_is_said(id: Any, words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        split_id(id)
