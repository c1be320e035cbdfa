"""UDP sockets.

In: calls of guests. Out: the interfaces `udp` and `udp-create-socket`.

Spec: `wasi:sockets/udp`, `udp-create-socket`.
"""

from __future__ import annotations

import ctypes
import errno
import socket

from wippywasm.instance.offered import HostInterface
from wippywasm.values import Variant
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.addresses import Address
from wippywasm.wasi.pollables import Pollable
from wippywasm.wasi.sockets.addresses import Endpoint, Family, from_wit
from wippywasm.wasi.sockets.base import Socket, open_socket
from wippywasm.wasi.sockets.codes import SocketError, code_of
from wippywasm.wasi.sockets.names import NetworkHandle
from wippywasm.wasi.sockets.udp_streams import IncomingDatagramStream, OutgoingDatagramStream


class UdpSocket(Socket):
    """The `udp-socket` resource; its streams are its children."""

    def __init__(self, network: Network, family: Family, sock: socket.socket) -> None:
        super().__init__(network, family, sock)
        self._state = "new"
        self._remote: Endpoint | None = None
        self._streams = 0

    # ---- bind

    def start_bind(self, network: NetworkHandle, local_address: Variant) -> None:
        if self._state != "new":
            raise SocketError("concurrency-conflict" if self._state == "binding" else "invalid-state")
        self._begin_bind(network, local_address)
        self._state = "binding"

    def finish_bind(self) -> None:
        if self._state != "binding":
            raise SocketError("not-in-progress")
        self._state = "new" if self._failure is not None else "bound"
        self._end_bind()

    # ---- streams

    def stream(self, remote_address: Variant | None) -> tuple[IncomingDatagramStream, OutgoingDatagramStream]:
        self._require_bound()
        remote = None if remote_address is None else from_wit(remote_address)
        if remote is not None:
            remote.require_remote(self.family)
            if not self._may_send(remote.address, remote.port):
                raise SocketError("access-denied")
        self._associate(remote)
        self._streams += 1
        made = self._streams

        def current() -> bool:
            return self._streams == made

        return (
            IncomingDatagramStream(self, self.sock, remote, current, self._hears),
            OutgoingDatagramStream(self, self.sock, remote, current, self._may_send),
        )

    def _associate(self, remote: Endpoint | None) -> None:
        try:
            if remote is not None:
                self.sock.connect(remote.to_python())
            elif self._remote is not None:
                dissociate(self.sock)
        except OSError as error:
            raise SocketError(code_of(error)) from None
        self._remote = remote

    def _may_send(self, address: Address, port: int) -> bool:
        return self.network.check_connect(address, port, action="send").allowed

    def _hears(self, address: Address, port: int) -> bool:
        assert self._wanted is not None
        return self.network.listens(self._wanted.address, self._wanted.port) or self.network.hears(address, port)

    # ---- what it is

    def local_address(self) -> Variant:
        self._require_bound()
        return self._local().to_wit()

    def remote_address(self) -> Variant:
        if self._remote is None:
            raise SocketError("invalid-state")
        return self._remote.to_wit()

    def unicast_hop_limit(self) -> int:
        return self._hops()

    def set_unicast_hop_limit(self, value: int) -> None:
        self._set_hops(value)

    def _require_bound(self) -> None:
        if self._state != "bound":
            raise SocketError("invalid-state")

    # ---- waiting: nothing of it takes time

    def subscribe(self) -> Pollable:
        return Pollable(self, self)

    def is_ready(self) -> bool:
        return True

    async def ready(self) -> None: ...


def dissociate(sock: socket.socket) -> None:
    """Take a connected socket's peer away, and leave it bound where it was. Python has no word for it."""
    local = sock.getsockname()
    unspecified = (ctypes.c_char * 28)()  # an address of family AF_UNSPEC, which is 0
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(sock.fileno(), unspecified, len(unspecified)) != 0:
        number = ctypes.get_errno()
        if number != errno.EAFNOSUPPORT:  # what BSD says though it did it
            raise OSError(number, "disconnect")
    if sock.getsockname()[1] != local[1]:
        sock.bind(local)


class Udp(HostInterface):
    """`wasi:sockets/udp`."""

    wit = "wasi:sockets/udp"

    udp_socket = UdpSocket
    incoming_datagram_stream = IncomingDatagramStream
    outgoing_datagram_stream = OutgoingDatagramStream


class UdpCreateSocket(HostInterface):
    """`wasi:sockets/udp-create-socket`."""

    wit = "wasi:sockets/udp-create-socket"

    def __init__(self, network: Network) -> None:
        self._network = network

    def create_udp_socket(self, address_family: Family) -> UdpSocket:
        return UdpSocket(self._network, address_family, open_socket(self._network, address_family, socket.SOCK_DGRAM))
