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
    serve                        a guest's `incoming-handler`

Every exchange has a connection of its own, so no guest sees what is left of another's.

Spec: `wasi:http`; SPEC sections 7 and 12.
"""

from __future__ import annotations

from collections.abc import Iterator

from wippywasm.instance.offered import HostInterface
from wippywasm.wasi.http.handler import OutgoingHandler
from wippywasm.wasi.http.incoming import RequestHead
from wippywasm.wasi.http.limits import HttpLimits
from wippywasm.wasi.http.serve import ServedResponse, serve_request
from wippywasm.wasi.http.types_interface import Types
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.budget import Budget

__all__ = ["HttpLimits", "RequestHead", "ServedResponse", "http_interfaces", "serve_request"]


def http_interfaces(network: Network, limits: HttpLimits) -> Iterator[HostInterface]:
    """All interfaces of the package that guests import, over one network."""
    fields = Budget(network.quotas.field_bytes)
    messages = Budget(network.quotas.messages)
    yield Types(messages, fields, limits)
    yield OutgoingHandler(network, limits, messages, fields)
