"""`wasi:http/types`: the resources of the other files, as one interface.

In: quotas and limits. Out: classes that count what guests make.

Spec: `wasi:http/types`.
"""

from __future__ import annotations

from typing import Any

from wippywasm.instance.offered import HostInterface
from wippywasm.values import Variant
from wippywasm.wasi.http.bodies import FutureTrailers, IncomingBody, OutgoingBody
from wippywasm.wasi.http.codes import code_behind
from wippywasm.wasi.http.fields import Fields
from wippywasm.wasi.http.incoming import IncomingRequest, ResponseOutparam
from wippywasm.wasi.http.limits import HttpLimits
from wippywasm.wasi.http.requests import OutgoingRequest, RequestOptions
from wippywasm.wasi.http.responses import FutureIncomingResponse, IncomingResponse, OutgoingResponse
from wippywasm.wasi.network.budget import Budget
from wippywasm.wasi.stream_errors import IoError


class Types(HostInterface):
    """`wasi:http/types`. Guests construct its resources out of nothing, so the classes themselves know the quotas."""

    wit = "wasi:http/types"

    incoming_body = IncomingBody
    incoming_request = IncomingRequest
    incoming_response = IncomingResponse
    future_incoming_response = FutureIncomingResponse
    future_trailers = FutureTrailers
    io_error = IoError
    outgoing_body = OutgoingBody
    request_options = RequestOptions
    response_outparam = ResponseOutparam

    def __init__(self, messages: Budget, field_bytes: Budget, limits: HttpLimits) -> None:
        self.fields: type[Fields] = _with(Fields, own_budget=field_bytes)
        self.headers = self.trailers = self.fields
        self.outgoing_request: type[OutgoingRequest] = _with(OutgoingRequest, own_budget=messages, limits=limits)
        self.outgoing_response: type[OutgoingResponse] = _with(OutgoingResponse, own_budget=messages, limits=limits)

    def http_error_code(self, err: IoError) -> Variant | None:
        return code_behind(err)


def _with(cls: type[Any], **attributes: Any) -> Any:
    """A class of the same name whose instances count in quotas of their own."""
    return type(cls.__name__, (cls,), attributes)
