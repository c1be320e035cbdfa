"""Bodies as guests hold them: one stream each, then trailers.

In: where an incoming body comes from, where an outgoing one goes. Out: the resources `incoming-body`,
`future-trailers` and `outgoing-body`.

Spec: `wasi:http/types`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from wippywasm.errors import Trap, WitError, with_article
from wippywasm.values import Err, Ok, Variant
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.http.codes import HttpError, code_behind
from wippywasm.wasi.http.fields import Entry, Fields, visible
from wippywasm.wasi.http.pipe import Pipe
from wippywasm.wasi.network.budget import Budget
from wippywasm.wasi.pollables import Pollable
from wippywasm.wasi.sources import MAX_READ
from wippywasm.wasi.stream_errors import IoError
from wippywasm.wasi.streams import InputStream, OutputStream
from wippywasm.wasi.waitables import Waitable

_DRAINED_AT_ONCE = 16


class BodySource(Waitable, Protocol):
    """A `Source` that knows the trailers, once it has ended."""

    @property
    def trailers(self) -> Sequence[Entry]: ...

    def take(self, limit: int) -> bytes: ...
    def close(self) -> None: ...


class IncomingBody(Handle):
    """The `incoming-body` resource; its stream is its child. Dropping it ends what brings the body."""

    def __init__(self, source: BodySource, budget: Budget) -> None:
        super().__init__()
        self._source: BodySource | None = source
        self._budget = budget
        self._streamed = False

    def stream(self) -> InputStream:
        if self._streamed or self._source is None:
            raise WitError
        self._streamed = True
        return InputStream(self._source, self, keep=True)

    @staticmethod
    def finish(this: IncomingBody) -> FutureTrailers:
        require_childless(this, "finished")
        source, this._source = this._source, None
        assert source is not None
        return FutureTrailers(source, this._budget)

    def release(self) -> None:
        if self._source is not None:
            self._source.close()


class FutureTrailers(Handle):
    """The `future-trailers` resource: reads what is left of the body, and throws it away."""

    def __init__(self, source: BodySource, budget: Budget) -> None:
        super().__init__()
        self._source = source
        self._budget = budget
        self._outcome: Ok | Err | None = None
        self._given = False

    def is_ready(self) -> bool:
        for _ in range(_DRAINED_AT_ONCE):
            if self._outcome is not None or not self._source.is_ready():
                break
            self._drain()
        return self._outcome is not None

    def _drain(self) -> None:
        try:
            self._source.take(MAX_READ)
        except WitError as error:
            self._outcome = self._ended(error.payload)

    def _ended(self, why: Variant) -> Ok | Err:
        if why.case == "closed":
            return Ok(self._source.trailers)
        assert isinstance(why.payload, IoError)
        return Err(code_behind(why.payload) or Variant("internal-error", why.payload.text))

    async def ready(self) -> None:
        if not self.is_ready():
            await self._source.ready()
            await asyncio.sleep(0)

    def subscribe(self) -> Pollable:
        return Pollable(self, self)

    def get(self) -> Ok | Err | None:
        """As WIT nests it: nothing yet, `Ok` of what came, or `Err` where it was taken before."""
        if not self.is_ready():
            return None
        if self._given:
            return Err()
        self._given = True
        assert self._outcome is not None
        if isinstance(self._outcome, Err):
            return Ok(self._outcome)
        entries = visible(self._outcome.value)
        return Ok(Ok(Fields.view(entries, self._budget) if entries else None))

    def release(self) -> None:
        self._source.close()


class OutgoingBody(Handle):
    """The `outgoing-body` resource; its stream is its child. Dropped without `finish`, the message is broken off."""

    def __init__(self, pipe: Pipe, length: int | None, wrong_length: str) -> None:
        super().__init__()
        self._pipe = pipe
        self._length = length
        self._wrong_length = wrong_length
        self._written = False

    def write(self) -> OutputStream:
        if self._written:
            raise WitError
        self._written = True
        return OutputStream(self._pipe, self)

    @staticmethod
    def finish(this: OutgoingBody, trailers: Fields | None) -> None:
        require_childless(this, "finished")
        entries = [] if trailers is None else trailers.snapshot()
        if trailers is not None:
            trailers.close()
        if this._length is not None and this._pipe.written != this._length:
            this._pipe.abort()
            raise HttpError(this._wrong_length, this._pipe.written)
        this._pipe.finish(entries)

    def release(self) -> None:
        self._pipe.abort()


def require_childless(handle: Handle, what: str) -> None:
    """Trap where something that the guest holds still depends on it."""
    if handle._children:
        raise Trap(
            f"{with_article(type(handle).__name__)} was {what} before its stream was dropped",
            code="resource has children",
        )
