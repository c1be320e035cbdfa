"""A body on its way from a guest to the host: what the one writes and the other has not yet taken.

In: writes of an output stream. Out: bytes, then the end: finished, perhaps with trailers, or broken off.

Spec: `wasi:http/types`, `outgoing-body`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wippywasm.errors import WitError
from wippywasm.wasi.http.fields import Entry
from wippywasm.wasi.network.signals import Signal
from wippywasm.wasi.stream_errors import closed


class Pipe:
    """A `Sink` for the guest, with at most `capacity` bytes in it. `written` counts all that were put in.

    `advance` is called when it may help to take some out. `changed` tells both sides of any change.
    """

    def __init__(
        self, capacity: int, limit: int | None = None, too_much: Callable[[int], WitError] | None = None
    ) -> None:
        self.capacity = capacity
        self.written = 0
        self.changed = Signal()
        self.advance: Callable[[], None] = lambda: None
        self.trailers: Sequence[Entry] = ()
        self.finished = False
        self.broken = False
        self._limit = limit
        self._too_much = too_much
        self._buffer = bytearray()
        self._failure: WitError | None = None

    # ---- the guest's side

    def is_ready(self) -> bool:
        self.advance()
        return self._failure is not None or len(self._buffer) < self.capacity

    async def ready(self) -> None:
        changed = self.changed.next()
        if not self.is_ready():
            await changed.ready()

    def permit(self) -> int:
        self.advance()
        self._refuse_if_stopped()
        return self.capacity - len(self._buffer)

    def _refuse_if_stopped(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, closed()
            raise failure

    def put(self, data: bytes) -> None:
        self._refuse_if_stopped()
        if self._limit is not None and self.written + len(data) > self._limit and self._too_much is not None:
            self.abort()
            self._failure = closed()
            raise self._too_much(self.written + len(data))
        self.written += len(data)
        self._buffer += data
        self.changed.set()
        self.advance()

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def finish(self, trailers: Sequence[Entry] = ()) -> None:
        """There is no more."""
        if not self.broken:
            self.trailers, self.finished = trailers, True
            self.changed.set()
            self.advance()

    def abort(self) -> None:
        """There would have been more."""
        if not self.finished and not self.broken:
            self.broken = True
            self.changed.set()
            self.advance()

    # ---- the host's side

    def take(self, limit: int) -> bytes:
        """Up to so many bytes that are there."""
        data = bytes(self._buffer[:limit])
        if data:
            del self._buffer[:limit]
            self.changed.set()
        return data

    @property
    def at_end(self) -> bool:
        """Whether all was taken, and no more will come."""
        return self.finished and not self._buffer

    def stop(self, failure: WitError | None = None) -> None:
        """Nobody takes anything any more: the guest's writes fail."""
        if self._failure is None:
            self._failure = failure or closed()
            self._buffer.clear()
            self.changed.set()
