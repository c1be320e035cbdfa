"""What a guest that serves HTTP is given: a request, and where its response goes.

In: a request of the host. Out: the resources `incoming-request` and `response-outparam`.

Spec: `wasi:http/types`, `incoming-handler`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wippywasm.dataclass import dataclass
from wippywasm.errors import WitError
from wippywasm.values import Err, Ok, Variant
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.http.bodies import IncomingBody
from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.http.fields import Entry, Fields, visible
from wippywasm.wasi.http.names import method_variant, scheme_variant
from wippywasm.wasi.http.responses import OutgoingResponse
from wippywasm.wasi.network.budget import Budget
from wippywasm.wasi.sources import Source

MAX_INFORMATIONAL = 16
"""Responses that a guest may send ahead of one; the host keeps them until that one is there."""


@dataclass(frozen=True)
class RequestHead:
    """What a request says before its body; `method` and `scheme` as on the wire."""

    method: str
    path_with_query: str | None
    scheme: str | None
    authority: str | None
    fields: Sequence[Entry]


class ServedBody:
    """A body that the host brings, as a `BodySource`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.trailers: Sequence[Entry] = ()

    def is_ready(self) -> bool:
        return self._source.is_ready()

    async def ready(self) -> None:
        await self._source.ready()

    def take(self, limit: int) -> bytes:
        data = self._source.take(limit)
        assert isinstance(data, bytes), "sources of request bodies answer at once"
        return data

    def close(self) -> None:
        self._source.close()


class IncomingRequest(Handle):
    """The `incoming-request` resource; the views of its headers are its children."""

    def __init__(self, head: RequestHead, body: ServedBody, budget: Budget) -> None:
        super().__init__()
        self._head = head
        self._fields = tuple(visible(head.fields))
        self._body: ServedBody | None = body
        self._budget = budget

    def method(self) -> Variant:
        return method_variant(self._head.method)

    def path_with_query(self) -> str | None:
        return self._head.path_with_query

    def scheme(self) -> Variant | None:
        return None if self._head.scheme is None else scheme_variant(self._head.scheme)

    def authority(self) -> str | None:
        return self._head.authority

    def headers(self) -> Fields:
        return Fields.view(self._fields, self._budget, self)

    def consume(self) -> IncomingBody:
        if self._body is None:
            raise WitError
        body, self._body = self._body, None
        return IncomingBody(body, self._budget)

    def release(self) -> None:
        if self._body is not None:
            self._body.close()


class ResponseOutparam(Handle):
    """The `response-outparam` resource: `answer` gets the response or an error, or None where the guest gave neither.

    `inform` gets the responses that the guest sends ahead.
    """

    def __init__(
        self,
        answer: Callable[[OutgoingResponse | Variant | None], None],
        inform: Callable[[int, Sequence[Entry]], None] | None = None,
    ) -> None:
        super().__init__()
        self._answer = answer
        self._inform = inform
        self._informed = 0
        self._answered = False

    def send_informational(self, status: int, headers: Fields) -> None:
        entries = headers.snapshot()
        headers.close()
        if self._inform is None or status == 101 or not 100 <= status <= 199 or self._informed == MAX_INFORMATIONAL:
            raise HttpError("HTTP-protocol-error")
        self._informed += 1
        self._inform(status, entries)

    @staticmethod
    def set(param: ResponseOutparam, response: Ok | Err) -> None:
        if isinstance(response, Ok):
            response.value.sent = True
            response.value.close()
        param._give(response.value)
        param.close()

    def _give(self, answer: OutgoingResponse | Variant | None) -> None:
        if not self._answered:
            self._answered = True
            self._answer(answer)

    def release(self) -> None:
        self._give(None)
