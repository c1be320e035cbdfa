"""Connections of requests, each address judged at the moment it is about to be reached.

In: a guard. Out: a connector of aiohttp. Names are judged by what they resolve to, whoever their owner; a redirect is
a request like any other. An address that is not public needs a policy that allows `http_client.private_ip`: without a
scope it is refused.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address

import aiohttp
from aiohttp.typedefs import StrOrURL

from wippywasm.app.security import Guard
from wippywasm.errors import WippyError
from wippywasm.wasi.network.addresses import special


class Judge:
    """Judges the addresses of one request; `refusal` is what it said no with."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.refusal: WippyError | None = None

    def connector(self, unix_socket: str | None) -> aiohttp.BaseConnector:
        """A connector for one request; its connections are nobody else's."""
        if unix_socket is not None:
            self._guard.check("http_client.unix_socket", unix_socket)
            return aiohttp.UnixConnector(unix_socket, force_close=True)
        return aiohttp.TCPConnector(socket_factory=self._socket, force_close=True, use_dns_cache=False)

    def check_url(self, url: StrOrURL) -> None:
        """Raise PermissionDeniedError where the program may not ask for it."""
        self._guard.check("http_client.request", str(url))

    def _socket(self, address: tuple[int, int, int, str, tuple[str, int]]) -> socket.socket:
        family, kind, protocol, _, where = address
        try:
            self._check(where[0])
        except WippyError as error:
            self.refusal = error
            raise OSError(error.message) from None
        return socket.socket(family, kind, protocol)

    def _check(self, host: str) -> None:
        address = ip_address(host.partition("%")[0])
        if special(address) is not None:
            self._guard.check_granted("http_client.private_ip", str(address))
