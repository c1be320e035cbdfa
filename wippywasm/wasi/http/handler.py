"""`wasi:http/outgoing-handler`: from a guest's request to an exchange.

In: a request and its options. Out: a response to come. Redirects are the guest's to follow.

Spec: `wasi:http/outgoing-handler`.
"""

from __future__ import annotations

from typing import Literal

from wippywasm.instance.offered import HostInterface
from wippywasm.wasi.http.codes import HttpError, field_size
from wippywasm.wasi.http.download import Download
from wippywasm.wasi.http.exchange import Costs, Exchange, ReadTimes, attach
from wippywasm.wasi.http.fields import Entry, content_length
from wippywasm.wasi.http.head import render_request
from wippywasm.wasi.http.limits import HttpLimits
from wippywasm.wasi.http.names import method_text, parse_authority
from wippywasm.wasi.http.opening import Target, open_transport
from wippywasm.wasi.http.requests import OutgoingRequest, RequestOptions
from wippywasm.wasi.http.responses import FutureIncomingResponse
from wippywasm.wasi.http.upload import Upload
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.budget import Budget
from wippywasm.wasi.network.steps import Steps

_BILLION = 10**9
_WITHOUT_BODY = ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE")


class OutgoingHandler(HostInterface):
    """`wasi:http/outgoing-handler`."""

    wit = "wasi:http/outgoing-handler"

    def __init__(self, network: Network, limits: HttpLimits, messages: Budget, field_budget: Budget) -> None:
        self._network = network
        self._limits = limits
        self._messages = messages
        self._field_budget = field_budget

    def handle(self, request: OutgoingRequest, options: RequestOptions | None) -> FutureIncomingResponse:
        try:
            return self._handle(request, options or RequestOptions())
        finally:
            request.close()
            if options is not None:
                options.close()

    def _handle(self, request: OutgoingRequest, options: RequestOptions) -> FutureIncomingResponse:
        limits = self._limits
        target = self._target(request, _seconds(options.connect_timeout(), limits.connect_timeout))
        head, framing = render(request, limits)
        costs = self._costs()
        times = ReadTimes(
            _seconds(options.first_byte_timeout(), limits.first_byte_timeout),
            _seconds(options.between_bytes_timeout(), limits.between_bytes_timeout),
            limits.total_timeout,
        )
        exchange = Exchange(
            Steps(open_transport(self._network, target)),
            Upload(head, request.pipe, chunked=framing == "chunked"),
            Download(method_text(request.method()), limits),
            times,
            costs,
        )
        request.sent = True
        if request.pipe is not None:
            attach(exchange, request.pipe)
        exchange.advance()
        return FutureIncomingResponse(exchange, self._field_budget)

    def _costs(self) -> Costs:
        """Count one connection, and one response. Raises HttpError where there are too many."""
        if not self._network.sockets.take():
            raise HttpError("connection-limit-reached")
        if not self._messages.take():
            self._network.sockets.give()
            raise HttpError("connection-limit-reached")
        return Costs(self._network.sockets.give, self._messages.give)

    def _target(self, request: OutgoingRequest, timeout: float) -> Target:
        scheme, authority = request.scheme(), request.authority()
        if scheme is not None and scheme.case == "other":
            raise HttpError("HTTP-protocol-error")
        where = None if authority is None else parse_authority(authority)
        if where is None:
            raise HttpError("HTTP-request-URI-invalid")
        tls = None if scheme is not None and scheme.case == "HTTP" else self._network.tls
        return Target(where.host, where.port or (80 if tls is None else 443), tls, timeout)


def render(request: OutgoingRequest, limits: HttpLimits) -> tuple[bytes, Literal["none", "length", "chunked"]]:
    """A request's head, and how its body is framed. Raises HttpError for what can't be sent."""
    method, authority = method_text(request.method()), request.authority() or ""
    if method == "CONNECT":
        raise HttpError("HTTP-request-method-invalid")
    if len(request.fields) > limits.fields:
        raise HttpError("HTTP-request-header-size", field_size(None, None))
    extra, framing = _framing(request, method)
    head = render_request(method, _path(request, method), authority, [*request.fields, *extra])
    if len(head) > limits.head:
        raise HttpError("HTTP-request-header-section-size", len(head))
    return head, framing


def _path(request: OutgoingRequest, method: str) -> str:
    path = request.path_with_query() or "/"
    if path == "*" and method != "OPTIONS":
        raise HttpError("HTTP-request-URI-invalid")
    return f"/{path}" if path.startswith("?") else path


def _framing(request: OutgoingRequest, method: str) -> tuple[list[Entry], Literal["none", "length", "chunked"]]:
    try:
        length = content_length(request.fields)
    except ValueError:
        raise HttpError("HTTP-protocol-error") from None
    if request.pipe is None:
        if length:
            raise HttpError("HTTP-request-body-size", 0)
        bare = length is not None or method in _WITHOUT_BODY
        return ([] if bare else [("Content-Length", b"0")]), "none"
    return ([("Transfer-Encoding", b"chunked")], "chunked") if length is None else ([], "length")


def _seconds(asked: int | None, most: float) -> float:
    return most if asked is None else min(asked / _BILLION, most)
