"""The handle for the network, and the lookup of names.

In: a `Network`, names. Out: the interfaces `network`, `instance-network` and `ip-name-lookup`.

Spec: `wasi:sockets/network`, `instance-network`, `ip-name-lookup`.
"""

from __future__ import annotations

from collections.abc import Callable

from wippywasm.instance.offered import HostInterface
from wippywasm.values import Variant
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.network import Network
from wippywasm.wasi.network.addresses import Address, parse_address
from wippywasm.wasi.network.lookup import resolve
from wippywasm.wasi.network.rules import normal_name
from wippywasm.wasi.network.threads import InThread
from wippywasm.wasi.pollables import Pollable
from wippywasm.wasi.sockets.addresses import address_to_wit
from wippywasm.wasi.sockets.codes import ERROR_CODES, SocketError, code_of
from wippywasm.wasi.stream_errors import IoError


class NetworkHandle(Handle):
    """The `network` resource: whoever holds it may use the network that it stands for."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network


class NetworkTypes(HostInterface):
    """`wasi:sockets/network`."""

    wit = "wasi:sockets/network"

    network = NetworkHandle
    error = IoError

    def network_error_code(self, err: IoError) -> str | None:
        return err.cause if isinstance(err.cause, str) and err.cause in ERROR_CODES else None


class InstanceNetwork(HostInterface):
    """`wasi:sockets/instance-network`."""

    wit = "wasi:sockets/instance-network"

    network = NetworkHandle

    def __init__(self, network: Network) -> None:
        self._network = network

    def instance_network(self) -> NetworkHandle:
        return NetworkHandle(self._network)


class ResolveAddressStream(Handle):
    """The `resolve-address-stream` resource. A lookup whose thread still runs keeps its place in the quota."""

    def __init__(
        self,
        found: Callable[[], list[Address]],
        work: InThread[list[Address]] | None,
        give_back: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._found = found
        self._work = work
        self._addresses: list[Address] | None = None
        self._failure: SocketError | None = None
        if work is not None and give_back is not None:
            work.when_done(give_back)

    def resolve_next_address(self) -> Variant | None:
        if not self.is_ready():
            raise SocketError("would-block")
        if self._addresses is None and self._failure is None:
            self._settle()
        if self._failure is not None:
            raise self._failure
        return address_to_wit(self._addresses.pop(0)) if self._addresses else None

    def _settle(self) -> None:
        try:
            self._addresses = list(self._found())
        except SocketError as error:
            self._failure = error
        except OSError as error:
            self._failure = SocketError(code_of(error))
        except Exception:  # noqa: BLE001  a resolver that the owner supplied, whose failure is not the guest's
            self._failure = SocketError("permanent-resolver-failure")

    def is_ready(self) -> bool:
        return self._work is None or self._work.is_ready()

    async def ready(self) -> None:
        if self._work is not None:
            await self._work.ready()

    def subscribe(self) -> Pollable:
        return Pollable(self, self)


class NameLookup(HostInterface):
    """`wasi:sockets/ip-name-lookup`."""

    wit = "wasi:sockets/ip-name-lookup"

    resolve_address_stream = ResolveAddressStream

    def __init__(self, network: Network) -> None:
        self._network = network

    def resolve_addresses(self, network: NetworkHandle, name: str) -> ResolveAddressStream:
        literal = parse_address(name)
        if literal is not None:
            return ResolveAddressStream(lambda: [literal], None)
        normal = normal_name(name)
        if normal is None:
            raise SocketError("invalid-argument")
        if not network.network.check_resolve(normal).allowed:
            raise SocketError("access-denied")
        return looked_up(network.network, normal)


def looked_up(network: Network, name: str) -> ResolveAddressStream:
    """The addresses of a name that may be looked up; they are not handed out unless some rule opens them."""
    if not network.lookups.take():
        raise SocketError("temporary-resolver-failure")
    work = InThread(lambda: resolve(network.resolver, name))

    def found() -> list[Address]:
        addresses = work.result()
        if not addresses:
            raise SocketError("name-unresolvable")
        opened = network.resolved(name, addresses)
        if not opened:
            raise SocketError("access-denied")
        return opened

    return ResolveAddressStream(found, work, network.lookups.give)
