"""A connection for one request: TCP, perhaps with TLS on it.

In: a connected non-blocking socket. Out: bytes both ways, tried first and waited for only if they must be.
"""

from __future__ import annotations

import socket
import ssl

from wippywasm.wasi.http.codes import HttpError, from_os
from wippywasm.wasi.waitables import FileReady, Waitable

_MAX_RECORD = 1 << 16


class Transport:
    """`reading` and `writing` are what to wait for after `receive` or `send` gave None: with TLS, either may need the
    other direction."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._readable = FileReady.to_read(sock.fileno())
        self._writable = FileReady.to_write(sock.fileno())
        self.reading: Waitable = self._readable
        self.writing: Waitable = self._writable

    def receive(self) -> bytes | None:
        """What has come in, empty at the end; None where nothing has. Raises HttpError."""
        self.reading = self._readable
        try:
            return self._sock.recv(_MAX_RECORD)
        except ssl.SSLWantWriteError:
            self.reading = self._writable
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            pass
        except ssl.SSLEOFError:
            raise HttpError("connection-terminated") from None
        except ssl.SSLZeroReturnError:
            return b""
        except OSError as error:
            raise from_os(error) from None
        return None

    def send(self, data: bytes | bytearray | memoryview) -> int | None:
        """How much of it has gone out; None where nothing has. Raises HttpError."""
        self.writing = self._writable
        try:
            return self._sock.send(data)
        except ssl.SSLWantReadError:
            self.writing = self._readable
        except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            raise from_os(error) from None
        return None

    def close(self) -> None:
        self._sock.close()
