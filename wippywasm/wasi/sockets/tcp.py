"""TCP sockets: clients and servers.

In: calls of guests. Out: the interfaces `tcp` and `tcp-create-socket`.

    new ──bind──▶ bound ──listen──▶ listening ──accept──▶ (another, connected)
     └──────────────┴──connect──▶ connected       a connect that failed: closed

Each of the three begins and is finished: the state between is named after what goes on.

Spec: `wasi:sockets/tcp`, `tcp-create-socket`.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from typing import Literal, TypeAlias

from wippywasm.instance.offered import HostInterface
from wippywasm.values import Variant
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.threads import InThread
from wippywasm.wasi.pollables import Pollable
from wippywasm.wasi.sockets import options
from wippywasm.wasi.sockets.addresses import Family, from_python, from_wit
from wippywasm.wasi.sockets.base import Socket, open_socket
from wippywasm.wasi.sockets.codes import SocketError, code_of, from_number
from wippywasm.wasi.sockets.keep_alive import KeepAlive
from wippywasm.wasi.sockets.names import NetworkHandle
from wippywasm.wasi.sockets.tcp_streams import TcpSink, TcpSource, shut
from wippywasm.wasi.streams import InputStream, OutputStream
from wippywasm.wasi.waitables import FileReady

State: TypeAlias = Literal[
    "new", "binding", "bound", "starting to listen", "listening", "connecting", "connected", "closed"
]
_UNDER_WAY = ("binding", "starting to listen", "connecting")
_BACKLOG = 128
_MAX_BACKLOG = 4096


class TcpSocket(Socket, KeepAlive):
    """The `tcp-socket` resource; its streams are its children."""

    def __init__(self, network: Network, family: Family, sock: socket.socket, state: State = "new") -> None:
        super().__init__(network, family, sock)
        self._state: State = state
        self._backlog = _BACKLOG
        self._readable = FileReady.to_read(sock.fileno())
        self._writable = FileReady.to_write(sock.fileno())
        self._source = TcpSource(sock)
        self._sink = TcpSink(sock)

    # ---- bind

    def start_bind(self, network: NetworkHandle, local_address: Variant) -> None:
        self._require("new")
        if sys.platform != "win32":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._begin_bind(network, local_address)
        self._state = "binding"

    def finish_bind(self) -> None:
        self._require_under_way("binding")
        self._state = "new" if self._failure is not None else "bound"
        self._end_bind()

    # ---- connect

    def start_connect(self, network: NetworkHandle, remote_address: Variant) -> None:
        self._require("new", "bound")
        remote = from_wit(remote_address)
        remote.require_remote(self.family)
        self._attach(network)
        if not self.network.check_connect(remote.address, remote.port).allowed:
            raise SocketError("access-denied")
        number = self.sock.connect_ex(remote.to_python())
        self._failure = None if number in (0, errno.EINPROGRESS) else from_number(number)
        self._state = "connecting"

    def finish_connect(self) -> tuple[InputStream, OutputStream]:
        self._require_under_way("connecting")
        if self._failure is None and not self._writable.is_ready():
            raise SocketError("would-block")
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if self._failure is None else 0
        failure = from_number(number) if number else self._failure
        if failure is not None:
            self._state = "closed"
            raise failure
        self._state = "connected"
        return self._streams()

    def _streams(self) -> tuple[InputStream, OutputStream]:
        return InputStream(self._source, self), OutputStream(self._sink, self)

    # ---- listen

    def start_listen(self) -> None:
        self._require("bound")
        assert self._wanted is not None
        if not self.network.check_listen(self._wanted.address, self._wanted.port).allowed:
            raise SocketError("access-denied")
        self._failure = None
        try:
            self.sock.listen(self._backlog)
        except OSError as error:
            self._failure = SocketError(code_of(error))
        self._state = "starting to listen"

    def finish_listen(self) -> None:
        self._require_under_way("starting to listen")
        self._state = "listening" if self._failure is None else "closed"
        if self._failure is not None:
            raise self._failure

    def accept(self) -> tuple[TcpSocket, InputStream, OutputStream]:
        self._require("listening")
        if not self._quota.take():
            raise SocketError("new-socket-limit")
        try:
            sock, _ = self.sock.accept()
        except OSError as error:
            self._quota.give()
            raise SocketError(code_of(error)) from None
        sock.setblocking(False)
        accepted = TcpSocket(self.network, self.family, sock, "connected")
        accepted._quota = self._quota
        return (accepted, *accepted._streams())

    def set_listen_backlog_size(self, value: int) -> None:
        options.positive(value)
        if self._state in ("connecting", "connected", "closed"):
            raise SocketError("invalid-state")
        self._backlog = min(value, _MAX_BACKLOG)
        if self._state == "listening":
            self.sock.listen(self._backlog)

    # ---- what it is

    def local_address(self) -> Variant:
        if self._state in ("new", "binding", "closed"):
            raise SocketError("invalid-state")
        return self._local().to_wit()

    def remote_address(self) -> Variant:
        self._require("connected")
        try:
            return from_python(self.sock.getpeername()).to_wit()
        except OSError as error:
            raise SocketError("invalid-state" if error.errno == errno.ENOTCONN else code_of(error)) from None

    def is_listening(self) -> bool:
        return self._state == "listening"

    def hop_limit(self) -> int:
        return self._hops()

    def set_hop_limit(self, value: int) -> None:
        self._set_hops(value)

    # ---- the end

    def shutdown(self, shutdown_type: Literal["receive", "send", "both"]) -> None:
        self._require("connected")
        if shutdown_type in ("receive", "both"):
            self._source.close()
            shut(self.sock, socket.SHUT_RD)
        if shutdown_type in ("send", "both"):
            self._sink.finish()

    def release(self) -> None:
        if self._sink.pending:
            InThread(lambda: asyncio.run(self._sink.drain())).when_done(super().release)
        else:
            super().release()

    # ---- waiting

    def subscribe(self) -> Pollable:
        return Pollable(self, self)

    def is_ready(self) -> bool:
        if self._state == "connecting":
            return self._failure is not None or self._writable.is_ready()
        return self._state != "listening" or self._readable.is_ready()

    async def ready(self) -> None:
        if not self.is_ready():
            await (self._writable if self._state == "connecting" else self._readable).ready()

    # ---- states

    def _require(self, *states: State) -> None:
        if self._state in states:
            return
        raise SocketError("concurrency-conflict" if self._state in _UNDER_WAY else "invalid-state")

    def _require_under_way(self, state: State) -> None:
        if self._state != state:
            raise SocketError("not-in-progress")


class Tcp(HostInterface):
    """`wasi:sockets/tcp`."""

    wit = "wasi:sockets/tcp"

    tcp_socket = TcpSocket


class TcpCreateSocket(HostInterface):
    """`wasi:sockets/tcp-create-socket`."""

    wit = "wasi:sockets/tcp-create-socket"

    def __init__(self, network: Network) -> None:
        self._network = network

    def create_tcp_socket(self, address_family: Family) -> TcpSocket:
        return TcpSocket(self._network, address_family, open_socket(self._network, address_family, socket.SOCK_STREAM))
