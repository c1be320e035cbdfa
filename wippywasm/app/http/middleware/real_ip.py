"""`real_ip`: the client's address where a proxy that is trusted stands before us.

In: what the proxy says. Out: the exchange's `remote`, for what comes after.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from wippywasm.app.http.exchange import Exchange, Handler

_FIELDS = ("True-Client-IP", "X-Real-IP", "X-Forwarded-For")


class RealIp:
    """Believes connections from `trusted.subnets` alone, unless told to believe all."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._networks = options["trusted.subnets"]
        self._trusts_all: bool = options["trust_all"]

    async def __call__(self, exchange: Exchange, following: Handler) -> None:
        if self._trusts(exchange.remote):
            exchange.remote = self._said(exchange) or exchange.remote
        await following(exchange)

    def _said(self, exchange: Exchange) -> str | None:
        for name in _FIELDS:
            value = exchange.header(name)
            if value is not None:
                return self._client([part.strip() for part in value.split(",")])
        return None

    def _client(self, addresses: list[str]) -> str | None:
        """The last in a list that is no trusted proxy's: what stands before it the client may have made up."""
        known = [a for a in addresses if _address(a) is not None]
        if not known or self._trusts_all:
            return known[0] if known else None
        return next((a for a in reversed(known) if not self._trusts(a)), known[0])

    def _trusts(self, remote: str) -> bool:
        address = _address(remote)
        if self._trusts_all or address is None:
            return self._trusts_all
        return any(address.version == network.version and address in network for network in self._networks)


def _address(text: str) -> Any:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
