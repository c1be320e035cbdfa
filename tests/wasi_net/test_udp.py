"""UDP against real peers: streams, permits, rules."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tests.wasi_net.net_peers import block, code, local_network, udp_echo, wit_address
from wippywasm.errors import Trap
from wippywasm.wasi.network import Network
from wippywasm.wasi.sockets.names import NetworkHandle
from wippywasm.wasi.sockets.udp import UdpCreateSocket, UdpSocket


def bound(network: Network, host: str = "127.0.0.1") -> UdpSocket:
    sock = UdpCreateSocket(network).create_udp_socket("ipv6" if ":" in host else "ipv4")
    sock.start_bind(NetworkHandle(network), wit_address(host, 0))
    sock.finish_bind()
    return sock


def to(data: bytes, port: int | None = None, host: str = "127.0.0.1") -> dict[str, Any]:
    return {"data": data, "remote-address": None if port is None else wit_address(host, port)}


async def receive(incoming: Any) -> Any:
    while True:
        await block(incoming.subscribe())
        found = incoming.receive(100)
        if found:
            return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_datagrams_come_back(host: str) -> None:
    network = local_network()
    async with udp_echo(host) as port:
        sock = bound(network, host)
        incoming, outgoing = sock.stream(None)
        assert incoming.receive(10) == []
        assert outgoing.check_send() == 16
        assert outgoing.send([to(b"one", port, host)]) == 1
        assert await receive(incoming) == [{"data": b"one", "remote-address": wit_address(host, port)}]
        assert code(sock.remote_address) == "invalid-state"
        for handle in (incoming, outgoing, sock):
            handle.drop()
    assert network.sockets.taken == 0


async def test_connected_streams_need_no_address_and_hear_nobody_else() -> None:
    async with udp_echo() as port, udp_echo() as other:
        sock = bound(local_network())
        incoming, outgoing = sock.stream(wit_address("127.0.0.1", port))
        assert sock.remote_address() == wit_address("127.0.0.1", port)
        outgoing.check_send()
        assert outgoing.send([to(b"a"), to(b"b", port)]) == 2
        assert code(outgoing.send, [to(b"c", other)]) == "invalid-argument"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"x", ("127.0.0.1", sock.local_address().payload["port"]))
        await asyncio.sleep(0.05)
        assert [d["data"] for d in incoming.receive(10)] == [b"a", b"b"]
        sock.close()


async def test_newer_streams_end_earlier_ones() -> None:
    async with udp_echo() as port:
        sock = bound(local_network())
        where = sock.local_address()
        first, sender = sock.stream(wit_address("127.0.0.1", port))
        incoming, outgoing = sock.stream(None)
        assert sock.local_address() == where
        assert code(first.receive, 1) == "invalid-state"
        assert code(sender.check_send) == "invalid-state"
        assert first.subscribe().ready()
        outgoing.check_send()
        assert code(outgoing.send, [to(b"nowhere")]) == "invalid-argument"
        outgoing.check_send()
        assert outgoing.send([to(b"again", port)]) == 1
        assert (await receive(incoming))[0]["data"] == b"again"
        sock.close()


async def test_permits_are_kept() -> None:
    async with udp_echo() as port:
        sock = bound(local_network())
        incoming, outgoing = sock.stream(wit_address("127.0.0.1", port))
        with pytest.raises(Trap, match="0 were permitted"):
            outgoing.send([to(b"x")])
        assert outgoing.check_send() == 16
        assert outgoing.send([to(b"x")] * 10) == 10
        with pytest.raises(Trap, match="6 were permitted"):
            outgoing.send([to(b"x")] * 7)
        assert incoming.receive(0) == []
        await asyncio.sleep(0.05)
        assert len(incoming.receive(4)) == 4
        assert len(incoming.receive(1 << 63)) == 6
        with pytest.raises(Trap, match="depend on it"):
            sock.drop()
        sock.close()


async def test_only_those_who_may_be_sent_to_are_heard() -> None:
    async with udp_echo() as port:
        network = Network([f"127.0.0.1:{port}"])
        sock = bound(network, "0.0.0.0")
        incoming, outgoing = sock.stream(None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"stranger", ("127.0.0.1", sock.local_address().payload["port"]))
        outgoing.check_send()
        assert code(outgoing.send, [to(b"x", port + 1 if port < 65535 else 1)]) == "access-denied"
        outgoing.check_send()
        outgoing.send([to(b"friend", port)])
        assert [d["data"] for d in await receive(incoming)] == [b"friend"]
        assert code(sock.stream, wit_address("127.0.0.2", port)) == "access-denied"
        sock.close()


async def test_a_server_hears_everybody() -> None:
    network = Network(listen=["127.0.0.1:*"])
    sock = bound(network)
    incoming, _ = sock.stream(None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"hi", ("127.0.0.1", sock.local_address().payload["port"]))
    assert [d["data"] for d in await receive(incoming)] == [b"hi"]
    sock.close()


async def test_a_port_where_nobody_is() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sock = bound(local_network())
    incoming, outgoing = sock.stream(wit_address("127.0.0.1", port))
    outgoing.check_send()
    outgoing.send([to(b"x")])
    await block(incoming.subscribe())
    assert code(incoming.receive, 1) == "connection-refused"
    sock.close()


def test_datagrams_that_are_too_large() -> None:
    sock = bound(local_network())
    _, outgoing = sock.stream(None)
    outgoing.check_send()
    assert code(outgoing.send, [to(bytes(65536), 9)]) == "datagram-too-large"
    outgoing.check_send()
    assert code(outgoing.send, [to(bytes(65530), 9)]) == "datagram-too-large"


def test_states_and_options() -> None:
    network = local_network()
    sock = UdpCreateSocket(network).create_udp_socket("ipv4")
    assert code(sock.stream, None) == "invalid-state"
    assert code(sock.local_address) == "invalid-state"
    assert code(sock.finish_bind) == "not-in-progress"
    assert code(sock.start_bind, NetworkHandle(network), wit_address("::1", 0)) == "invalid-argument"
    sock.start_bind(NetworkHandle(network), wit_address("127.0.0.1", 0))
    assert code(sock.start_bind, NetworkHandle(network), wit_address("127.0.0.1", 0)) == "concurrency-conflict"
    sock.finish_bind()
    assert sock.subscribe().ready()
    sock.set_unicast_hop_limit(3)
    assert sock.unicast_hop_limit() == 3
    sock.set_receive_buffer_size(10000)
    assert sock.receive_buffer_size() >= 10000
    for setter in (sock.set_unicast_hop_limit, sock.set_receive_buffer_size, sock.set_send_buffer_size):
        assert code(setter, 0) == "invalid-argument"
    for host, port in (("0.0.0.0", 9), ("127.0.0.1", 0), ("::1", 9)):
        assert code(sock.stream, wit_address(host, port)) == "invalid-argument"
