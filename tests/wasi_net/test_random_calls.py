"""Every function of every WASI interface with random values: nothing but what WIT says comes out, and nothing is kept.

A guest may pass whatever has the right type. So each call ends with a result or an error of its type, or with a trap;
and after the guest has ended, all quotas are where they were.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.wasi_net.http_client import OK as FOUND
from tests.wasi_net.http_client import answering
from tests.wasi_net.net_peers import echo, tcp_server, wit_address
from tests.wasi_net.random_values import NoResource, Values
from wippywasm.abi.fit import fit
from wippywasm.errors import Trap, WitError
from wippywasm.instance.names import snake
from wippywasm.instance.offered import HostInterface, OfferedTypes, offered_types
from wippywasm.model import FuncType, ResultType
from wippywasm.values import Err, Ok, Variant
from wippywasm.wasi import Capture, FakeClock, MemoryDirectory, Wasi
from wippywasm.wasi.http import RequestHead
from wippywasm.wasi.http.incoming import IncomingRequest, ResponseOutparam, ServedBody
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.budget import Budget
from wippywasm.wasi.sources import BytesSource
from wippywasm.wasi.waitables import settled

CALLS = 1500
ENDING = {"exit", "exit-with-code"}
ANSWER = FOUND + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: y\r\n\r\n"


class AnyHandle:
    """For `fit`: resources are not looked at."""

    def problem(self, value: Any, t: Any) -> None:
        return None


class Caller:
    """A guest that calls at random whatever it has the resources for, the least called first."""

    def __init__(self, wasi: Wasi, seed: int, ports: list[int]) -> None:
        self.hosts = {host.wit: host for host in wasi.interfaces}
        self.values = Values(random.Random(seed), ports)
        self.calls: Counter[str] = Counter()
        self.functions: list[tuple[HostInterface, str, FuncType]] = [
            (host, name, type)
            for host in wasi.interfaces
            for name, type in types(host.wit).functions.items()
            if name not in ENDING
        ]

    def give(self, wit: str, name: str, *resources: Any) -> None:
        self.values.held[types(wit).resources[name]] += resources

    async def one(self) -> None:
        if self.values.chance.random() < 0.05:
            self._drop()
            return
        host, name, type = self._choose()
        self.calls[name] += 1
        try:
            args = [self.values.of(p.type, p.name) for p in type.params]
            outcome = await asyncio.wait_for(settled(function(host, name, args)(*args)), 0.02)
        except (asyncio.TimeoutError, NoResource, Trap):
            return
        except WitError as error:
            outcome = Err(error.payload)
        self._check(name, type, outcome)

    def _check(self, name: str, type: FuncType, outcome: Any) -> None:
        if isinstance(type.result, ResultType) and not isinstance(outcome, Ok | Err):
            outcome = Ok(outcome)
        if type.result is None:
            assert outcome is None, name
            return
        fit(type.result, outcome, name, AnyHandle())
        self.values.keep(type.result, outcome)

    def _choose(self) -> tuple[HostInterface, str, FuncType]:
        able = [f for f in self.functions if not any(self.values.lacks(p.type) for p in f[2].params)]
        some = self.values.chance.sample(able, 5)
        return min(some, key=lambda f: self.calls[f[1]])

    def _drop(self) -> None:
        kinds = [held for held in self.values.held.values() if held]
        if kinds:
            held = self.values.chance.choice(kinds)
            one = held.pop(self.values.chance.randrange(len(held)))
            self.values.given.append(one)
            try:
                one.drop()
            except Trap:
                return

    def end(self) -> None:
        """What happens to all that a guest has when it ends."""
        for one in (*self.values.given, *(one for held in self.values.held.values() for one in held)):
            one.close()


def types(wit: str) -> OfferedTypes:
    return offered_types()[wit]


def function(host: HostInterface, name: str, args: list[Any]) -> Any:
    """The Python function behind a WIT name such as `[method]pollable.block`."""
    if not name.startswith("["):
        return getattr(host, snake(name))
    kind, _, rest = name[1:].partition("]")
    resource, _, method = rest.partition(".")
    if kind == "method":
        return getattr(type(args[0]), snake(method))
    found = getattr(host, snake(resource))
    return found if kind == "constructor" else getattr(found, snake(method))


async def prepare(caller: Caller, port: int) -> None:
    """Give the guest what it would need luck to come to: connections, a response, a failure, a request to serve."""
    network = caller.hosts["wasi:sockets/instance-network"].instance_network()  # type: ignore[attr-defined]
    caller.give("wasi:sockets/network", "network", network)
    await prepare_sockets(caller, network, port)
    http: Any = caller.hosts["wasi:http/types"]
    request = http.outgoing_request(http.fields())
    request.set_scheme(Variant("HTTP"))
    request.set_authority(f"127.0.0.1:{port}")
    handler: Any = caller.hosts["wasi:http/outgoing-handler"]
    caller.give("wasi:http/types", "future-incoming-response", handler.handle(request, None))
    head = RequestHead("POST", "/", "http", "host", [("A", b"b")])
    served = IncomingRequest(head, ServedBody(BytesSource(b"body")), Budget(10**6))
    caller.give("wasi:http/types", "incoming-request", served)
    out = ResponseOutparam(lambda answer: None, lambda status, fields: None)
    caller.give("wasi:http/types", "response-outparam", out)
    file = caller.hosts["wasi:filesystem/preopens"].get_directories()[0][0]  # type: ignore[attr-defined]
    caller.give("wasi:filesystem/types", "descriptor", file, file.open_at(set(), "f", set(), {"read", "write"}))


async def prepare_sockets(caller: Caller, network: Any, port: int) -> None:
    create: Any = caller.hosts["wasi:sockets/tcp-create-socket"]
    server, client = create.create_tcp_socket("ipv4"), create.create_tcp_socket("ipv4")
    server.start_bind(network, wit_address("127.0.0.1", 0))
    server.finish_bind()
    server.start_listen()
    server.finish_listen()
    client.start_connect(network, server.local_address())
    caller.give("wasi:sockets/tcp", "tcp-socket", server, client)
    datagrams: Any = caller.hosts["wasi:sockets/udp-create-socket"]
    udp = datagrams.create_udp_socket("ipv4")
    udp.start_bind(network, wit_address("127.0.0.1", 0))
    udp.finish_bind()
    incoming, outgoing = udp.stream(None)
    caller.give("wasi:sockets/udp", "udp-socket", udp)
    caller.give("wasi:sockets/udp", "incoming-datagram-stream", incoming)
    caller.give("wasi:sockets/udp", "outgoing-datagram-stream", outgoing)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_guest_passes(seed: int, tmp_path: Path) -> None:
    (tmp_path / "in/d").mkdir(parents=True)
    (tmp_path / "in/f").write_text("hello" * 1000)
    (tmp_path / "s").write_text("secret")
    (tmp_path / "in/l").symlink_to("../s")
    network = Network(["127.0.0.1:*", "localhost:*"], listen=["127.0.0.1:*"])
    mounts: Any = {"/": tmp_path / "in", "/m": MemoryDirectory({"g": "x"})}
    wasi = Wasi(stdin=b"in", stdout=Capture(), stderr=None, mounts=mounts, clock=FakeClock(), random=1, network=network)

    async def calling() -> Caller:
        async with tcp_server(answering(ANSWER)) as http, tcp_server(echo) as tcp:
            caller = Caller(wasi, seed, [http, tcp, 0, 80])
            await prepare(caller, http)
            for _ in range(CALLS):
                await caller.one()
            caller.end()
            await asyncio.sleep(0.05)
            return caller

    with wasi:
        caller = asyncio.run(calling())
        http: Any = caller.hosts["wasi:http/types"]
        assert network.sockets.taken == network.lookups.taken == 0
        assert http.fields.own_budget.taken == http.outgoing_request.own_budget.taken == 0
        assert all(wasi.mounts._handles.take() for _ in range(512))
    assert len(caller.calls) > 0.8 * len({name for _, name, _ in caller.functions})
    assert sorted(os.listdir(tmp_path)) == ["in", "s"]
    assert (tmp_path / "s").read_text() == "secret"
