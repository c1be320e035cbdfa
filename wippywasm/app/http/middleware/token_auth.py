"""`token_auth`: a request acts as whom its token stands for.

In: a token in a field, in the query or in a cookie. Out: the request goes on, as that actor where the token is valid,
else as before: who has to have an identity is the matter of a firewall or of the policies. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.context import Context, current, entered
from wippywasm.app.http.exchange import Exchange, Handler
from wippywasm.app.security import Security
from wippywasm.errors import WippyError


class TokenAuth:
    """Knows the tokens of one `security.token_store`."""

    def __init__(self, options: Mapping[str, Any], security: Security) -> None:
        self._options = options
        self._security = security

    async def __call__(self, exchange: Exchange, following: Handler) -> None:
        token = self._token(exchange)
        context = None if token is None else self._context(token)
        if context is None:
            await following(exchange)
            return
        with entered(context):
            await following(exchange)

    def _token(self, exchange: Exchange) -> str | None:
        field, prefix = exchange.header(self._options["header.name"]), self._options["header.prefix"]
        if field is not None and field[: len(prefix)].lower() == prefix.lower():
            return field[len(prefix) :].strip()
        asked = exchange.request.query.get(self._options["query.param"])
        return asked if asked is not None else exchange.request.cookies.get(self._options["cookie.name"])

    def _context(self, token: str) -> Context | None:
        try:
            actor, scope = self._security.identity_of(self._options["store"], token)
        except WippyError:
            return None
        return current().with_(actor=actor, scope=scope)
