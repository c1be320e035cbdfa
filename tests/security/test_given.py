"""What guests are given, folders, variables and connections, is asked of whoever they act for, at each call."""

from __future__ import annotations

import asyncio
import gc
import logging
import textwrap
from typing import Any

import pytest

from tests.security.apps import STRICT
from tests.security.conftest import LoadApp
from tests.security.policies import policy
from tests.wasi_net import net_guests
from tests.wasi_net.http_client import answering
from tests.wasi_net.net_peers import echo, tcp_server
from wippywasm import App
from wippywasm.app.context import Actor, Context, entered
from wippywasm.app.functions.network import entry_network
from wippywasm.app.security import Guard, Policy, Scope
from wippywasm.errors import PermissionDeniedError
from wippywasm.wasi.network.addresses import parse_address

CALLS = policy("t:calls", actions="funcs.call")
DATA = policy("t:data", actions="fs.get", resources="t:data")
NO_WRITES = policy("t:no_writes", actions="fs.get", effect="deny")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ACCESS_DENIED = 1


def user(*policies: Policy) -> Context:
    return Context(Actor("user"), Scope(policies))


def counter(pool: str) -> str:
    """A guest that counts its calls; it has two mounts."""
    return f"""
- {{name: data, kind: fs.directory, directory: data, auto_init: true}}
- {{name: other, kind: fs.directory, directory: other, auto_init: true}}
- name: count
  kind: function.wat
  method: count
  imports: [wasi:filesystem]
  wasi: {{mounts: [{{fs: data, guest: /data, read_only: true}}, {{fs: other, guest: /other}}]}}
  pool: {pool}
  wit: "count: func() -> s32;"
  source: |
    (module (global $n (mut i32) (i32.const 0))
      (func (export "count") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))
"""


@pytest.mark.parametrize("pool", ["{workers: 1}", "{worker_class: wasm, workers: 1}"])
def test_each_mount_is_asked_before_the_guest_runs(load_app: LoadApp, pool: str) -> None:
    """One instance serves both; the refused call leaves its count as it was."""
    both = policy("t:both", actions="fs.get", resources="t:*")

    async def go(app: App) -> None:
        async with app:
            with entered(user(CALLS, both)):
                assert await app.call("t:count") == 1
            with entered(user(CALLS, DATA)), pytest.raises(PermissionDeniedError, match=r"may not fs.get 't:other'"):
                await app.call("t:count")
            with entered(user(CALLS, both)):
                assert await app.call("t:count") == 2

    asyncio.run(go(load_app(counter(pool))))


def test_in_strict_mode_nobody_has_mounts(load_app: LoadApp) -> None:
    async def go(app: App) -> None:
        async with app:
            with pytest.raises(PermissionDeniedError, match="strict_mode"):
                await app.call("t:count")

    asyncio.run(go(load_app(counter("{type: inline}"), _dot_wippy_dot_yaml=STRICT)))


def test_variables_are_asked_by_their_public_names(load_app: LoadApp) -> None:
    entries = """
- {name: memory, kind: env.storage.memory}
- {name: secret, kind: env.variable, variable: SECRET, storage: memory, default: s}
- {name: plain, kind: env.variable, variable: PLAIN, storage: memory, default: p}
- name: reads
  kind: function.lua
  method: main
  modules: [env]
  source: |
    local env = require("env")
    return {main = function(key) if key then return env.get(key) end return env.get_all() end}
- name: writes
  kind: function.lua
  method: main
  modules: [env]
  source: |
    local env = require("env")
    return {main = function(key) return env.set(key, "new") end}
"""
    reads = policy("t:reads", actions="env.get", resources="PLAIN")

    async def go(app: App) -> None:
        async with app:
            with entered(user(CALLS, reads)):
                assert await app.call("t:reads", "PLAIN") == "p"
                assert await app.call("t:reads", "t:plain") == "p"
                assert await app.call("t:reads") == {"PLAIN": "p"}
                for key in ("SECRET", "t:secret"):
                    with pytest.raises(PermissionDeniedError, match=r"may not env.get 'SECRET'"):
                        await app.call("t:reads", key)
                with pytest.raises(PermissionDeniedError, match=r"may not env.set 'PLAIN'"):
                    await app.call("t:writes", "PLAIN")

    asyncio.run(go(load_app(entries)))


# networks


def test_rules_come_first_then_policies(caplog: pytest.LogCaptureFixture) -> None:
    """Connections and datagrams, by address and by name; each refusal is one line."""
    guard = Guard()
    network = entry_network({"allow": ["10.1.0.0/16:*", "[2606:4700::]:443", "db.example:443"]}, guard)
    only = policy("t:only", actions="network.connect", resources="10.1.*:5432")
    ten, six, public = (parse_address(a) for a in ("10.1.2.3", "2606:4700::", "93.184.216.34"))
    assert ten is not None
    assert six is not None
    assert public is not None
    assert network.resolved("db.example", [public]) == [public]
    with caplog.at_level(logging.WARNING, "wippywasm.audit"), entered(user(only)):
        assert network.check_connect(ten, 5432).allowed
        assert not network.check_connect(ten, 5433).allowed
        assert not network.check_connect(six, 443).allowed
        assert not network.check_connect(public, 443, "db.example", action="send").allowed
        assert not network.check_connect(public, 80).allowed
    facts = [getattr(record, "denial") for record in caplog.records]  # noqa: B009  (the logger's own attribute)
    assert [(f["action"], f["resource"], f["reason"]) for f in facts] == [
        ("network.connect", "10.1.2.3:5433", "no policy allows it"),
        ("network.connect", "[2606:4700::]:443", "no policy allows it"),
        ("network.connect", "db.example:443", "no policy allows it"),
        ("network.connect", "93.184.216.34:80", "no rule opens it"),
    ]
    assert guard.denials == {"network.connect": 4}


def guest(name: str, source: str, world: str, method: str, network: str, pool: str = "{workers: 1}") -> str:
    wit = textwrap.indent(net_guests.world(world), "    ")
    return f"""
- name: {name}
  kind: function.wat
  method: {method}
  imports: [wasi:io, wasi:sockets, wasi:http]
  network: {network}
  pool: {pool}
  wit: |
{wit}
  source: |
{textwrap.indent(source, "    ")}
"""


def tcp(network: str, pool: str = "{workers: 1}") -> str:
    return guest("tcp", net_guests.TCP, net_guests.TCP_WORLD, "echo", network, pool)


@pytest.mark.parametrize("pool", ["{workers: 1}", "{worker_class: wasm, workers: 2}"])
def test_sockets_reach_what_rules_and_policies_let_them(load_app: LoadApp, pool: str) -> None:
    async def go(app: App, port: int) -> None:
        connects = policy("t:connects", actions="network.connect", resources=f"127.0.0.1:{port}")
        async with app:
            with entered(user(CALLS, connects)):
                answers = await asyncio.gather(*(app.call("t:tcp", port, b"%d" % i) for i in range(6)))
            assert answers == [b"%d" % i for i in range(6)]

    async def serve() -> None:
        async with tcp_server(echo) as port:
            await go(load_app(tcp(f"{{allow: ['127.0.0.1:{port}']}}", pool)), port)

    asyncio.run(serve())


TRY = {
    "no rule": ("{allow: []}", "*", False),
    "a rule of all addresses opens no private one": ("{allow: ['0.0.0.0/0:*']}", "*", False),
    "a rule": ("{allow: ['127.0.0.1:*']}", "*", True),
    "no policy": ("{allow: ['127.0.0.1:*']}", "10.*", False),
}


@pytest.mark.parametrize(("network", "resources", "reaches"), TRY.values(), ids=TRY)
@pytest.mark.parametrize("pool", ["{workers: 1}", "{worker_class: wasm, workers: 1}"])
def test_a_socket_is_refused_before_it_connects(
    load_app: LoadApp, network: str, resources: str, reaches: bool, pool: str
) -> None:
    entries = guest("tries", net_guests.TCP, net_guests.TCP_WORLD, "try-connect", network, pool)
    connected: list[Any] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        await reader.read()

    async def go(app: App) -> None:
        connects = policy("t:connects", actions="network.connect", resources=resources)
        async with tcp_server(accept) as port, app:
            with entered(user(CALLS, connects)):
                assert await app.call("t:tries", port) == (-1 if reaches else ACCESS_DENIED)
            assert not connected or reaches

    asyncio.run(go(load_app(entries)))


@pytest.mark.parametrize("strict", [False, True])
def test_requests_are_connections_too(load_app: LoadApp, strict: bool) -> None:
    entries = guest("get", net_guests.GET, net_guests.GET_WORLD, "get", "{allow: ['127.0.0.1:*']}", "{type: inline}")

    async def go(app: App) -> None:
        async with tcp_server(answering(ANSWER)) as port, app:
            authority = b"127.0.0.1:%d" % port
            connects = policy("t:connects", actions="network.connect", resources=f"127.0.0.1:{port}")
            with entered(user(CALLS, connects)):
                assert await app.call("t:get", authority) == b"hello"
            with entered(user(CALLS)):
                assert await app.call("t:get", authority) != b"hello"
            assert (await app.call("t:get", authority) == b"hello") is not strict

    asyncio.run(go(load_app(entries, _dot_wippy_dot_yaml=STRICT if strict else "{}")))


def test_a_refused_request_keeps_no_view_of_the_guests_memory(load_app: LoadApp) -> None:
    """Such a view has to be let go of in the guest's own thread on wasmer, and the collector runs in any."""
    gc.disable()
    try:
        test_requests_are_connections_too(load_app, strict=False)
    finally:
        gc.enable()
    gc.collect()
