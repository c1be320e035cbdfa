"""Name lookup: rules, failures, quotas, and that nothing of it blocks."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.wasi_net.net_peers import block, code, connect, echo, tcp_server, wit_address
from wippywasm.wasi.network import Decision, Network, Quotas
from wippywasm.wasi.sockets.names import InstanceNetwork, NameLookup, ResolveAddressStream
from wippywasm.wasi.sockets.tcp import TcpCreateSocket


def resolver(**known: Any) -> Any:
    def resolve(name: str) -> Sequence[str]:
        found = known.get(name.replace(".", "_"), OSError("unknown"))
        if isinstance(found, Exception):
            raise found
        return list(found)

    return resolve


def start(network: Network, name: str) -> ResolveAddressStream:
    return NameLookup(network).resolve_addresses(InstanceNetwork(network).instance_network(), name)


async def look_up(network: Network, name: str) -> list[Any]:
    stream = start(network, name)
    await block(stream.subscribe())
    found = []
    while (address := stream.resolve_next_address()) is not None:
        found.append(address)
    stream.drop()
    return found


async def test_addresses_come_in_order_and_once() -> None:
    addresses = ["2606:4700::1111", "1.1.1.1", "::ffff:1.1.1.1", "10.0.0.1", "nonsense"]
    network = Network(["*.example.com:443"], resolver=resolver(a_example_com=addresses))
    shown = [address.payload for address in await look_up(network, "A.Example.com.")]
    assert shown == [(0x2606, 0x4700, 0, 0, 0, 0, 0, 0x1111), (1, 1, 1, 1)]


async def test_literals_are_not_looked_up() -> None:
    network = Network(resolver=resolver())
    assert [a.payload for a in await look_up(network, "127.0.0.1")] == [(127, 0, 0, 1)]
    assert [a.case for a in await look_up(network, "fe80::1")] == ["ipv6"]


async def test_localhost_is_this_machine() -> None:
    found = await look_up(Network(["localhost:80"]), "localhost")
    assert [address.payload for address in found] == [(127, 0, 0, 1), (0, 0, 0, 0, 0, 0, 0, 1)]


@pytest.mark.parametrize("name", ["", "a b", "a..b", "x" * 300, "a/b", "[::1]", "-x.com", "fe80::1%eth0"])
def test_what_is_no_name(name: str) -> None:
    assert code(start, Network(["*:*"]), name) == "invalid-argument"


def test_names_without_a_rule_are_not_asked_for() -> None:
    asked: list[str] = []

    def resolve(name: str) -> Sequence[str]:
        asked.append(name)
        return ["1.1.1.1"]

    seen: list[Decision] = []
    network = Network(["example.com:443", "0.0.0.0/0:*"], resolver=resolve, audit=seen.append)
    assert code(start, network, "secret.evil.example") == "access-denied"
    assert asked == []
    assert (seen[0].action, seen[0].host, seen[0].allowed) == ("resolve", "secret.evil.example", False)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no"), "name-unresolvable"),
        (socket.gaierror(socket.EAI_AGAIN, "no"), "temporary-resolver-failure"),
        (socket.gaierror(socket.EAI_FAIL, "no"), "permanent-resolver-failure"),
        (ValueError("a bug of the owner's"), "permanent-resolver-failure"),
        ([], "name-unresolvable"),
        (["10.0.0.1"], "access-denied"),
    ],
)
async def test_failures(failure: Any, expected: str) -> None:
    stream = start(Network(["a.b:1"], resolver=resolver(a_b=failure)), "a.b")
    await block(stream.subscribe())
    assert code(stream.resolve_next_address) == expected
    assert code(stream.resolve_next_address) == expected


async def test_a_slow_name_server_stops_nobody() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    def resolve(name: str) -> Sequence[str]:
        time.sleep(0.2)
        return ["1.1.1.1"]

    stream = start(Network(["a.b:1"], resolver=resolve), "a.b")
    assert code(stream.resolve_next_address) == "would-block"
    ticking = asyncio.create_task(tick())
    await block(stream.subscribe())
    ticking.cancel()
    assert stream.resolve_next_address() is not None
    assert ticks > 5


def test_lookups_are_counted_until_they_end() -> None:
    go_on = threading.Event()

    def resolve(name: str) -> Sequence[str]:
        go_on.wait(10)
        return ["1.1.1.1"]

    network = Network(["a.b:1"], resolver=resolve, quotas=Quotas(lookups=2))
    first, second = start(network, "a.b"), start(network, "a.b")
    first.drop()
    assert code(start, network, "a.b") == "temporary-resolver-failure"
    go_on.set()
    asyncio.run(second.ready())
    for _ in range(200):
        if network.lookups.taken == 0:
            break
        time.sleep(0.01)
    start(network, "a.b")


async def test_a_name_that_is_bound_anew_opens_nothing() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    async with tcp_server(echo) as port:
        network = Network([f"evil.example:{port}"], resolver=lambda name: answers.pop(0))
        assert len(await look_up(network, "evil.example")) == 1
        stream = start(network, "evil.example")
        await block(stream.subscribe())
        assert code(stream.resolve_next_address) == "access-denied"
        sock = TcpCreateSocket(network).create_tcp_socket("ipv4")
        handle = InstanceNetwork(network).instance_network()
        assert code(sock.start_connect, handle, wit_address("127.0.0.1", port)) == "access-denied"


async def test_localhost_by_name() -> None:
    async with tcp_server(echo) as port:
        network = Network([f"localhost:{port}"])
        handle = InstanceNetwork(network).instance_network()
        sock = TcpCreateSocket(network).create_tcp_socket("ipv4")
        assert code(sock.start_connect, handle, wit_address("127.0.0.1", port)) == "access-denied"
        await look_up(network, "localhost")
        sock, *_ = await connect(network, port)
        sock.close()
