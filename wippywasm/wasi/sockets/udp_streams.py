"""Datagrams that come in and go out.

In: a bound UDP socket. Out: the resources `incoming-datagram-stream` and `outgoing-datagram-stream`.

A guest that may not listen hears only those whom it might send to: what others send is thrown away.

Spec: `wasi:sockets/udp`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from wippywasm.errors import Trap
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.network.addresses import Address
from wippywasm.wasi.pollables import Pollable
from wippywasm.wasi.sockets.addresses import Endpoint, Family, from_python, from_wit
from wippywasm.wasi.sockets.codes import SocketError, code_of
from wippywasm.wasi.waitables import FileReady

BATCH = 16
"""Datagrams of one call at most."""
MAX_DATAGRAM = 65535


class DatagramStream(Handle):
    """What both directions share. `current` tells whether the socket has not made newer streams."""

    def __init__(
        self, parent: Handle, sock: socket.socket, wait: FileReady, remote: Endpoint | None, current: Callable[[], bool]
    ) -> None:
        super().__init__(parent)
        self._sock = sock
        self._wait = wait
        self._remote = remote
        self._current = current

    def is_ready(self) -> bool:
        return not self._current() or self._wait.is_ready()

    async def ready(self) -> None:
        if self._current():
            await self._wait.ready()

    def subscribe(self) -> Pollable:
        return Pollable(self, self)

    def _require_current(self) -> None:
        if not self._current():
            raise SocketError("invalid-state")


class IncomingDatagramStream(DatagramStream):
    """The `incoming-datagram-stream` resource."""

    def __init__(
        self,
        parent: Handle,
        sock: socket.socket,
        remote: Endpoint | None,
        current: Callable[[], bool],
        hears: Callable[[Address, int], bool],
    ) -> None:
        super().__init__(parent, sock, FileReady.to_read(sock.fileno()), remote, current)
        self._hears = hears

    def receive(self, max_results: int) -> list[dict[str, Any]]:
        self._require_current()
        found: list[dict[str, Any]] = []
        for _ in range(min(max_results, BATCH)):
            try:
                data, sender = self._sock.recvfrom(MAX_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                if found:
                    break
                raise SocketError(code_of(error)) from None
            remote = from_python(sender)
            if self._wanted(remote):
                found.append({"data": data, "remote-address": remote.to_wit()})
        return found

    def _wanted(self, remote: Endpoint) -> bool:
        if self._remote is not None:
            return (remote.address, remote.port) == (self._remote.address, self._remote.port)
        return self._hears(remote.address, remote.port)


class OutgoingDatagramStream(DatagramStream):
    """The `outgoing-datagram-stream` resource."""

    def __init__(
        self,
        parent: Handle,
        sock: socket.socket,
        remote: Endpoint | None,
        current: Callable[[], bool],
        may_send: Callable[[Address, int], bool],
    ) -> None:
        super().__init__(parent, sock, FileReady.to_write(sock.fileno()), remote, current)
        self._may_send = may_send
        self._permit = 0

    def check_send(self) -> int:
        self._require_current()
        self._permit = BATCH if self._wait.is_ready() else 0
        return self._permit

    def send(self, datagrams: Sequence[dict[str, Any]]) -> int:
        self._require_current()
        if len(datagrams) > self._permit:
            raise Trap(
                f"the guest sent {len(datagrams)} datagrams where {self._permit} were permitted",
                code="send not permitted",
            )
        self._permit -= len(datagrams)
        for sent, datagram in enumerate(datagrams):
            try:
                self._send(datagram["data"], datagram["remote-address"])
            except (BlockingIOError, InterruptedError):
                return sent
            except (SocketError, OSError) as error:
                if sent:
                    return sent
                raise error if isinstance(error, SocketError) else SocketError(code_of(error)) from None
        return len(datagrams)

    def _send(self, data: bytes, given: Any) -> None:
        if len(data) > MAX_DATAGRAM:
            raise SocketError("datagram-too-large")
        if self._remote is not None:
            if given is not None and from_wit(given) != self._remote:
                raise SocketError("invalid-argument")
            self._sock.send(data)
            return
        if given is None:
            raise SocketError("invalid-argument")
        remote = from_wit(given)
        remote.require_remote(self._family())
        if not self._may_send(remote.address, remote.port):
            raise SocketError("access-denied")
        self._sock.sendto(data, remote.to_python())

    def _family(self) -> Family:
        return "ipv4" if self._sock.family == socket.AF_INET else "ipv6"
