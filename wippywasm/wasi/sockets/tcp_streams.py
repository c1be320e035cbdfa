"""The bytes of a TCP connection.

In: a connected socket. Out: a source and a sink for its streams.

Spec: `wasi:sockets/tcp`, `finish-connect`, `shutdown`.
"""

from __future__ import annotations

import asyncio
import socket

from wippywasm.errors import WitError
from wippywasm.wasi.sinks import MAX_WRITE
from wippywasm.wasi.sockets.codes import code_of
from wippywasm.wasi.stream_errors import closed, failed
from wippywasm.wasi.waitables import FileReady

LINGER = 10.0
"""Seconds that the last bytes of a dropped socket have to leave."""


def _failure(error: OSError) -> WitError:
    code = code_of(error)
    return failed(f"the connection failed: {code}", code)


class TcpSource:
    """What comes in."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._wait = FileReady.to_read(sock.fileno())
        self._ended = False

    def is_ready(self) -> bool:
        return self._ended or self._wait.is_ready()

    async def ready(self) -> None:
        if not self._ended:
            await self._wait.ready()

    def take(self, limit: int) -> bytes:
        if self._ended:
            raise closed()
        if not limit:
            return b""
        try:
            data = self._sock.recv(limit)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            self._ended = True
            raise _failure(error) from None
        if not data:
            self._ended = True
            raise closed()
        return data

    def close(self) -> None:
        self._ended = True


class TcpSink:
    """What goes out: what the operating system does not take at once is kept, and nothing more is taken until then."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._wait = FileReady.to_write(sock.fileno())
        self._left = memoryview(b"")
        self._failure: WitError | None = None
        self._finished = False

    @property
    def pending(self) -> bool:
        """Whether something waits for the operating system to take it."""
        return bool(self._left)

    def is_ready(self) -> bool:
        self.advance()
        if self._failure is not None or self._finished:
            return True
        return not self._left and self._wait.is_ready()

    async def ready(self) -> None:
        if not self.is_ready():
            await self._wait.ready()

    def permit(self) -> int:
        self.advance()
        if self._failure is not None:
            failure, self._failure = self._failure, closed()
            raise failure
        if self._finished:
            raise closed()
        return MAX_WRITE if not self._left and self._wait.is_ready() else 0

    def put(self, data: bytes) -> None:
        self._left = memoryview(data)
        self.advance()

    def advance(self) -> None:
        """Send what is left, as far as it goes."""
        if not self._left:
            return
        try:
            while self._left:
                self._left = self._left[self._sock.send(self._left) :]
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._left = memoryview(b"")
            self._failure = _failure(error)
        if self._finished:
            shut(self._sock, socket.SHUT_WR)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def finish(self) -> None:
        """Take no more; tell the peer after what is left."""
        self._finished = True
        if self._left:
            self.advance()
        else:
            shut(self._sock, socket.SHUT_WR)

    async def drain(self) -> None:
        """Until all is out, or it takes too long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + LINGER
        while self._left and (left := end - loop.time()) > 0:
            try:
                await asyncio.wait_for(self._wait.ready(), left)
            except asyncio.TimeoutError:
                return
            self.advance()


def shut(sock: socket.socket, how: int) -> None:
    """Shut down a direction; a connection that is gone already has none."""
    try:
        sock.shutdown(how)
    except OSError:
        return
