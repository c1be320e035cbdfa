"""The response as it comes in: its head, then its body, with a bounded part of it in memory.

In: bytes of the connection. Out: the head, the body's bytes.

Spec: RFC 9112; SPEC section 7.
"""

from __future__ import annotations

from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.http.framing import Decoder
from wippywasm.wasi.http.head import ResponseHead, parse_response, split_head
from wippywasm.wasi.http.limits import HttpLimits
from wippywasm.wasi.http.response_framing import decoder_for
from wippywasm.wasi.http.transport import Transport

_MAX_INTERIM = 16
_AT_ONCE = 16
"""Receives until others have a turn: what comes in may be all framing and no body."""


class Download:
    """Receives a response. `head` once it is there, `body` are bytes that nobody has taken yet."""

    def __init__(self, method: str, limits: HttpLimits) -> None:
        self._method = method
        self._limits = limits
        self._raw = bytearray()
        self._interim = 0
        self.head: ResponseHead | None = None
        self.decoder: Decoder | None = None
        self.body = bytearray()

    @property
    def done(self) -> bool:
        return self.decoder is not None and self.decoder.done

    @property
    def wants_more(self) -> bool:
        """Whether there is room for more."""
        return not self.done and len(self.body) < self._limits.buffer

    def advance(self, transport: Transport) -> bool:
        """Receive what there is and fits; whether anything came. Raises HttpError."""
        moved = False
        for _ in range(_AT_ONCE):
            data = transport.receive() if self.wants_more else None
            if data is None:
                break
            moved = True
            if data:
                self._feed(data)
            else:
                self._end()
        return moved

    def _end(self) -> None:
        if self.decoder is None:
            raise HttpError("HTTP-response-incomplete" if self._raw else "connection-terminated")
        self.decoder.end()

    def _feed(self, data: bytes) -> None:
        if self.decoder is None:
            self._raw += data
            data = self._after_head()
        if self.decoder is not None:
            self.body += self.decoder.feed(data)

    def _after_head(self) -> bytes:
        """Read heads until there is a final one; what comes after it."""
        while (end := split_head(self._raw, self._limits)) is not None:
            head = parse_response(bytes(self._raw[: end - 4]), self._limits)
            del self._raw[:end]
            if self._accept(head):
                body, self._raw = bytes(self._raw), bytearray()
                return body
        return b""

    def _accept(self, head: ResponseHead) -> bool:
        """Whether it is final, and not one of those that come ahead."""
        if head.status == 101:
            raise HttpError("HTTP-upgrade-failed")
        if head.status < 200:
            self._interim += 1
            if self._interim > _MAX_INTERIM:
                raise HttpError("HTTP-protocol-error")
            return False
        self.decoder = decoder_for(head, self._method, self._limits)
        self.head = head
        return True
