"""Addresses of sockets: as WIT has them, as Python's `socket` has them, and what may be done with them.

In: variants `ip-socket-address`, or tuples of `socket`. Out: `Endpoint`s.

Spec: `wasi:sockets/network`.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal, TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.values import Variant
from wippywasm.wasi.network.addresses import Address, is_unicast
from wippywasm.wasi.sockets.codes import SocketError

Family: TypeAlias = Literal["ipv4", "ipv6"]

FAMILIES: dict[Family, socket.AddressFamily] = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


@dataclass(frozen=True)
class Endpoint:
    """An address with its port; flow and scope are 0 for IPv4."""

    address: Address
    port: int
    flow: int = 0
    scope: int = 0

    @property
    def family(self) -> Family:
        return "ipv4" if isinstance(self.address, IPv4Address) else "ipv6"

    def require(self, family: Family) -> None:
        """Refuse what no socket of that family may be bound or connected to."""
        mapped = isinstance(self.address, IPv6Address) and self.address.ipv4_mapped is not None
        if self.family != family or mapped or not is_unicast(self.address):
            raise SocketError("invalid-argument")

    def require_remote(self, family: Family) -> None:
        """Refuse what nothing can be sent to."""
        self.require(family)
        if self.address.is_unspecified or not self.port:
            raise SocketError("invalid-argument")

    def to_python(self) -> tuple[Any, ...]:
        """As `socket` wants it."""
        plain = (str(self.address), self.port)
        return plain if self.family == "ipv4" else (*plain, self.flow & 0xFFFFF, self.scope)

    def to_wit(self) -> Variant:
        """As a guest gets it."""
        shown = address_to_wit(self.address)
        if self.family == "ipv4":
            return Variant("ipv4", {"port": self.port, "address": shown.payload})
        more = {"flow-info": self.flow, "scope-id": self.scope}
        return Variant("ipv6", {"port": self.port, "address": shown.payload, **more})


def from_wit(given: Variant) -> Endpoint:
    """What a guest gave."""
    fields = given.payload
    if given.case == "ipv4":
        return Endpoint(IPv4Address(bytes(fields["address"])), fields["port"])
    packed = b"".join(group.to_bytes(2, "big") for group in fields["address"])
    return Endpoint(IPv6Address(packed), fields["port"], fields["flow-info"], fields["scope-id"])


def from_python(given: tuple[Any, ...]) -> Endpoint:
    """What `getsockname` and its like give."""
    if len(given) == 2:
        return Endpoint(IPv4Address(given[0]), given[1])
    return Endpoint(IPv6Address(given[0].partition("%")[0]), given[1], given[2], given[3])


def address_to_wit(address: Address) -> Variant:
    """An address without a port."""
    packed = address.packed
    if isinstance(address, IPv4Address):
        return Variant("ipv4", tuple(packed))
    return Variant("ipv6", tuple(int.from_bytes(packed[i : i + 2], "big") for i in range(0, 16, 2)))
