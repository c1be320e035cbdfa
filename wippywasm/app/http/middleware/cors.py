"""`cors`: which pages of other origins may use what is served here.

In: the request's Origin. Out: fields of the reply; a preflight request is answered here. Spec: the Fetch standard,
CORS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.http.exchange import Exchange, Handler
from wippywasm.app.http.reply import Reply


class Cors:
    """Origins are compared without case; `*.example.com` is any name below it, with any scheme and port."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._origins = tuple(origin.lower() for origin in options["allow.origins"])
        self._any = "*" in self._origins

    async def __call__(self, exchange: Exchange, following: Handler) -> None:
        origin = exchange.header("Origin")
        asked = exchange.header("Access-Control-Request-Method")
        if exchange.request.method == "OPTIONS" and origin and asked:
            return await self._preflight(exchange, origin)
        exchange.reply.hooks.append(lambda reply, _: self._allow(reply, origin))
        return await following(exchange)

    async def _preflight(self, exchange: Exchange, origin: str) -> None:
        reply = exchange.reply
        reply.set_status(204)
        self._allow(reply, origin)
        if self._allows(origin):
            reply.fields["Access-Control-Allow-Methods"] = ", ".join(self._options["allow.methods"])
            reply.fields["Access-Control-Allow-Headers"] = ", ".join(self._options["allow.headers"])
            reply.fields["Access-Control-Max-Age"] = str(self._options["max.age"])
            if self._options["allow.private.network"] and exchange.header("Access-Control-Request-Private-Network"):
                reply.fields["Access-Control-Allow-Private-Network"] = "true"
        reply.fields.add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
        await reply.end()

    def _allow(self, reply: Reply, origin: str | None) -> None:
        credentials = self._options["allow.credentials"]
        is_same_for_all = self._any and not credentials
        if not is_same_for_all:
            reply.fields.add("Vary", "Origin")
        if origin is None or not self._allows(origin):
            return
        reply.fields["Access-Control-Allow-Origin"] = "*" if is_same_for_all else origin
        if credentials:
            reply.fields["Access-Control-Allow-Credentials"] = "true"
        if self._options["expose.headers"]:
            reply.fields["Access-Control-Expose-Headers"] = ", ".join(self._options["expose.headers"])

    def _allows(self, origin: str) -> bool:
        return self._any or any(_matches(pattern, origin.lower()) for pattern in self._origins)


def _matches(pattern: str, origin: str) -> bool:
    if "*." not in pattern:
        return pattern == origin
    scheme, _, host = origin.rpartition("://")
    wanted, _, below = pattern.partition("*.")
    name = host if ":" in below else host.partition(":")[0]
    return name.endswith(f".{below}") and wanted in ("", f"{scheme}://")
