"""Error codes of sockets, and how the operating system's become them.

In: exceptions of `socket`. Out: `SocketError`, whose code is a case of the WIT enum `error-code`.

Spec: `wasi:sockets/network`, `error-code`.
"""

from __future__ import annotations

import errno
import socket

from wippywasm.errors import WitError

_CODES = {
    "EACCES": "access-denied",
    "EADDRINUSE": "address-in-use",
    "EADDRNOTAVAIL": "address-not-bindable",
    "EAFNOSUPPORT": "not-supported",
    "EAGAIN": "would-block",
    "ECONNABORTED": "connection-aborted",
    "ECONNREFUSED": "connection-refused",
    "ECONNRESET": "connection-reset",
    "EHOSTDOWN": "remote-unreachable",
    "EHOSTUNREACH": "remote-unreachable",
    "EINVAL": "invalid-argument",
    "EMFILE": "new-socket-limit",
    "EMSGSIZE": "datagram-too-large",
    "ENETDOWN": "remote-unreachable",
    "ENETUNREACH": "remote-unreachable",
    "ENFILE": "new-socket-limit",
    "ENOBUFS": "out-of-memory",
    "ENOMEM": "out-of-memory",
    "ENONET": "remote-unreachable",
    "ENOPROTOOPT": "not-supported",
    "EOPNOTSUPP": "not-supported",
    "EPERM": "access-denied",
    "EPIPE": "connection-reset",
    "EPROTONOSUPPORT": "not-supported",
    "ETIMEDOUT": "timeout",
}
_BY_NUMBER = {getattr(errno, name): code for name, code in _CODES.items() if hasattr(errno, name)}
_LOOKUPS = {
    socket.EAI_AGAIN: "temporary-resolver-failure",
    socket.EAI_FAIL: "permanent-resolver-failure",
    socket.EAI_NONAME: "name-unresolvable",
}
if hasattr(socket, "EAI_NODATA"):
    _LOOKUPS[socket.EAI_NODATA] = "name-unresolvable"

_OURS = {"invalid-state", "concurrency-conflict", "not-in-progress", "unknown"}
ERROR_CODES = frozenset({*_CODES.values(), *_LOOKUPS.values(), *_OURS})
"""Every case of the WIT enum `error-code`."""


class SocketError(WitError):
    """What a socket operation failed with: `code` is a case of `error-code`, and the payload that the guest gets."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = f"the socket operation failed: {code}"


def code_of(error: OSError) -> str:
    """The code for an error of the operating system or of a name lookup; `unknown` for one that has no other."""
    if isinstance(error, socket.gaierror):
        return _LOOKUPS.get(error.errno or 0, "permanent-resolver-failure")
    return _BY_NUMBER.get(error.errno or 0, "unknown")


def from_number(number: int) -> SocketError:
    """The error for a number, such as `SO_ERROR` has."""
    return SocketError(_BY_NUMBER.get(number, "unknown"))
