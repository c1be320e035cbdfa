"""Responses: those that come to a guest, and those that it makes.

In: an exchange, or calls of guests. Out: the resources `incoming-response`, `future-incoming-response` and
`outgoing-response`.

Spec: `wasi:http/types`.
"""

from __future__ import annotations

from wippywasm.errors import WitError
from wippywasm.values import Err, Ok
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.http.bodies import IncomingBody
from wippywasm.wasi.http.exchange import Exchange
from wippywasm.wasi.http.fields import Fields, visible
from wippywasm.wasi.http.head import ResponseHead
from wippywasm.wasi.http.messages import OutgoingMessage
from wippywasm.wasi.network.budget import Budget
from wippywasm.wasi.pollables import Pollable


class IncomingResponse(Handle):
    """The `incoming-response` resource. Dropping it without its body ends the exchange."""

    def __init__(self, head: ResponseHead, exchange: Exchange, budget: Budget) -> None:
        super().__init__()
        self._head = head
        self._fields = tuple(visible(head.fields))
        self._exchange: Exchange | None = exchange
        self._budget = budget

    def status(self) -> int:
        return self._head.status

    def headers(self) -> Fields:
        return Fields.view(self._fields, self._budget, self)

    def consume(self) -> IncomingBody:
        if self._exchange is None:
            raise WitError
        exchange, self._exchange = self._exchange, None
        return IncomingBody(exchange, self._budget)

    def release(self) -> None:
        if self._exchange is not None:
            self._exchange.close()


class FutureIncomingResponse(Handle):
    """The `future-incoming-response` resource. Dropping it before its response was taken ends the exchange."""

    def __init__(self, exchange: Exchange, budget: Budget) -> None:
        super().__init__()
        self._exchange = exchange
        self._budget = budget
        self._given = False

    def is_ready(self) -> bool:
        self._exchange.advance()
        return self._given or self._exchange.over or self._exchange.download.head is not None

    async def ready(self) -> None:
        if not self.is_ready():
            await self._exchange.progress()

    def subscribe(self) -> Pollable:
        return Pollable(self, self)

    def get(self) -> Ok | Err | None:
        """As WIT nests it: nothing yet, `Ok` of what came, or `Err` where it was taken before."""
        if not self.is_ready():
            return None
        if self._given:
            return Err()
        self._given = True
        head = self._exchange.download.head
        if head is not None:
            return Ok(Ok(IncomingResponse(head, self._exchange, self._budget)))
        assert self._exchange.error is not None
        self._exchange.close()
        return Ok(Err(self._exchange.error.code))

    def release(self) -> None:
        if not self._given:
            self._exchange.close()


class OutgoingResponse(OutgoingMessage):
    """The `outgoing-response` resource; the views of its headers are its children."""

    wrong_length = "HTTP-response-body-size"

    def __init__(self, headers: Fields) -> None:
        super().__init__(headers)
        self.status = 200

    def status_code(self) -> int:
        return self.status

    def set_status_code(self, status_code: int) -> None:
        if not 200 <= status_code <= 599:
            raise WitError
        self.status = status_code
