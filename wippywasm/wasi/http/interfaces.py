"""The interfaces of `wasi:http` that guests import.

In: a network, limits. Out: their hosts, which share what guests may hold. Spec: `wasi:http`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wippywasm.instance.offered import HostInterface
from wippywasm.wasi.http.handler import OutgoingHandler
from wippywasm.wasi.http.limits import HttpLimits
from wippywasm.wasi.http.types_interface import Types
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.budget import Budget


def http_interfaces(network: Network, limits: HttpLimits) -> Iterator[HostInterface]:
    """All interfaces of the package that guests import, over one network."""
    fields = Budget(network.quotas.field_bytes)
    messages = Budget(network.quotas.messages)
    yield Types(messages, fields, limits)
    yield OutgoingHandler(network, limits, messages, fields)
