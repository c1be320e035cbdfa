"""`endpoint_firewall`, `resource_firewall`: may who asks do this?

In: the context of the request. Out: it goes on, or 401 where nobody is known to ask, or 403. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.context import current
from wippywasm.app.http.exchange import Exchange, Handler
from wippywasm.app.http.problems import Problem
from wippywasm.app.security import Guard
from wippywasm.errors import ErrorKind


class EndpointFirewall:
    """Asks for `action` on the endpoint that was found."""

    def __init__(self, options: Mapping[str, Any], guard: Guard) -> None:
        self._action: str = options["action"]
        self._guard = guard

    async def __call__(self, exchange: Exchange, following: Handler) -> None:
        if current().actor is None:
            await exchange.reply.fail(Problem(401, ErrorKind.PERMISSION_DENIED))
            return
        self._guard.check(self._action, self._resource(exchange))
        await following(exchange)

    def _resource(self, exchange: Exchange) -> str:
        assert exchange.endpoint is not None, "post_middleware runs once an endpoint is found"
        return exchange.endpoint.id


class ResourceFirewall(EndpointFirewall):
    """Asks for `action` on a resource that is always the same."""

    def __init__(self, options: Mapping[str, Any], guard: Guard) -> None:
        super().__init__(options, guard)
        self._target: str = options["target"]

    def _resource(self, exchange: Exchange) -> str:
        return self._target
