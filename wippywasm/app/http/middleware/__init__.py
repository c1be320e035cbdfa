"""Middleware: what runs around the handlers of a router.

In: the stages of a plan. Out: middleware, and chains of it. Adding one is adding a row here and one in `options.py`.
Spec: SPEC section 12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from wippywasm.app.http.exchange import Exchange, Handler, Middleware
from wippywasm.app.http.middleware.compress import Compress
from wippywasm.app.http.middleware.cors import Cors
from wippywasm.app.http.middleware.firewall import EndpointFirewall, ResourceFirewall
from wippywasm.app.http.middleware.ratelimit import RateLimit
from wippywasm.app.http.middleware.real_ip import RealIp
from wippywasm.app.http.middleware.token_auth import TokenAuth
from wippywasm.app.http.options import Stage
from wippywasm.app.security import Security

_MAKE: Mapping[str, Callable[[Mapping[str, Any], Security], Middleware]] = {
    "cors": lambda options, _: Cors(options),
    "ratelimit": lambda options, _: RateLimit(options),
    "compress": lambda options, _: Compress(options),
    "real_ip": lambda options, _: RealIp(options),
    "token_auth": TokenAuth,
    "endpoint_firewall": lambda options, security: EndpointFirewall(options, security.guard),
    "resource_firewall": lambda options, security: ResourceFirewall(options, security.guard),
}


def make_chain(stages: Sequence[Stage], security: Security) -> Sequence[Middleware]:
    """The middleware of stages, in their order."""
    return [_MAKE[stage.name](stage.options, security) for stage in stages]


def chained(chain: Sequence[Middleware], end: Handler) -> Handler:
    """The handler that goes through a chain, the first in it first, to its end."""
    handler = end
    for middleware in reversed(chain):
        handler = partial(_through, middleware, handler)
    return handler


async def _through(middleware: Middleware, following: Handler, exchange: Exchange) -> None:
    await middleware(exchange, following)
