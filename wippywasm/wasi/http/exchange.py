"""One request and its response, over one connection of their own.

In: a connection that is being opened, an upload, a download. Out: progress, whenever somebody asks for it.

`advance` does what can be done without waiting; `progress` waits until something can. Where an event loop runs, a task
keeps it going; a guest that is called without one keeps it going by looking at it. The two may be in different threads,
of which one at a time goes on with the exchange.

Spec: `wasi:http/outgoing-handler`, `types`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from wippywasm.dataclass import dataclass
from wippywasm.errors import WitError
from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.http.download import Download
from wippywasm.wasi.http.fields import Entry
from wippywasm.wasi.http.pipe import Pipe
from wippywasm.wasi.http.transport import Transport
from wippywasm.wasi.http.upload import Upload
from wippywasm.wasi.network.signals import Signal, loop_runs
from wippywasm.wasi.network.steps import Deadline, Steps
from wippywasm.wasi.stream_errors import closed
from wippywasm.wasi.waitables import Background, Waitable, wait_any


@dataclass(frozen=True)
class ReadTimes:
    """Seconds until the first byte of a response, between later ones, and for all of an exchange."""

    first_byte: float
    between_bytes: float
    total: float


@dataclass(frozen=True)
class Costs:
    """What an exchange holds of its guest's quotas: `connection` is called once it needs none any more, `message` once
    the guest has let go of the response."""

    connection: Callable[[], None]
    message: Callable[[], None]


class Exchange:
    """`error` is what it failed with."""

    def __init__(
        self, opening: Steps[Transport], upload: Upload, download: Download, times: ReadTimes, costs: Costs
    ) -> None:
        self._opening = opening
        self._upload = upload
        self.download = download
        self._times = times
        self._costs = costs
        self._transport: Transport | None = None
        self._deadline = Deadline(times.first_byte)
        self._last = Deadline(times.total)
        self._asked = False
        self._turn = threading.Lock()
        self._ending = threading.Lock()
        self._closing = threading.Lock()
        self._pump: Background | None = None
        self.changed = Signal()
        self.over = False
        self.error: HttpError | None = None

    # ---- going on

    def advance(self) -> None:
        """Do what can be done now."""
        if self.over or not self._turn.acquire(blocking=False):
            return
        try:
            self._advance()
        except HttpError as error:
            # It is kept, and its traceback leads to the call of the guest that looked, and to views of its memory.
            self.end(error.with_traceback(None))
        finally:
            self._turn.release()
        self._keep_going()

    def _advance(self) -> None:
        if self._last.is_ready():
            raise HttpError("HTTP-response-timeout")
        if self._transport is None:
            if not self._opening.advance():
                return
            self._transport = self._opening.result()
            self._deadline = Deadline(self._times.first_byte)
        sent = self._send(self._transport)
        received = self.download.advance(self._transport)
        was_asked, self._asked = self._asked, self._peer_is_asked
        if self.download.done:
            self.end()
        elif sent or not was_asked or (received and self.download.head is not None):
            self._restart_deadline()
        elif self._asked and self._deadline.is_ready():
            raise HttpError("connection-read-timeout")
        if sent or received:
            self.changed.set()

    def _send(self, transport: Transport) -> bool:
        """A peer that takes no more may have answered already; a guest that breaks off its body gets no answer."""
        try:
            return self._upload.advance(transport)
        except HttpError as error:
            if error.code.case == "HTTP-protocol-error":
                raise
            self._upload.stop()
            return True

    @property
    def _peer_is_asked(self) -> bool:
        """Whether it is the peer's turn, and not the guest's."""
        return self.download.wants_more and (self._upload.done or self._upload.waits_for_connection)

    def _restart_deadline(self) -> None:
        started = self.download.head is not None
        self._deadline = Deadline(self._times.between_bytes if started else self._times.first_byte)

    def _wanted(self) -> list[Waitable]:
        wanted: list[Waitable] = [self.changed.next(), self._first_deadline()]
        if self._transport is None:
            if self._opening.current is not None:
                wanted.append(self._opening.current)
            return wanted
        if self._upload.waits_for_connection:
            wanted.append(self._transport.writing)
        if self.download.wants_more:
            wanted.append(self._transport.reading)
        return wanted

    def _first_deadline(self) -> Deadline:
        is_first = self._transport is not None and self._peer_is_asked and self._deadline.end < self._last.end
        return self._deadline if is_first else self._last

    async def progress(self) -> None:
        """Wait until something has changed, or may have."""
        if not self.over:
            await wait_any(self._wanted())
            self.advance()

    def _keep_going(self) -> None:
        if self._pump is None and not self.over and loop_runs():
            self._pump = Background(self._run(), self._stopped)

    async def _run(self) -> None:
        while not self.over:
            await self.progress()

    def _stopped(self, value: object, error: BaseException | None) -> None:
        self._pump = None

    # ---- the body, as a `BodySource`

    @property
    def trailers(self) -> Sequence[Entry]:
        decoder = self.download.decoder
        return () if decoder is None else decoder.trailers

    def is_ready(self) -> bool:
        self.advance()
        return bool(self.download.body) or self.over

    async def ready(self) -> None:
        if not self.is_ready():
            await self.progress()

    def take(self, limit: int) -> bytes:
        self.advance()
        body = self.download.body
        data = bytes(body[:limit])
        if data:
            del body[:limit]
            self._restart_deadline()
            self.changed.set()
        elif self.over and not body:
            raise self._why()
        return data

    def _why(self) -> WitError:
        return closed() if self.error is None else self.error.as_stream_error()

    def close(self) -> None:
        """Nobody wants what is left."""
        self.end(HttpError("connection-terminated"))
        if self._closing.acquire(blocking=False):
            self._costs.message()

    # ---- the end

    def end(self, error: HttpError | None = None) -> None:
        """Give the connection back; once."""
        if not self._ending.acquire(blocking=False):
            return
        self.error = error
        self.over = True
        self._opening.close()
        self._upload.stop()
        if self._transport is not None:
            self._transport.close()
        self._costs.connection()
        self.changed.set()


def attach(exchange: Exchange, pipe: Pipe) -> None:
    """Let what a guest writes make the exchange go on."""

    def advance() -> None:
        exchange.advance()
        exchange.changed.set()

    pipe.advance = advance
