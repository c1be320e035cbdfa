"""What TCP and UDP sockets have in common: a socket of the operating system, its quota, its addresses, binding it.

In: calls of guests. Out: the resources' base.

Spec: `wasi:sockets/tcp`, `udp`.
"""

from __future__ import annotations

import errno
import socket

from wippywasm.values import Variant
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.network import Network
from wippywasm.wasi.sockets import options
from wippywasm.wasi.sockets.addresses import FAMILIES, Endpoint, Family, from_python, from_wit
from wippywasm.wasi.sockets.codes import SocketError, code_of
from wippywasm.wasi.sockets.names import NetworkHandle


def open_socket(network: Network, family: Family, kind: socket.SocketKind) -> socket.socket:
    """A new non-blocking socket, which counts in the quota."""
    if not network.sockets.take():
        raise SocketError("new-socket-limit")
    try:
        sock = socket.socket(FAMILIES[family], kind)
    except OSError as error:
        network.sockets.give()
        raise SocketError(code_of(error)) from None
    sock.setblocking(False)
    if family == "ipv6":
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


class Socket(Handle):
    """A socket of a guest. `network` is whose rules count: the owner's, then the one that it was bound with."""

    def __init__(self, network: Network, family: Family, sock: socket.socket) -> None:
        super().__init__()
        self.network = network
        self.family: Family = family
        self.sock = sock
        self._quota = network.sockets
        self._handle_network: Network | None = None
        self._wanted: Endpoint | None = None
        self._failure: SocketError | None = None

    def release(self) -> None:
        self.sock.close()
        self._quota.give()

    # ---- addresses

    def address_family(self) -> Family:
        return self.family

    def _local(self) -> Endpoint:
        try:
            return from_python(self.sock.getsockname())
        except OSError as error:
            raise SocketError(code_of(error)) from None

    # ---- binding

    def _begin_bind(self, handle: NetworkHandle, given: Variant) -> None:
        """Bind; what the operating system says against it is kept for `finish-bind`."""
        local = from_wit(given)
        local.require(self.family)
        self._attach(handle)
        if not self.network.check_bind(local.address, local.port).allowed:
            raise SocketError("access-denied")
        self._wanted = local
        self._failure = None
        try:
            self.sock.bind(local.to_python())
        except OSError as error:
            self._failure = SocketError("address-in-use" if error.errno == errno.ENOBUFS else code_of(error))

    def _end_bind(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _attach(self, handle: NetworkHandle) -> None:
        """The network that it is first used with is the one it stays with."""
        if self._handle_network not in (None, handle.network):
            raise SocketError("invalid-argument")
        self.network = self._handle_network = handle.network

    # ---- options

    def receive_buffer_size(self) -> int:
        return options.get_buffer(self.sock, socket.SO_RCVBUF)

    def set_receive_buffer_size(self, value: int) -> None:
        options.put_buffer(self.sock, socket.SO_RCVBUF, value)

    def send_buffer_size(self) -> int:
        return options.get_buffer(self.sock, socket.SO_SNDBUF)

    def set_send_buffer_size(self, value: int) -> None:
        options.put_buffer(self.sock, socket.SO_SNDBUF, value)

    def _hops(self) -> int:
        return options.get(self.sock, *options.hop_option(self.family))

    def _set_hops(self, value: int) -> None:
        options.put(self.sock, *options.hop_option(self.family), options.positive(value))
