"""Real peers on loopback, and small helpers to play the guest in Python."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from ipaddress import ip_address
from typing import Any

from wippywasm.errors import WitError
from wippywasm.values import Variant
from wippywasm.wasi.network import Network
from wippywasm.wasi.pollables import Pollable
from wippywasm.wasi.sockets.addresses import Endpoint
from wippywasm.wasi.sockets.names import NetworkHandle
from wippywasm.wasi.sockets.tcp import TcpCreateSocket, TcpSocket
from wippywasm.wasi.streams import InputStream, OutputStream
from wippywasm.wasi.waitables import settled

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def wit_address(host: str, port: int) -> Variant:
    return Endpoint(ip_address(host), port).to_wit()


def local_network(**options: Any) -> Network:
    return Network(["127.0.0.0/8:*", "[::1]:*"], listen=["127.0.0.1:*", "[::1]:*"], **options)


@contextlib.asynccontextmanager
async def tcp_server(handler: Handler, host: str = "127.0.0.1", **options: Any) -> AsyncIterator[int]:
    """A server; gives its port. A handler's connection is closed when it returns."""
    tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks[task] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, host, 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await asyncio.sleep(0.01)  # those that have just connected are served, so that they can be ended
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in tasks.values():
            writer.transport.abort()
        await asyncio.sleep(0.001)


@contextlib.contextmanager
def threaded_server(handler: Handler) -> Iterator[int]:
    """The same in a thread with a loop of its own, for guests that are called without one."""
    ports: list[int] = []
    started, loops, stops = threading.Event(), list[asyncio.AbstractEventLoop](), list[asyncio.Event]()

    async def main() -> None:
        stops.append(asyncio.Event())
        loops.append(asyncio.get_running_loop())
        async with tcp_server(handler) as port:
            ports.append(port)
            started.set()
            await stops[0].wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    started.wait(10)
    try:
        yield ports[0]
    finally:
        loops[0].call_soon_threadsafe(stops[0].set)
        thread.join(10)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


class EchoDatagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.transport.sendto(data, address)


@contextlib.asynccontextmanager
async def udp_echo(host: str = "127.0.0.1") -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(EchoDatagrams, (host, 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def code(call: Callable[..., Any], *args: Any) -> Any:
    """The payload of the error that a call fails with."""
    try:
        value = call(*args)
    except WitError as error:
        return error.payload
    raise AssertionError(f"it did not fail, it gave {value!r}")


async def async_code(awaitable: Any) -> Any:
    """The same for one that waits."""
    try:
        value = await settled(awaitable)
    except WitError as error:
        return error.payload
    raise AssertionError(f"it did not fail, it gave {value!r}")


async def block(pollable: Pollable) -> None:
    """Wait as guests do, and drop the pollable."""
    await settled(pollable.block())
    pollable.drop()


async def connect(network: Network, port: int, host: str = "127.0.0.1") -> tuple[TcpSocket, InputStream, OutputStream]:
    sock = TcpCreateSocket(network).create_tcp_socket("ipv6" if ":" in host else "ipv4")
    sock.start_connect(NetworkHandle(network), wit_address(host, port))
    await block(sock.subscribe())
    return (sock, *sock.finish_connect())


async def read_all(stream: InputStream, chunk: int = 65536) -> bytes:
    """Until the stream is closed."""
    found: list[bytes] = []
    while True:
        try:
            found.append(await settled(stream.blocking_read(chunk)))
        except WitError as error:
            if error.payload == Variant("closed"):
                return b"".join(found)
            raise


async def write_all(stream: OutputStream, data: bytes) -> None:
    await settled(stream.write_out(data))


async def all_given_back(network: Network) -> None:
    """Wait until no socket is left: some guests end in a thread of their own, and some sockets have to linger."""
    for _ in range(500):
        if not network.sockets.taken:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{network.sockets.taken} sockets are left")
