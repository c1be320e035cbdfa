"""What a service serves, ready to be called: its routes and mounts with their handlers.

In: a plan, the app's functions, its folders. Out: the handler of a request. Made anew when the plan changes.
Spec: SPEC section 12.
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.app.context import Context
from wippywasm.app.http.callee import Callee
from wippywasm.app.http.endpoints import endpoint_handler
from wippywasm.app.http.exchange import Exchange, Handler, Middleware
from wippywasm.app.http.middleware import chained, make_chain
from wippywasm.app.http.plan import Endpoint, Folder, Router, ServicePlan
from wippywasm.app.http.problems import Problem
from wippywasm.app.http.static import FileFolder
from wippywasm.app.loading import LoadedApp
from wippywasm.app.programs.folders import folder_of
from wippywasm.app.security import Policies, Security
from wippywasm.app.security.identity import read_identity
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Found:
    """Whose a request is, and who handles it."""

    id: str
    handler: Handler


class Site:
    """Closing it lets go of its folders; requests under way keep what they have open.

    `context` is what requests begin in: whom the service acts as.
    """

    def __init__(
        self, plan: ServicePlan, loaded: LoadedApp, app: Callee, security: Security, policies: Policies
    ) -> None:
        identity = (plan.entry.data.get("lifecycle") or {}).get("security") or {}
        self.context = read_identity(identity, policies).assumed(Context())
        self._plan = plan
        self._loaded = loaded
        self._app = app
        self._security = security
        self._folders: list[FileFolder] = []
        chains = {m.id: make_chain(m.stages, security) for m in plan.mounts}
        self._mounts = {m.id: Found(m.id, self._mount(m, chains[m.id])) for m in plan.mounts}
        self._endpoints = {e.id: Found(e.id, self._endpoint(e, chains[e.router.id])) for e in plan.routes}
        self._nowhere = Found(plan.id, self._missing)

    def find(self, exchange: Exchange) -> Found:
        """Who handles a request; what it matched is noted in the exchange."""
        method, target = exchange.request.method, exchange.target
        match = self._plan.routes.match(method, target)
        if match is not None:
            exchange.endpoint, exchange.params = match.found, match.params
            return self._endpoints[match.found.id]
        asked = exchange.header("Access-Control-Request-Method") if method == "OPTIONS" else None
        wanted = self._plan.routes.match(asked, target) if asked else None
        mount = wanted.found.router if wanted is not None else self._plan.mount_of(target)
        return self._nowhere if mount is None else self._mounts[mount.id]

    def close(self) -> None:
        while self._folders:
            self._folders.pop().close()

    def _mount(self, mount: Router | Folder, chain: Sequence[Middleware]) -> Handler:
        if isinstance(mount, Router):
            return chained(chain, self._missing)
        folder = FileFolder(mount, folder_of(self._loaded.entries[mount.fs], self._loaded.folder))
        self._folders.append(folder)
        return chained(chain, self._or_missing(folder))

    def _endpoint(self, endpoint: Endpoint, chain: Sequence[Middleware]) -> Handler:
        after = make_chain(endpoint.router.after, self._security)
        return chained(
            [*chain, *after], endpoint_handler(self._app, endpoint.func, self._loaded.wasm.get(endpoint.func))
        )

    def _or_missing(self, folder: Handler) -> Handler:
        """The folder, but for a path that endpoints have with other methods."""

        async def handler(exchange: Exchange) -> None:
            await (self._missing if self._plan.routes.allowed(exchange.target) else folder)(exchange)

        return handler

    async def _missing(self, exchange: Exchange) -> None:
        allowed = self._plan.routes.allowed(exchange.target)
        reply = exchange.reply
        if not allowed:
            await reply.fail(Problem(404))
        elif exchange.request.method == "OPTIONS":
            reply.set_status(204)
            reply.set("Allow", ", ".join(allowed))
            await reply.end()
        else:
            await reply.fail(Problem(405, fields={"Allow": ", ".join(allowed)}))
