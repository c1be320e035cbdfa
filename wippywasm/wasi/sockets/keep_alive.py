"""Whether and how TCP asks a silent peer if it is still there.

In: what guests ask for, durations in nanoseconds. Out: options of the operating system, in whole seconds.

Spec: `wasi:sockets/tcp`, `keep-alive-…`.
"""

from __future__ import annotations

import socket

from wippywasm.wasi.sockets import options

_BILLION = 10**9
_MAX_SECONDS = 32767
_MAX_COUNT = 127
_IDLE: int = getattr(socket, "TCP_KEEPIDLE", 0) or getattr(socket, "TCP_KEEPALIVE", 0x10)


class KeepAlive:
    """The methods of `tcp-socket` for it."""

    sock: socket.socket

    def keep_alive_enabled(self) -> bool:
        return bool(options.get(self.sock, socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def set_keep_alive_enabled(self, value: bool) -> None:
        options.put(self.sock, socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(value))

    def keep_alive_idle_time(self) -> int:
        return options.get(self.sock, socket.IPPROTO_TCP, _IDLE) * _BILLION

    def set_keep_alive_idle_time(self, value: int) -> None:
        options.put(self.sock, socket.IPPROTO_TCP, _IDLE, _seconds(value))

    def keep_alive_interval(self) -> int:
        return options.get(self.sock, socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) * _BILLION

    def set_keep_alive_interval(self, value: int) -> None:
        options.put(self.sock, socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _seconds(value))

    def keep_alive_count(self) -> int:
        return options.get(self.sock, socket.IPPROTO_TCP, socket.TCP_KEEPCNT)

    def set_keep_alive_count(self, value: int) -> None:
        options.put(self.sock, socket.IPPROTO_TCP, socket.TCP_KEEPCNT, min(options.positive(value), _MAX_COUNT))


def _seconds(nanoseconds: int) -> int:
    """Whole seconds, rounded up, at most what the operating system takes."""
    return min(-(-options.positive(nanoseconds) // _BILLION), _MAX_SECONDS)
