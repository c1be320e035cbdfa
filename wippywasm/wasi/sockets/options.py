"""Options that TCP and UDP sockets share.

In: what guests ask for. Out: options of the operating system, with values that it and the host's quota permit.

Spec: `wasi:sockets/tcp`, `udp`.
"""

from __future__ import annotations

import socket
import sys

from wippywasm.wasi.sockets.addresses import Family
from wippywasm.wasi.sockets.codes import SocketError, code_of

MAX_BUFFER = 4 << 20
"""Bytes that the operating system may be asked to buffer for one socket, in each direction."""
_DOUBLED = sys.platform == "linux"


def get(sock: socket.socket, level: int, option: int) -> int:
    """An option's value."""
    try:
        return sock.getsockopt(level, option)
    except OSError as error:
        raise SocketError(code_of(error)) from None


def put(sock: socket.socket, level: int, option: int, value: int) -> None:
    """Set an option."""
    try:
        sock.setsockopt(level, option, value)
    except OSError as error:
        raise SocketError(code_of(error)) from None


def positive(value: int) -> int:
    """The value; 0 is refused."""
    if value == 0:
        raise SocketError("invalid-argument")
    return value


def hop_option(family: Family) -> tuple[int, int]:
    """Level and name of the option for the hop limit."""
    if family == "ipv4":
        return socket.IPPROTO_IP, socket.IP_TTL
    return socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS


def get_buffer(sock: socket.socket, option: int) -> int:
    """A buffer's size as it was asked for: Linux doubles what it is given."""
    size = get(sock, socket.SOL_SOCKET, option)
    return size // 2 if _DOUBLED else size


def put_buffer(sock: socket.socket, option: int, value: int) -> None:
    """Ask for a buffer; what is too much becomes the most there is."""
    put(sock, socket.SOL_SOCKET, option, min(positive(value), MAX_BUFFER))
