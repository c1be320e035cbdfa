"""One request and its reply, as everyone who takes part in serving it sees them.

In: an aiohttp request. Out: an `Exchange`; the running one in a context variable, from which the Lua module `http`
has it. Spec: SPEC sections 11 and 12.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from wippywasm.dataclass import dataclass

if TYPE_CHECKING:  # Lua knows exchanges whether or not the app has a service, which alone loads aiohttp
    from aiohttp import web

    from wippywasm.app.http.body import Body
    from wippywasm.app.http.paths import Target
    from wippywasm.app.http.plan import Endpoint
    from wippywasm.app.http.reply import Reply


@dataclass
class Exchange:
    """`remote` is the client's address, as far as middleware knows a better one than the connection's."""

    request: web.BaseRequest
    target: Target
    body: Body
    reply: Reply
    remote: str
    endpoint: Endpoint | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    answered: bool = False
    """Whether a handler took the reply into its own hands."""
    is_over: bool = False
    """Whether the handler has ended; what it started may run on."""

    def header(self, name: str) -> str | None:
        """A field of the request; several of one name joined by commas."""
        values = self.request.headers.getall(name, [])
        return ", ".join(values) if values else None


Handler: TypeAlias = Callable[[Exchange], Awaitable[None]]
"""Serves an exchange: writes its reply, or raises."""
Middleware: TypeAlias = Callable[[Exchange, Handler], Awaitable[None]]
"""Serves it by another handler, or by itself."""

_current: ContextVar[Exchange | None] = ContextVar("wippywasm_exchange", default=None)


def current_exchange() -> Exchange | None:
    """The exchange that the running code serves, None where there is none any more."""
    exchange = _current.get()
    return None if exchange is None or exchange.is_over else exchange


def enter_exchange(exchange: Exchange) -> None:
    """Make it the running one, for the rest of the task."""
    _current.set(exchange)
