"""Addresses that are not simply "the internet": a rule opens them only if it names them.

In: addresses and ranges. Out: the special range that an address is in.

An IPv6 address that stands for an IPv4 one (mapped, compatible, translated, NAT64, 6to4, Teredo) is judged as that one.

Spec: IANA's registries of special-purpose addresses; RFC 4291, RFC 6052, RFC 6890; RFC 2765 (translated), RFC 3056
(6to4), RFC 4380 (Teredo), RFC 8215 (NAT64 of one's own).
"""

from __future__ import annotations

from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = "IPv4Address | IPv6Address"
Range: TypeAlias = "IPv4Network | IPv6Network"

_SPECIAL = {
    "this network": ("0.0.0.0/8", "::/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "shared by carriers": ("100.64.0.0/10",),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "metadata of a cloud": (
        "169.254.169.254/32",
        "169.254.170.2/32",
        "169.254.170.23/32",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd00:ec2::254/128",
        "fd00:ec2::23/128",
        "fd20:ce::254/128",
    ),
    "protocol assignments": ("192.0.0.0/24", "2001::/23", "64:ff9b:1::/48", "100::/64", "5f00::/16"),
    "documentation": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
    "relays": ("192.88.99.0/24", "2002::/16"),
    "benchmarks": ("198.18.0.0/15",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "reserved": ("240.0.0.0/4", "::/96"),
    "broadcast": ("255.255.255.255/32",),
    "not assigned": ("::/3", "4000::/2", "8000::/1"),
}
"""IPv6 has its public addresses in 2000::/3, and nowhere else."""
_IN_LAST_BITS = tuple(IPv6Network(text) for text in ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "::/96"))
_6TO4 = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_LAST_BITS = 0xFFFF_FFFF


@cache
def _ranges() -> tuple[tuple[Range, str], ...]:
    """The special ranges, the narrowest first."""
    found = [(ip_network(text), name) for name, texts in _SPECIAL.items() for text in texts]
    return tuple(sorted(found, key=lambda r: r[0].prefixlen / r[0].max_prefixlen, reverse=True))


def parse_address(text: str) -> Address | None:
    """The address that a text is, a mapped one as IPv4; None for anything else: a name, or an address with a zone."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return None if address.scope_id else address.ipv4_mapped or address


def plain(address: Address) -> Address:
    """The IPv4 address that another one stands for, else the address itself."""
    found = _embedded(address) if isinstance(address, IPv6Address) else None
    return address if found is None else IPv4Address(found)


def plain_range(addresses: Range) -> Range:
    """The range of IPv4 addresses that another one stands for, else the range itself."""
    first = addresses.network_address
    meant = plain(first)
    if meant is first or not isinstance(meant, IPv4Address):
        return addresses
    bits = addresses.prefixlen - (16 if first in _6TO4 else 96)
    whole = addresses.prefixlen == 128 if first in _TEREDO else bits >= 0
    return ip_network(f"{meant}/{min(bits, 32)}", strict=False) if whole else addresses


def _embedded(address: IPv6Address) -> int | None:
    """The IPv4 address in an IPv6 one, as a number; None where there is none.

    In `64:ff9b:1::/48` that depends on the translator, so an address there is never judged as another.
    """
    number = int(address)
    last = number & _LAST_BITS
    if any(address in prefix for prefix in _IN_LAST_BITS):
        return last if number > 1 else None  # `::` and `::1` are IPv6's own
    if address in _6TO4:
        return number >> 80 & _LAST_BITS
    if address in _TEREDO:
        return last ^ _LAST_BITS
    return None


def special(address: Address) -> tuple[Range, str] | None:
    """The narrowest special range that an address is in, and what it is for; None for public addresses."""
    address = plain(address)
    return next(((r, name) for r, name in _ranges() if address in r), None)


def is_unicast(address: Address) -> bool:
    """Whether a socket may be bound or connected to it at all."""
    return not address.is_multicast and address != IPv4Address("255.255.255.255")


def within(inner: Range, outer: Range) -> bool:
    """Whether a range is a part of another, or the same."""
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)
