"""Where a service listens: the text of `addr`, and the socket.

In: `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`. Out: an `Address`, a listening socket, the URL it is
reached by. Without a host it is every interface, IPv6 and IPv4; port 0 is one that the system chooses.
"""

from __future__ import annotations

import errno
import re
import socket

from wippywasm.dataclass import dataclass
from wippywasm.errors import UnavailableError

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]*):(?P<port>[0-9]{1,5})")
_BACKLOG = 1024


@dataclass(frozen=True)
class Address:
    """`host` is empty for every interface."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address | None:
    """The address of a text, or None for what is none."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        return None
    return Address(found["host"].strip("[]"), int(found["port"]))


def bad_address(text: str) -> str | None:
    """The rule for `addr`."""
    if parse_address(text) is not None:
        return None
    return f"'{text}' is no address: write host:port, such as '127.0.0.1:8080', or ':8080' for every interface"


def listen(address: Address, id: str) -> socket.socket:
    """A socket that listens there, for the service `id`; raises `UnavailableError` where that can't be had."""
    try:
        return _listen(address)
    except OSError as error:
        raise UnavailableError(
            f"{id} can't listen on {address}: {_reason(error)}", hint=_hint(error, id), details={"entry": id}
        ) from None


def url_of(bound: socket.socket, scheme: str = "http") -> str:
    """The URL that reaches a listening socket from this machine."""
    host, port = bound.getsockname()[:2]
    host = {"::": "127.0.0.1", "0.0.0.0": "127.0.0.1"}.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _listen(address: Address) -> socket.socket:
    if not address.host and socket.has_dualstack_ipv6():
        return socket.create_server(("", address.port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG)
    found = socket.getaddrinfo(address.host or "0.0.0.0", address.port, type=socket.SOCK_STREAM)
    family, where = found[0][0], found[0][4]
    return socket.create_server(where, family=family, backlog=_BACKLOG)


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the address is in use"
    return (error.strerror or str(error)).partition(" (while")[0].lower()


def _hint(error: OSError, id: str) -> str | None:
    if error.errno == errno.EADDRINUSE:
        return f"end what listens there, or choose another port: -o {id}:addr=:0"
    return None
