"""`wasi:sockets`: TCP, UDP and name lookup over non-blocking sockets.

In: a `network.Network`, which decides what may be reached. Out: the interfaces.

    codes, addresses       error codes; addresses of WIT, of rules and of Python
    names                  `network`, `instance-network`, `ip-name-lookup`
    options, base          what TCP and UDP sockets share
    tcp, tcp_streams       `tcp`, `tcp-create-socket`
    udp, udp_streams       `udp`, `udp-create-socket`

Nothing here keeps an event loop: sockets are tried first, and waited for on whatever loop runs.

Spec: `wasi:sockets`; SPEC section 7.
"""

from __future__ import annotations

from collections.abc import Iterator

from wippywasm.instance.offered import HostInterface
from wippywasm.wasi.network import Network
from wippywasm.wasi.sockets.names import InstanceNetwork, NameLookup, NetworkTypes
from wippywasm.wasi.sockets.tcp import Tcp, TcpCreateSocket
from wippywasm.wasi.sockets.udp import Udp, UdpCreateSocket


def socket_interfaces(network: Network) -> Iterator[HostInterface]:
    """All interfaces of the package, over one network."""
    yield from (NetworkTypes(), InstanceNetwork(network), NameLookup(network))
    yield from (Tcp(), TcpCreateSocket(network), Udp(), UdpCreateSocket(network))
