"""The HTTP services of an app.

In: what a loaded app has, its functions, its security. Out: listening services. A change is prepared first, which opens
the sockets that it needs and may fail, and then takes place at once. Spec: SPEC sections 2 and 12.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Mapping
from types import MappingProxyType
from typing import Any

from wippywasm.app.entry import Entry
from wippywasm.app.http.address import listen, url_of
from wippywasm.app.http.callee import Callee
from wippywasm.app.http.plan import ServicePlan, plan_services
from wippywasm.app.http.server import HttpServer
from wippywasm.app.http.site import Site
from wippywasm.app.http.watch import HttpWatch
from wippywasm.app.loading import LoadedApp
from wippywasm.app.observe.spans import Spans
from wippywasm.app.report import Report
from wippywasm.app.security import Security
from wippywasm.dataclass import dataclass

_GRACE = 10.0
"""Seconds that requests to a service have which a change takes away."""


@dataclass(frozen=True)
class Change:
    """What is to be served: a site for every service, and a socket for each that is new or listens elsewhere."""

    owner: HttpServices
    plans: Mapping[str, ServicePlan]
    sites: Mapping[str, Site]
    sockets: Mapping[str, socket.socket]

    def commit(self) -> None:
        """Serve what was prepared; services that are gone end with the requests that they have."""
        self.owner.serve(self)

    def discard(self) -> None:
        """Let go of it, where it does not take place."""
        for site in self.sites.values():
            site.close()
        for bound in self.sockets.values():
            bound.close()


class HttpServices:
    """Belongs to the event loop that it is used in."""

    def __init__(self, app: Callee, security: Security, spans: Spans | None = None) -> None:
        self.watch = HttpWatch(spans)
        self._app = app
        self._security = security
        self._servers: dict[str, HttpServer] = {}
        self._addresses: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def addresses(self) -> Mapping[str, str]:
        """The URL of each service, by id."""
        return MappingProxyType(dict(self._addresses))

    def prepare(self, loaded: LoadedApp) -> Change:
        """Make ready what the entries say; raises UnavailableError where a service can't listen."""
        planned = plan_services(loaded.entries, Report())
        plans = {id: plan for id, plan in planned.items() if _starts(plan.entry)}
        policies = self._security.prepare(loaded.entries.values()).policies
        sites: dict[str, Site] = {}
        sockets: dict[str, socket.socket] = {}
        try:
            for id, plan in plans.items():
                sites[id] = Site(plan, loaded, self._app, self._security, policies)
                if not self._goes_on(plan):
                    sockets[id] = self._socket(plan)
        except BaseException:
            Change(self, plans, sites, sockets).discard()
            raise
        return Change(self, plans, sites, sockets)

    def serve(self, change: Change) -> None:
        """What `Change.commit` does. New sockets take connections already, so what comes first waits a moment."""
        gone = [id for id in self._servers if id not in change.plans or id in change.sockets]
        for server in [self._servers.pop(id) for id in gone]:
            server.stop_accepting()
            self._later(_stopped(server, _GRACE))
        for id, plan in change.plans.items():
            if id in change.sockets:
                self._servers[id] = server = HttpServer(plan, change.sites[id], change.sockets[id], self.watch)
                self._addresses[id] = url_of(change.sockets[id], "http" if plan.tls is None else "https")
                self._later(server.start())
            else:
                self._servers[id].change(plan, change.sites[id])
        self._addresses = {id: url for id, url in self._addresses.items() if id in self._servers}

    async def close(self, grace: float) -> None:
        """Accept no more requests, and let those under way end within `grace` seconds."""
        await asyncio.gather(*self._tasks)
        servers = list(self._servers.values())
        self._servers.clear()
        self._addresses.clear()
        await asyncio.gather(*(_stopped(server, grace) for server in servers))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _goes_on(self, plan: ServicePlan) -> bool:
        """Whether a server listens there already, and can go on."""
        server = self._servers.get(plan.id)
        return server is not None and server.plan.address == plan.address and _tls(server.plan) == _tls(plan)

    def _socket(self, plan: ServicePlan) -> socket.socket:
        """A listening socket: that of the server that is there already, for one with other certificates."""
        server = self._servers.get(plan.id)
        return (
            server.another_socket() if server and server.plan.address == plan.address else listen(plan.address, plan.id)
        )


def _tls(plan: ServicePlan) -> Any:
    return plan.entry.data.get("tls")


def _starts(service: Entry) -> bool:
    return (service.data.get("lifecycle") or {}).get("auto_start", True) is not False


async def _stopped(server: HttpServer, grace: float) -> None:
    own: float = (server.plan.entry.data.get("lifecycle") or {}).get("stop_timeout", grace)
    await server.stop(min(own, grace))
