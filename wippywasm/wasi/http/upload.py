"""The request as bytes on the wire: its head, then its body by length or in chunks.

In: a head and a pipe. Out: bytes to send, as the guest brings them.

Spec: RFC 9112 sections 6 and 7.
"""

from __future__ import annotations

from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.http.pipe import Pipe
from wippywasm.wasi.http.transport import Transport

_CHUNK = 1 << 14


class Upload:
    """Sends a request. `done` once all of it has gone out."""

    def __init__(self, head: bytes, pipe: Pipe | None, *, chunked: bool) -> None:
        self._out = bytearray(head)
        self._pipe = pipe
        self._chunked = chunked
        self.done = False

    @property
    def waits_for_connection(self) -> bool:
        """Whether bytes wait to be sent, and not for the guest."""
        return bool(self._out)

    def advance(self, transport: Transport) -> bool:
        """Send what there is; whether anything went out. Raises HttpError, too if the guest broke off its body."""
        moved = False
        while not self.done:
            if not self._out:
                self._fill()
            if self.done or not self._out:
                break
            sent = transport.send(self._out)
            if sent is None:
                break
            del self._out[:sent]
            moved = True
        return moved

    def _fill(self) -> None:
        if self._pipe is None:
            self.done = True
            return
        if self._pipe.broken:
            raise HttpError("HTTP-protocol-error")
        data = self._pipe.take(_CHUNK)
        if data:
            self._out += b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data
        elif self._pipe.at_end:
            self._finish(self._pipe)

    def _finish(self, pipe: Pipe) -> None:
        self._pipe = None
        if self._chunked:
            lines = [n.encode() + b": " + v + b"\r\n" for n, v in pipe.trailers if n.lower() != "content-length"]
            self._out += b"0\r\n" + b"".join(lines) + b"\r\n"

    def stop(self) -> None:
        """The peer takes no more."""
        self.done = True
        self._out.clear()
        if self._pipe is not None:
            self._pipe.stop()
