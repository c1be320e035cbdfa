"""Error codes of HTTP.

In: what went wrong. Out: `HttpError`, whose payload is a case of the WIT variant `error-code`.

Spec: `wasi:http/types`, `error-code`.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Any

from wippywasm.errors import WitError
from wippywasm.values import Variant
from wippywasm.wasi.stream_errors import IoError, failed

_BY_NUMBER = {
    errno.ECONNREFUSED: "connection-refused",
    errno.ECONNRESET: "connection-terminated",
    errno.ECONNABORTED: "connection-terminated",
    errno.EPIPE: "connection-terminated",
    errno.ETIMEDOUT: "connection-timeout",
    errno.ENETUNREACH: "destination-IP-unroutable",
    errno.EHOSTUNREACH: "destination-IP-unroutable",
    errno.EMFILE: "connection-limit-reached",
    errno.ENFILE: "connection-limit-reached",
    errno.EACCES: "HTTP-request-denied",
    errno.EPERM: "HTTP-request-denied",
}


class HttpError(WitError):
    """A failure with an `error-code`, which the guest gets."""

    def __init__(self, case: str, payload: Any = None) -> None:
        self.code = Variant(case, payload)
        super().__init__(self.code)
        self.message = f"HTTP failed: {case}"

    def as_stream_error(self) -> WitError:
        """The same as the failure of a stream, whose `error` leads back to the code."""
        return failed(self.message, self.code)


def code_behind(error: IoError) -> Variant | None:
    """The `error-code` that a stream's error came from, if it is one of HTTP."""
    return error.cause if isinstance(error.cause, Variant) else None


def field_size(name: str | None, size: int | None) -> dict[str, Any]:
    """The payload `field-size-payload`."""
    return {"field-name": name, "field-size": size}


def from_os(error: OSError) -> HttpError:
    """What an exception of `socket` or `ssl` is."""
    if isinstance(error, socket.gaierror):
        rcode = socket_reason(error)
        return HttpError("DNS-error", {"rcode": rcode, "info-code": None})
    if isinstance(error, ssl.SSLCertVerificationError):
        return HttpError("TLS-certificate-error")
    if isinstance(error, ssl.SSLError):
        return _from_tls(error)
    return HttpError(_BY_NUMBER.get(error.errno or 0, "destination-unavailable"))


def socket_reason(error: socket.gaierror) -> str:
    """What a name server is said to have answered."""
    if error.errno == socket.EAI_AGAIN:
        return "SERVFAIL"
    return "NXDOMAIN" if error.errno == socket.EAI_NONAME else "FAILED"


def _from_tls(error: ssl.SSLError) -> HttpError:
    reason = error.reason or ""
    if "ALERT" in reason:
        return HttpError("TLS-alert-received", {"alert-id": None, "alert-message": reason.lower().replace("_", " ")})
    return HttpError("TLS-protocol-error")
