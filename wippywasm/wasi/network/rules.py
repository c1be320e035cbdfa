"""The rules of a network: texts of a definition, and what they match.

In: `host:port`, `*.host:port`, `address:port`, `range:port`; a port may be `*` or `8000-8099`, an IPv6 address with a
port stands in brackets, and an address or range without a port has all of them. Out: `Rule`s.

A name opens public addresses only, whatever its owner lets it point to; a range opens addresses that are special
(private, loopback, …) only if it lies within their kind: `10.1.0.0/16:5432` does, `0.0.0.0/0:*` does not.

Spec: SPEC section 7.
"""

from __future__ import annotations

import re
from ipaddress import ip_network

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.wasi.network.addresses import Address, Range, plain, plain_range, special, within

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:\*|(?:\*\.)?{_LABEL}(?:\.{_LABEL})*)\Z")
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?\Z")
_ALL_PORTS = range(65536)


@dataclass(frozen=True)
class Rule:
    """One rule: a pattern for names, or a range of addresses; and ports."""

    text: str
    ports: range
    name: str | None = None
    addresses: Range | None = None

    def matches_name(self, name: str) -> bool:
        """Whether a normal name is meant: exactly, below `*.`, or any for `*`."""
        if self.name is None:
            return False
        if self.name.startswith("*"):
            return name.endswith(self.name[1:]) and name != "localhost" and not name.endswith(".localhost")
        return name == self.name

    def opens(self, address: Address, port: int) -> bool:
        """Whether it opens an address by itself."""
        address = plain(address)
        if self.addresses is None or port not in self.ports or address not in self.addresses:
            return False
        kind = special(address)
        return kind is None or within(self.addresses, kind[0])

    def opens_name(self, name: str, address: Address, port: int) -> bool:
        """Whether it opens an address because a name led to it."""
        if port not in self.ports or not self.matches_name(name):
            return False
        kind = special(address)
        return kind is None or (name == "localhost" and kind[1] == "loopback")


def parse_rule(text: str) -> Rule:
    """A rule from its text; raises InvalidError."""
    host, ports = _split(text)
    if "%" in host:
        raise _bad(text, "an address has no zone here: rules are for all interfaces")
    found = _range(host)
    if found is not None:
        return Rule(text, _ALL_PORTS if ports is None else _ports(text, ports), addresses=found)
    name = host if host == "*" else host.lower().removesuffix(".")
    if name == "*" != host or not _NAME.match(name) or len(name) > 253 or name.replace(".", "").isdigit():
        raise _bad(text, "the host is neither a name nor an address nor a range of addresses")
    if ports is None:
        raise _bad(text, "a name needs a port, or `:*`")
    return Rule(text, _ports(text, ports), name=name)


def parse_local_rule(text: str) -> Rule:
    """A rule for what may be listened on; raises InvalidError."""
    rule = parse_rule(text)
    if rule.name not in (None, "localhost"):
        raise InvalidError(
            f"{text!r} is no rule to listen: it must name a local address", hint="such as 127.0.0.1:8080"
        )
    return rule


def normal_name(name: str) -> str | None:
    """A host name as rules match it: lower case, ASCII, without a final dot; None for what can't be one."""
    name = name.removesuffix(".")
    if not name or len(name) > 253:
        return None
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    name = name.lower()
    return name if _HOST_NAME.match(name) and len(name) <= 253 else None


def _split(text: str) -> tuple[str, str | None]:
    """Host and port; a bare IPv6 address or range has colons of its own."""
    if not isinstance(text, str) or not text:
        raise _bad(text, "it must be a text")
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise _bad(text, "the bracket is not closed, or not followed by a port")
        return host, rest[1:] if rest else None
    if text.count(":") > 1:
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _range(host: str) -> Range | None:
    try:
        return plain_range(ip_network(host, strict=False))
    except ValueError:
        return None


def _ports(text: str, ports: str) -> range:
    if ports == "*":
        return _ALL_PORTS
    found = _PORTS.match(ports)
    if not found:
        raise _bad(text, "the port is not a number, `*`, or a range such as 8000-8099")
    low, high = int(found[1]), int(found[2] or found[1])
    if not low <= high <= 65535:
        raise _bad(text, "a port is at most 65535")
    return range(low, high + 1)


def _bad(text: object, why: str) -> InvalidError:
    return InvalidError(
        f"{text!r} is no rule for a network: {why}",
        hint="write host:port, *.host:port, address:port or range:port, such as api.example.com:443 or 10.0.0.0/8:5432",
    )
