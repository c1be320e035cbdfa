"""A thousand guests that wait for different things share one event loop, and nothing holds its thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.wasi.conftest import Load
from tests.wasi.loop_guard import BlockedLoopError, loop_guard
from tests.wasi.test_wasi_run import CAT
from tests.wasi.test_wasi_waiting import SLEEPER, SLEEPER_WORLD
from tests.wasi.wasi_guests import world
from tests.wasi_net import net_guests
from tests.wasi_net.http_client import answering
from tests.wasi_net.net_peers import echo, tcp_server, udp_echo
from wippywasm.instance.linked_component import LinkedComponent
from wippywasm.wasi import Capture, Wasi, run_command_async
from wippywasm.wasi.network import Network, Quotas

FILES = Path(__file__).resolve().parents[1] / "guests/files.wasm"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
GUESTS = {"wasmtime": 1000, "wasmer": 60}
"""On wasmer, a guest that waits holds a thread of its own."""
Guest = Callable[[int], Awaitable[None]]


# ---- the guard itself


def pipe_read() -> None:
    reading, writing = os.pipe()
    try:
        os.read(reading, 1)
    finally:
        os.close(reading)
        os.close(writing)


def blocking_socket() -> None:
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", 9))


@pytest.mark.parametrize(
    "act",
    [
        lambda: time.sleep(0.01),
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: threading.Event().wait(0.01),
        lambda: concurrent.futures.Future[None]().result(0.01),
        pipe_read,
        blocking_socket,
    ],
)
def test_the_guard_sees_what_blocks(act: Callable[[], None]) -> None:
    async def main() -> None:
        act()

    with loop_guard() as blocked, pytest.raises(BlockedLoopError):
        asyncio.run(main())
    assert len(blocked) == 1


def test_the_guard_lets_the_rest_be(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "file").write_text("text")
        await asyncio.sleep(0.001)
        await asyncio.to_thread(time.sleep, 0.001)

    with loop_guard() as blocked:
        asyncio.run(main())
        time.sleep(0.001)
    assert blocked == []


# ---- guests


class Crowd:
    """Guests of every kind, by number."""

    def __init__(self, load: Load, folder: Path, ports: dict[str, int]) -> None:
        self.ports = ports
        self.folder = folder
        sleeper: Any = load(SLEEPER, wit=world(SLEEPER_WORLD))
        sleeper.kind = "component"
        self.sleeper, self.cat, self.files = sleeper, load(CAT), load(FILES)
        many = Quotas(sockets=1000)  # they may all be at it at once
        self.wasi = Wasi(network=Network(["127.0.0.1:*"], listen=["127.0.0.1:*"], quotas=many))
        self.tcp = self.linked(load, net_guests.TCP, net_guests.TCP_WORLD)
        self.udp = self.linked(load, net_guests.UDP, net_guests.UDP_WORLD)
        self.get = self.linked(load, net_guests.GET, net_guests.GET_WORLD)
        self.datagrams = asyncio.Semaphore(10)
        """Of many more at once the system drops some."""
        self.kinds: list[Guest] = [
            self.sleeps,
            self.reads_input,
            self.reads_files,
            self.talks_tcp,
            self.talks_udp,
            self.asks_http,
        ]

    def linked(self, load: Load, text: str, items: str) -> LinkedComponent:
        granted = self.wasi.imports(["wasi:io", "wasi:sockets", "wasi:http"])
        return load(text, wit=net_guests.world(items)).link(granted)

    async def run(self, number: int) -> None:
        await self.kinds[number % len(self.kinds)](number)

    async def sleeps(self, number: int) -> None:
        assert await run_command_async(self.sleeper, Wasi(stdout=None, stderr=None)) == 0

    async def reads_input(self, number: int) -> None:
        parts = [b"", b"two", b"one "]

        async def read(limit: int) -> bytes:
            await asyncio.sleep(0.001)
            return parts.pop()

        out = Capture()
        assert await run_command_async(self.cat, Wasi(stdin=read, stdout=out)) == 0
        assert out.data == b"one two"

    async def reads_files(self, number: int) -> None:
        name, out = f"/data/{number}", Capture()
        for words in (["write", name, str(number)], ["cat", name]):
            with Wasi(args=["files", *words], stdout=out, mounts={"/data": self.folder}) as wasi:
                assert await run_command_async(self.files, wasi) == 0
        assert out.text == f"ok\n{number}\n"

    async def talks_tcp(self, number: int) -> None:
        with await self.tcp.instantiate_async() as guest:
            assert await guest.call_async("echo", self.ports["tcp"], b"%d" % number) == b"%d" % number

    async def talks_udp(self, number: int) -> None:
        with await self.udp.instantiate_async() as guest:
            async with self.datagrams:
                assert await guest.call_async("echo", self.ports["udp"], b"%d" % number) == b"%d" % number

    async def asks_http(self, number: int) -> None:
        with await self.get.instantiate_async() as guest:
            assert await guest.call_async("get", b"127.0.0.1:%d" % self.ports["http"]) == b"hello"


def test_a_crowd_of_guests_shares_one_loop(load: Load, engine: str, tmp_path: Path) -> None:
    async def main() -> None:
        many: Any = {"backlog": 1000}
        async with tcp_server(echo, **many) as tcp, tcp_server(answering(ANSWER), **many) as http, udp_echo() as udp:
            crowd = Crowd(load, tmp_path, {"tcp": tcp, "http": http, "udp": udp})
            await asyncio.gather(*(crowd.run(number) for number in range(GUESTS[engine])))
            crowd.wasi.close()

    with loop_guard() as blocked:
        asyncio.run(main())
    assert blocked == []
