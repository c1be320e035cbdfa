"""`wasi:http`: requests of guests, and guests that serve requests.

In: a `network.Network`, which decides what may be reached, and limits. Out: the interfaces, and `serve_request`.

    limits, codes, names         sizes and times; error codes; what is well formed
    fields, pipe, bodies         the resources of messages' parts
    messages, requests,          the resources of messages
      responses, incoming
    head, framing, upload,       HTTP/1.1 on the wire
      response_framing, download
    opening, transport           connections
    exchange, handler            `outgoing-handler`
    types_interface              `types`
    interfaces                   all that guests import
    serve                        a guest's `incoming-handler`

Every exchange has a connection of its own, so no guest sees what is left of another's.

Spec: `wasi:http`; SPEC sections 7 and 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wippywasm.late import late_names

if TYPE_CHECKING:
    from wippywasm.wasi.http.incoming import RequestHead
    from wippywasm.wasi.http.interfaces import http_interfaces
    from wippywasm.wasi.http.limits import HttpLimits
    from wippywasm.wasi.http.serve import ServedResponse, serve_request

__all__ = ["HttpLimits", "RequestHead", "ServedResponse", "http_interfaces", "serve_request"]

__getattr__ = late_names(
    __name__,
    {
        "RequestHead": "incoming",
        "http_interfaces": "interfaces",
        "HttpLimits": "limits",
        "ServedResponse": "serve",
        "serve_request": "serve",
    },
)
