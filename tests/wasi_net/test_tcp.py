"""TCP against real peers: the whole state machine, streams, options, quotas."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

import pytest

from tests.wasi_net.net_peers import (
    all_given_back,
    async_code,
    block,
    code,
    connect,
    echo,
    local_network,
    read_all,
    tcp_server,
    wit_address,
    write_all,
)
from wippywasm.errors import Trap
from wippywasm.values import Variant
from wippywasm.wasi.network import Network, Quotas
from wippywasm.wasi.sockets.names import NetworkHandle, NetworkTypes
from wippywasm.wasi.sockets.tcp import TcpCreateSocket, TcpSocket
from wippywasm.wasi.waitables import settled


def new(network: Network, family: Any = "ipv4") -> TcpSocket:
    return TcpCreateSocket(network).create_tcp_socket(family)


def bound(network: Network, host: str = "127.0.0.1", port: int = 0) -> TcpSocket:
    sock = new(network, "ipv6" if ":" in host else "ipv4")
    sock.start_bind(NetworkHandle(network), wit_address(host, port))
    sock.finish_bind()
    return sock


def listening(network: Network, host: str = "127.0.0.1") -> TcpSocket:
    sock = bound(network, host)
    sock.start_listen()
    sock.finish_listen()
    return sock


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_client_talks_to_an_echo(host: str) -> None:
    network = local_network()
    async with tcp_server(echo, host) as port:
        sock, incoming, outgoing = await connect(network, port, host)
        assert sock.remote_address() == wit_address(host, port)
        assert sock.local_address().case == sock.address_family()
        await write_all(outgoing, b"hello")
        assert await settled(incoming.blocking_read(100)) == b"hello"
        sock.shutdown("send")
        assert await read_all(incoming) == b""
        assert code(outgoing.check_write) == Variant("closed")
        for handle in (incoming, outgoing, sock):
            handle.drop()
    assert network.sockets.taken == 0


async def test_megabytes_go_both_ways_with_back_pressure() -> None:
    data = os.urandom(3 << 20)
    async with tcp_server(echo) as port:
        sock, incoming, outgoing = await connect(local_network(), port)

        async def send() -> None:
            await write_all(outgoing, data)
            sock.shutdown("send")

        _, received = await asyncio.gather(send(), read_all(incoming))
        assert received == data
        sock.close()


async def test_a_peer_that_does_not_read_stops_the_writer() -> None:
    async def idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with tcp_server(idle, limit=1024) as port:
        sock, _, outgoing = await connect(local_network(), port)
        total = 0
        while (permit := outgoing.check_write()) and total < (64 << 20):
            outgoing.write(bytes(permit))
            total += permit
        assert total < (64 << 20)
        assert not outgoing.subscribe().ready()
        with pytest.raises(Trap):
            outgoing.write(b"x")
        sock.close()


async def test_a_server_accepts_and_answers() -> None:
    network = local_network()
    server = listening(network)
    assert server.is_listening()
    assert code(server.accept) == "would-block"
    port = server.local_address().payload["port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await block(server.subscribe())
    sock, incoming, outgoing = server.accept()
    writer.write(b"ping")
    assert await settled(incoming.blocking_read(10)) == b"ping"
    await write_all(outgoing, b"pong")
    assert await reader.read(10) == b"pong"
    sock.shutdown("both")
    assert await reader.read(10) == b""
    assert code(incoming.read, 1) == Variant("closed")
    writer.close()
    for handle in (incoming, outgoing, sock, server):
        handle.drop()
    assert network.sockets.taken == 0


async def test_what_was_written_arrives_though_the_socket_is_dropped() -> None:
    received = asyncio.Event()
    sizes: list[int] = []

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        sizes.append(len(await reader.read(-1)))
        received.set()

    network = local_network()
    async with tcp_server(slow) as port:
        sock, incoming, outgoing = await connect(network, port)
        total = 0
        while permit := outgoing.check_write():
            outgoing.write(bytes(permit))
            total += permit
        for handle in (incoming, outgoing, sock):
            handle.drop()
        await asyncio.wait_for(received.wait(), 10)
        assert sizes == [total]
    await all_given_back(network)


async def test_refused_connections_close_the_socket() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        network = local_network()
        sock = new(network)
        sock.start_connect(NetworkHandle(network), wit_address("127.0.0.1", taken.getsockname()[1]))
        await block(sock.subscribe())
        assert code(sock.finish_connect) == "connection-refused"
        assert code(sock.finish_connect) == "not-in-progress"
        assert code(sock.start_connect, NetworkHandle(network), wit_address("127.0.0.1", 1)) == "invalid-state"
        sock.drop()


async def test_a_reset_is_a_failure_with_a_code() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async with tcp_server(reset) as port:
        sock, incoming, _ = await connect(local_network(), port)
        failure = await async_code(incoming.blocking_read(1))
        assert failure.case == "last-operation-failed"
        assert NetworkTypes().network_error_code(failure.payload) == "connection-reset"
        assert code(incoming.read, 1) == Variant("closed")
        sock.close()


@pytest.mark.parametrize(
    ("host", "port"),
    [("0.0.0.0", 80), ("127.0.0.1", 0), ("224.0.0.1", 80), ("255.255.255.255", 80), ("::1", 80), ("::", 80)],
)
def test_what_nothing_connects_to(host: str, port: int) -> None:
    network = local_network()
    sock = new(network)
    assert code(sock.start_connect, NetworkHandle(network), wit_address(host, port)) == "invalid-argument"
    six = new(network, "ipv6")
    if ":" not in host:
        assert code(six.start_connect, NetworkHandle(network), wit_address(f"::ffff:{host}", 80)) == "invalid-argument"


def test_rules_decide_about_connections() -> None:
    network = Network(["127.0.0.1:80"])
    handle = NetworkHandle(network)
    assert code(new(network).start_connect, handle, wit_address("127.0.0.1", 81)) == "access-denied"
    assert code(new(network).start_connect, handle, wit_address("127.0.0.2", 80)) == "access-denied"
    assert code(new(network).start_bind, handle, wit_address("127.0.0.1", 80)) == "access-denied"
    own = new(network)
    own.start_bind(handle, wit_address("0.0.0.0", 0))
    own.finish_bind()
    assert code(own.start_listen) == "access-denied"


def test_another_network_is_refused() -> None:
    network = local_network()
    sock = bound(network)
    other = NetworkHandle(local_network())
    assert code(sock.start_connect, other, wit_address("127.0.0.1", 80)) == "invalid-argument"


def test_states_are_kept() -> None:
    network = local_network()
    handle = NetworkHandle(network)
    sock = new(network)
    for method in (sock.finish_bind, sock.finish_connect, sock.finish_listen):
        assert code(method) == "not-in-progress"
    for other in (sock.accept, sock.start_listen, sock.local_address, sock.remote_address):
        assert code(other) == "invalid-state"
    assert code(sock.shutdown, "both") == "invalid-state"
    sock.start_bind(handle, wit_address("127.0.0.1", 0))
    assert code(sock.start_bind, handle, wit_address("127.0.0.1", 0)) == "concurrency-conflict"
    assert code(sock.start_connect, handle, wit_address("127.0.0.1", 1)) == "concurrency-conflict"
    assert sock.subscribe().ready()
    sock.finish_bind()
    assert code(sock.start_bind, handle, wit_address("127.0.0.1", 0)) == "invalid-state"
    sock.start_listen()
    assert not sock.is_listening()
    sock.finish_listen()
    assert sock.is_listening()
    assert code(sock.start_listen) == "invalid-state"
    assert code(sock.start_connect, handle, wit_address("127.0.0.1", 1)) == "invalid-state"
    assert code(sock.remote_address) == "invalid-state"
    sock.close()


def test_an_address_in_use() -> None:
    network = local_network()
    first = listening(network)
    sock = new(network)
    sock.start_bind(NetworkHandle(network), wit_address("127.0.0.1", first.local_address().payload["port"]))
    assert code(sock.finish_bind) == "address-in-use"
    sock.start_bind(NetworkHandle(network), wit_address("127.0.0.1", 0))
    sock.finish_bind()


def test_an_address_of_another_machine_is_not_bindable() -> None:
    network = Network(listen=["192.0.2.0/24:*"])
    sock = new(network)
    sock.start_bind(NetworkHandle(network), wit_address("192.0.2.1", 0))
    assert code(sock.finish_bind) == "address-not-bindable"


def test_options() -> None:
    sock = new(local_network())
    sock.set_keep_alive_enabled(True)
    assert sock.keep_alive_enabled()
    sock.set_keep_alive_idle_time(1_500_000_000)
    assert sock.keep_alive_idle_time() == 2_000_000_000
    sock.set_keep_alive_interval((1 << 64) - 1)
    assert sock.keep_alive_interval() == 32767 * 10**9
    sock.set_keep_alive_count(1 << 31)
    assert sock.keep_alive_count() == 127
    sock.set_hop_limit(7)
    assert sock.hop_limit() == 7
    sock.set_receive_buffer_size(1 << 63)
    sock.set_send_buffer_size(65536)
    assert sock.receive_buffer_size() > 0
    assert sock.send_buffer_size() == 65536
    sock.set_listen_backlog_size(1 << 40)
    setters = (
        sock.set_keep_alive_idle_time,
        sock.set_keep_alive_interval,
        sock.set_keep_alive_count,
        sock.set_hop_limit,
        sock.set_receive_buffer_size,
        sock.set_send_buffer_size,
        sock.set_listen_backlog_size,
    )
    for setter in setters:
        assert code(setter, 0) == "invalid-argument"


async def test_sockets_are_counted() -> None:
    network = local_network(quotas=Quotas(sockets=2))
    server = listening(network)
    first = new(network)
    assert code(new, network) == "new-socket-limit"
    port = server.local_address().payload["port"]
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await block(server.subscribe())
    assert code(server.accept) == "new-socket-limit"
    first.drop()
    sock, *_ = server.accept()
    sock.close()
    server.close()
    writer.close()
    assert network.sockets.taken == 0


async def test_a_socket_outlives_its_streams() -> None:
    async with tcp_server(echo) as port:
        sock, incoming, outgoing = await connect(local_network(), port)
        pollable = incoming.subscribe()
        with pytest.raises(Trap, match="depend on it"):
            sock.drop()
        with pytest.raises(Trap, match="depend on it"):
            incoming.drop()
        for handle in (pollable, incoming, outgoing, sock):
            handle.drop()
