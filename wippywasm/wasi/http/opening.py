"""From a request's authority to a connection: name lookup, the network's rules, connecting, TLS.

In: whom to reach. Out: a `Transport`, or why there is none.

The rules see the very address that is connected to, after the lookup.

Spec: SPEC section 7; `wasi:http/types`, `error-code`.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable
from ipaddress import IPv4Address

from wippywasm.dataclass import dataclass
from wippywasm.wasi.http.codes import HttpError, from_os
from wippywasm.wasi.http.transport import Transport
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.addresses import Address, parse_address
from wippywasm.wasi.network.lookup import resolve
from wippywasm.wasi.network.steps import AnyOf, Deadline, Work
from wippywasm.wasi.network.threads import InThread
from wippywasm.wasi.waitables import FileReady


@dataclass(frozen=True)
class Target:
    """Whom a request goes to. `tls` makes the context for TLS, in a thread; None for none. `timeout` in seconds."""

    host: str
    port: int
    tls: Callable[[], ssl.SSLContext] | None
    timeout: float


def open_transport(network: Network, target: Target) -> Work[Transport]:
    """Try the addresses of a target in turn, until one can be connected to. Raises HttpError."""
    deadline = Deadline(target.timeout)
    failure = HttpError("destination-not-found")
    addresses = yield from _addresses(network, target, deadline)
    for address in addresses:
        try:
            sock = yield from _connected(address, target.port, deadline)
        except HttpError as error:
            failure = error
            continue
        return (yield from _secured(sock, target, deadline))
    raise failure


def _addresses(network: Network, target: Target, deadline: Deadline) -> Work[list[Address]]:
    """The addresses of a target that the rules open."""
    literal = parse_address(target.host)
    if literal is not None:
        found, name = [literal], None
    else:
        found, name = (yield from _looked_up(network, target.host, deadline)), target.host
    opened = [a for a in found if network.check_connect(a, target.port, name).allowed]
    if not opened:
        raise HttpError("destination-IP-prohibited" if found else "destination-not-found")
    return opened


def _looked_up(network: Network, name: str, deadline: Deadline) -> Work[list[Address]]:
    if not network.check_resolve(name).allowed:
        raise HttpError("HTTP-request-denied")
    if not network.lookups.take():
        raise HttpError("connection-limit-reached")
    work = InThread(lambda: resolve(network.resolver, name))
    work.when_done(network.lookups.give)
    yield AnyOf(work, deadline)
    if not work.is_ready():
        raise HttpError("DNS-timeout")
    try:
        return work.result()
    except OSError as error:
        raise from_os(error) from None
    except Exception:  # noqa: BLE001  a resolver that the owner supplied, whose failure is not the guest's
        raise HttpError("DNS-error", {"rcode": "SERVFAIL", "info-code": None}) from None


def _connected(address: Address, port: int, deadline: Deadline) -> Work[socket.socket]:
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise from_os(error) from None
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = sock.connect_ex((str(address), port))
        if number == errno.EINPROGRESS:
            connected = FileReady.to_write(sock.fileno())
            yield AnyOf(connected, deadline)
            if not connected.is_ready():
                raise HttpError("connection-timeout")
            number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise from_os(OSError(number, os.strerror(number)))
    except BaseException:
        sock.close()
        raise
    return sock


def _secured(sock: socket.socket, target: Target, deadline: Deadline) -> Work[Transport]:
    if target.tls is None:
        return Transport(sock)
    try:
        context = InThread(target.tls)
        yield AnyOf(context, deadline)
        if not context.is_ready():
            raise HttpError("connection-timeout")
        secure = context.result().wrap_socket(
            sock, server_hostname=target.host, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        sock = secure
        yield from _handshake(secure, deadline)
    except OSError as error:
        sock.close()
        raise from_os(error) from None
    except ValueError:  # a host that TLS has no word for
        sock.close()
        raise HttpError("TLS-protocol-error") from None
    except BaseException:
        sock.close()
        raise
    return Transport(sock)


def _handshake(sock: ssl.SSLSocket, deadline: Deadline) -> Work[None]:
    fd = sock.fileno()
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            wait = FileReady.to_read(fd)
        except ssl.SSLWantWriteError:
            wait = FileReady.to_write(fd)
        else:
            return
        yield AnyOf(wait, deadline)
        if deadline.is_ready() and not wait.is_ready():
            raise HttpError("connection-timeout")
